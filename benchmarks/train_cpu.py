"""Useful tokens per CPU second of instruction tuning: ours, the original code, a bare loop, and TRL.

    python benchmarks/train_cpu.py [--trl-python ENVIRONMENT/bin/python]

One thread, one tiny Llama with the same adapter (LoRA on attention and MLP, trained copies of embeddings and
head), the same rows, about the same number of useful tokens per step. A useful token is one of a row, not
padding. The trainers take turns, so that the load of the machine affects all of them; each result is the
median of its turns.

    original     transformers' Trainer, batches of 8 rows padded to the longest, loss on every token
    ours         Alif's stage 2: packed rows, loss on the answer
    bare         the same packed rows, attention and loss in a hand-written loop: an upper bound
    bare plain   the same packed rows in a hand-written loop with the library's attention and all logits
    trl          TRL's SFTTrainer with packing (bfd) and completion-only loss
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
import numpy as np
import torch
from torch.nn import functional
from transformers import (
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from alif import sources
from alif.language import pack as languages
from alif.records import Dropped, Example
from alif.runs import Run, make_context
from alif.settings import Adapter, Finetune, Runtime, Tiny
from alif.student import adapter as adapters
from alif.student import tiny as tinies
from alif.student.attention import PER_DOCUMENT
from alif.student.chat_template import ALPACA, ALPACA_INPUT
from alif.student.device import setup_torch
from alif.train import trainer
from alif.train.finetune import encode_example
from alif.train.loss import labelled_loss
from alif.train.packing import (
    IGNORE,
    PackedDataset,
    PackedRows,
    Segment,
    collate,
    pack_segments,
    sample_order,
)
from alif.train.training_callback import TrainingCallback

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data"
SHAPE = Tiny(vocabulary=2048, width=128, feed_forward=344, layers=2, max_seq_length=1024)
ADAPTER = Adapter(rank=16, alpha=16)
LENGTH = 1024
"""Tokens of a packed row; longer texts are left out for every trainer."""
ROWS_AT_ONCE = 1
BATCH, ACCUMULATED = 8, 8
"""Source: traversaal-ai/alif-urdu-llm@67a6a01/Training/train_ft.py."""
WARM_UP = 2
"""Steps that are not measured."""
GOALS = {"ours / original": 2.0, "ours / bare": 0.95}


@dataclass(frozen=True)
class Work:
    """The model, data and settings that all trainers get."""

    base: LlamaForCausalLM
    tokenizer: PreTrainedTokenizerFast
    pieces: Sequence[Segment]
    packs: PackedDataset
    stage: Finetune
    steps: int

    def student(self) -> Any:
        """Return the base with a fresh adapter."""
        model = LlamaForCausalLM(self.base.config)
        model.load_state_dict(self.base.state_dict())
        return adapters.add_adapter(model, ADAPTER)


class Clock:
    """Records CPU time and useful tokens at the end of each step."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, int]] = []
        self.tokens = 0

    def mark(self) -> None:
        self.marks.append((time.process_time(), self.tokens))

    def rate(self) -> float:
        """Return useful tokens per CPU second after the warm-up."""
        (began, before), (ended, after) = self.marks[WARM_UP - 1], self.marks[-1]
        return (after - before) / (ended - began)


def read_rows() -> tuple[list[Example], list[str]]:
    """Return the instruction rows of the packs and of ../shared/data where it exists, and their sources."""
    found: list[Example] = []
    names = []
    own = [
        (language.code, path)
        for language in (languages.load_pack("en"), languages.load_pack("ur"))
        for path in sorted(
            [*language.folder.glob("demo/rows.jsonl"), *language.folder.glob("demo/candidates/*.jsonl")]
        )
    ]
    known = languages.load_pack("en").code
    shared = [(known, path) for path in sorted(SHARED.glob("instruct/[dl]*.en.jsonl.gz"))]
    for code, path in (*own, *shared):
        read = list(
            sources.read_examples([path.name], str(path.parent), language=code, task="x", kind="source")
        )
        found += [row for row in read if not isinstance(row, Dropped)]
        names.append(f"{code}/{path.name}")
    return found, names


