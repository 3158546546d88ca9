"""Train a small model, in minutes on a CPU, that writes items in the requested format: text for the parser.

It memorises the shortest rows of the Urdu pack's demo candidates. Its chat template keeps only the beginning
of the system message, which names the task. It cannot write anything else, so its rows show that the pipeline
works and nothing about their quality.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from alif.data.demo.demo_files import read_demo_rows, to_triple
from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis import prompts
from alif.language import pack as packs
from alif.language.replies import item_format

ROWS = 6
"""The shortest rows of each task."""
ITEMS = 2
"""Items of a reply, as many as the benchmark's recipe asks for."""
KEPT = 200
"""Characters of the system message that the model sees."""
END, START = "<|end|>", "<|reply|>"
TEMPLATE = f"{{{{ messages[0]['content'][:{KEPT}] }}}}{START}"
VOCABULARY, WIDTH, LAYERS = 2048, 128, 3
STEPS, BATCH, RATE = 400, 8, 3e-3


def train_item_writer(folder: Path) -> dict[str, Any]:
    """Train the model, write it to `folder`, and return its rows, steps and loss."""
    torch.manual_seed(0)
    pairs = _training_pairs(random.Random(0))
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
    return {"rows_per_task": ROWS, "steps": STEPS, "loss": round(loss.item(), 3)}


def _training_pairs(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield requests, as the model sees them, with their replies."""
    pack, texts = packs.load_pack("ur"), load_prompt_texts()
    rows = {
        name: sorted(
            map(to_triple, read_demo_rows(pack, f"demo/candidates/{name}.jsonl")),
            key=lambda row: sum(map(len, row)),
        )[:ROWS]
        for name in pack.tasks
    }
    while True:
        task = pack.tasks[rng.choice(list(pack.tasks))]
        variant = rng.randrange(len(task.templates))
        request = prompts.synthesis_messages(texts, task, pack, [], ITEMS, variant)
        items = (item_format.write_item(*row) for row in rng.sample(rows[task.name], ITEMS))
        yield request[0].content[:KEPT] + START, f"\n{item_format.SEPARATOR}\n".join(items) + END


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
    """Return padded tokens and labels, with loss on the replies only."""
    both = [(tokenizer.encode(asked), tokenizer.encode(reply)) for asked, reply in pairs]
    longest = max(len(asked) + len(reply) for asked, reply in both)
    batch: dict[str, list[list[int]]] = {"input_ids": [], "labels": [], "attention_mask": []}
    for asked, reply in both:
        rest = longest - len(asked) - len(reply)
        batch["input_ids"].append(asked + reply + [tokenizer.pad_token_id] * rest)
        batch["labels"].append([-100] * len(asked) + reply + [-100] * rest)
        batch["attention_mask"].append([1] * (longest - rest) + [0] * rest)
    return {name: torch.tensor(rows) for name, rows in batch.items()}
