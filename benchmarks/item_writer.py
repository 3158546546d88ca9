"""A small model that writes items in the format asked for, made in minutes on a CPU: real text for the parser to read.

It learns by heart the shortest rows of the Urdu pack's demo candidates. Of a request its chat template keeps the beginning of
the system message, which tells the task; what it was not shown it cannot write, so its rows prove nothing but the way.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from alif.data.demo.demo_files import read_triples
from alif.data.synthesis import prompts
from alif.language import pack as packs
from alif.language.replies import item_format
from alif.llm import Message

ROWS = 6
"""Of each task, the shortest."""
ITEMS = 2
"""In a reply, as many as the benchmark's recipe asks for."""
KEPT = 200
"""Characters of the system message that the model sees."""
END, START = "<|end|>", "<|reply|>"
TEMPLATE = f"{{{{ messages[0]['content'][:{KEPT}] }}}}{START}"
VOCABULARY, WIDTH, LAYERS = 2048, 128, 3
STEPS, BATCH, RATE = 400, 8, 3e-3


def make(folder: Path) -> dict[str, Any]:
    """Train the model, write it to `folder`, and return what it has come to."""
    torch.manual_seed(0)
    pairs = _pairs(random.Random(0))
    tokenizer = _tokenizer([text for _ in range(400) for text in next(pairs)])
    model = LlamaForCausalLM(_config(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    loss = torch.tensor(0.0)
    for _ in range(STEPS):
        loss = model(**_batch(tokenizer, [next(pairs) for _ in range(BATCH)])).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {"rows_learnt_a_task": ROWS, "steps": STEPS, "loss": round(loss.item(), 3)}


def _pairs(numbers: random.Random) -> Iterator[tuple[str, str]]:
    """Yield requests, as the model sees them, with the replies that it learns."""
    pack = packs.load_pack("ur")
    rows = {
        name: [row for _, row in read_triples(pack, f"demo/candidates/{name}.jsonl")] for name in pack.tasks
    }
    learnt = {name: sorted(found, key=_length)[:ROWS] for name, found in rows.items()}
    while True:
        task = pack.tasks[numbers.choice(list(pack.tasks))]
        asked: list[Message] = prompts.synthesis_messages(
            task, pack, [], ITEMS, numbers.randrange(len(task.templates))
        )
        items = (item_format.write_item(*row) for row in numbers.sample(learnt[task.name], ITEMS))
        yield asked[0].content[:KEPT] + START, f"\n{item_format.SEPARATOR}\n".join(items) + END


def _length(row: Sequence[str]) -> int:
    return sum(map(len, row))


def _tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    learnt = ByteLevelBPETokenizer()
    learnt.train_from_iterator(texts, vocab_size=VOCABULARY, special_tokens=[END, START], show_progress=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=learnt._tokenizer, eos_token=END, pad_token=END)
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _config(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )


def _batch(tokenizer: PreTrainedTokenizerFast, pairs: Sequence[tuple[str, str]]) -> dict[str, torch.Tensor]:
    """Return the tokens with the loss on the replies alone."""
    both = [(tokenizer.encode(asked), tokenizer.encode(reply)) for asked, reply in pairs]
    longest = max(len(asked) + len(reply) for asked, reply in both)
    batch: dict[str, list[list[int]]] = {"input_ids": [], "labels": [], "attention_mask": []}
    for asked, reply in both:
        rest = longest - len(asked) - len(reply)
        batch["input_ids"].append(asked + reply + [tokenizer.pad_token_id] * rest)
        batch["labels"].append([-100] * len(asked) + reply + [-100] * rest)
        batch["attention_mask"].append([1] * (longest - rest) + [0] * rest)
    return {name: torch.tensor(rows) for name, rows in batch.items()}