def prepare(steps: int) -> tuple[Work, dict[str, Any]]:
    """Return the model, data and settings, and their description for the result."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    examples, names = read_rows()
    texts = [text for row in examples for text in (row.instruction, row.input, row.output)]
    tokenizer = tinies.train_tokenizer([*texts, *(ALPACA, ALPACA_INPUT) * 16], SHAPE.vocabulary)
    pieces = [encode_example(row, "alpaca", tokenizer) for row in examples]
    pieces = [one for one in pieces if len(one.tokens) <= LENGTH]
    mixed = [pieces[index] for index in np.random.default_rng(0).permutation(len(pieces))]
    packs = pack_segments(mixed, LENGTH, tokenizer.eos_token_id)
    sizes = [len(one.tokens) for one in mixed]
    per_step = round(statistics.mean(sizes) * BATCH * ACCUMULATED / LENGTH / ROWS_AT_ONCE) * ROWS_AT_ONCE
    stage = Finetune(
        epochs=steps * per_step / len(packs),
        max_seq_length=LENGTH,
        batch_size=per_step,
        micro_batch_size=ROWS_AT_ONCE,
    )
    base = tinies.build_tiny(SHAPE, tokenizer)
    description = {
        "model": {
            "parameters": base.num_parameters(),
            **SHAPE.model_dump(include={"width", "layers", "vocabulary"}),
        },
        "adapter": ADAPTER.model_dump(include={"rank", "targets"}),
        "rows": len(mixed),
        "sources": names,
        "tokens_of_a_row": {
            "mean": round(statistics.mean(sizes), 1),
            "median": statistics.median(sizes),
            "max": max(sizes),
        },
        "fill_of_packed_rows": round(packs.fill, 4),
        "padding_in_batches_of_8": round(1 - _useful_share(sizes), 4),
        "steps": steps,
        "rows_in_a_packed_step": per_step,
    }
    return Work(base, tokenizer, mixed, packs, stage, steps), description


def _useful_share(sizes: Sequence[int]) -> float:
    batches = [sizes[at : at + BATCH] for at in range(0, len(sizes), BATCH)]
    return sum(sizes) / sum(len(batch) * max(batch) for batch in batches)


def original(work: Work, folder: Path) -> float:
    """Train as the paper's code does: padded batches of 8, gradients of 8 batches, loss on every token."""
    clock = Clock()

    def padded(some: Sequence[Segment]) -> dict[str, torch.Tensor]:
        longest = max(len(one.tokens) for one in some)
        tokens = torch.full((len(some), longest), work.tokenizer.eos_token_id)
        mask = torch.zeros_like(tokens)
        for row, one in enumerate(some):
            tokens[row, : len(one.tokens)] = torch.tensor(one.tokens)
            mask[row, : len(one.tokens)] = 1
        clock.tokens += int(mask.sum())
        return {"input_ids": tokens, "attention_mask": mask, "labels": tokens.masked_fill(mask == 0, IGNORE)}

    class Marks(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            clock.mark()

    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=work.steps,
        per_device_train_batch_size=BATCH,
        gradient_accumulation_steps=ACCUMULATED,
        learning_rate=work.stage.lr,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=True,
        dataloader_pin_memory=False,
        optim="adamw_torch",
    )
    some: Any = list(work.pieces)
    Trainer(
        model=work.student(), args=arguments, train_dataset=some, data_collator=padded, callbacks=[Marks()]
    ).train()
    return clock.rate()


def ours(work: Work, folder: Path) -> float:
    """Train as the step `finetune` does."""
    clock = Clock()
    original_method: Any = TrainingCallback.on_step_end

    def on_step_end(callback: TrainingCallback, *args: Any, **kwargs: Any) -> None:
        original_method(callback, *args, **kwargs)
        clock.tokens = callback.tokens
        clock.mark()

    runtime = Runtime(device="cpu", threads=1, checkpoint_steps=10**6)
    context, device = make_context(Run(folder), "finetune", runtime), setup_torch(runtime)
    TrainingCallback.on_step_end = on_step_end  # type: ignore[assignment, method-assign]  # put back below
    try:
        trainer.fit_model(work.student(), work.packs, work.stage, context, device=device, key="benchmark")
    finally:
        TrainingCallback.on_step_end = original_method  # type: ignore[method-assign]
    return clock.rate()


def _bare(work: Work, loss: Callable[[Any, dict[str, torch.Tensor]], torch.Tensor]) -> float:
    """Train on the same rows in the same order with a plain loop."""
    clock = Clock()
    model = work.student().train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=work.stage.lr)
    sequence = sample_order(len(work.packs), work.stage.epochs, work.stage.seed)
    data, per_step = PackedRows(work.packs, sequence), work.stage.batch_size
    for start in range(0, len(sequence), per_step):
        batches = [
            collate([data[at + row] for row in range(ROWS_AT_ONCE)])
            for at in range(start, min(start + per_step, len(sequence) - ROWS_AT_ONCE + 1), ROWS_AT_ONCE)
        ]
        labelled = sum(int((batch["labels"] != IGNORE).sum()) for batch in batches)
        for batch in batches:
            (loss(model, batch) / labelled).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.tokens += int(work.packs.used[sequence[start : start + per_step]].sum())
        clock.mark()
    return clock.rate()


def bare(work: Work, folder: Path) -> float:
    """Train in a hand-written loop with Alif's attention and loss."""

    def loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        causal = model.get_base_model()
        causal.set_attn_implementation(PER_DOCUMENT)
        context = {key: part for key, part in batch.items() if key != "labels"}
        weight, bias = adapters.output_head(causal)
        return labelled_loss(
            causal.model(**context, use_cache=False).last_hidden_state, weight, bias, batch["labels"]
        )

    return _bare(work, loss)


def bare_plain(work: Work, folder: Path) -> float:
    """Train in a hand-written loop with the library's attention and all logits."""

    def loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        logits = model(
            input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False
        ).logits
        flat = logits[:, :-1].reshape(-1, logits.shape[-1])
        return functional.cross_entropy(
            flat, batch["labels"][:, 1:].reshape(-1), ignore_index=IGNORE, reduction="sum"
        )

    return _bare(work, loss)


def trl(python: Path, work: Work, folder: Path) -> tuple[float, dict[str, str]]:
    """Train with TRL in another environment; return its rate and versions."""
    work.base.save_pretrained(folder / "base")
    work.tokenizer.save_pretrained(folder / "base")
    data = folder / "rows.jsonl"
    lines = ({"input_ids": list(one.tokens), "completion_mask": _completion_mask(one)} for one in work.pieces)
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings = {
        "base": str(folder / "base"), "rows": str(data), "length": LENGTH, "rows_at_once": ROWS_AT_ONCE,
        "rows_per_step": work.stage.batch_size, "steps": work.steps, "warm_up": WARM_UP, "lr": work.stage.lr,
        "rank": ADAPTER.rank, "alpha": ADAPTER.alpha,
    }  # fmt: skip
    done = subprocess.run(
        [str(python), str(HERE / "train_cpu_trl.py"), json.dumps(settings)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"TRL failed:\n{done.stderr[-3000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["rate"], found["versions"]


def _completion_mask(one: Segment) -> list[int]:
    mask = np.zeros(len(one.tokens), dtype=int)
    for start, end in one.labelled:
        mask[start:end] = 1
    return list(map(int, mask))


def main() -> None:
    """Run the trainers in turns and write the result."""
    parser = measure.arguments(__doc__, "train_cpu")
    parser.add_argument("--trl-python", type=Path, help="python of an environment that holds trl")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    work, description = prepare(options.steps + WARM_UP)
    trainers: dict[str, Callable[[Work, Path], float]] = {
        "original": original, "ours": ours, "bare": bare, "bare plain": bare_plain,
    }  # fmt: skip
    versions: dict[str, str] = {}

    def train_trl(work: Work, folder: Path) -> float:
        rate, found = trl(options.trl_python, work, folder)
        versions.update(found)
        return rate

    if options.trl_python:
        trainers["trl"] = train_trl
    rates: dict[str, list[float]] = {name: [] for name in trainers}
    for turn in range(options.turns):
        for name, train in trainers.items():
            with tempfile.TemporaryDirectory() as folder:
                rates[name].append(round(train(work, Path(folder)), 1))
            rate = f"{rates[name][-1]:>9,.1f} useful tokens per CPU second"
            print(f"turn {turn + 1}: {name:>10} {rate}", flush=True)
    median = {name: statistics.median(found) for name, found in rates.items()}
    ratios = {f"ours / {name}": round(median["ours"] / median[name], 3) for name in rates if name != "ours"}
    measured = {
        **description,
        "tokens_per_cpu_s": {name: {"median": median[name], "turns": rates[name]} for name in rates},
        "ratios": ratios,
        "goals": {
            name: {"at_least": least, "reached": ratios[name] >= least} for name, least in GOALS.items()
        },
        "trl_versions": versions or "not measured: no --trl-python",
    }
    measure.write(options.json, measure.result("train_cpu", measured))
    print(json.dumps(ratios, indent=2))


if __name__ == "__main__":
    main()
