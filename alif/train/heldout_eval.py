"""Evaluation on held-out text while a stage trains: bits per byte by language, and samples.

    {"step": 50, …, "bits_per_byte": {"ur": 1.71, "en": 1.93}, "samples": [{"prompt": "…", "text": "…"}]}

It draws no random number and changes no weight, so a run with it equals one without bit by bit. The step
`evaluate` measures more, and on more texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch

from alif.records import Document, Example
from alif.runs.curves import CurvePoint
from alif.settings import Stage
from alif.student import Student, distributed, encode_prompt, write_prompt
from alif.student.base import LoadedBase
from alif.student.chat_template import Template, encode_example_parts
from alif.student.device import DeviceConfig
from alif.student.likelihood import LikelihoodInput, document_inputs, target_bits
from alif.student.text_generation import generate_texts
from alif.train.loss import ChunkedLossModel

__all__ = ["HeldOutEval", "HeldOutText", "evaluate_heldout", "heldout_answers", "heldout_documents"]

PROMPT_TOKENS = 16
"""Tokens of a held-out document that a sample begins with."""
SAMPLE_TOKENS = 48

Row = TypeVar("Row", Document, Example)


@dataclass(frozen=True)
class HeldOutText:
    """Held-out text of one language."""

    inputs: Sequence[LikelihoodInput]
    bytes: int
    """UTF-8 bytes of the targets."""


@dataclass(frozen=True)
class HeldOutEval:
    """What a stage is evaluated on."""

    base: LoadedBase
    taught: str
    """The language by which the stage may stop early."""
    window: int
    """Longest stretch that is read at once, in tokens."""
    texts: Mapping[str, HeldOutText]
    prompts: Sequence[Sequence[int]]


def heldout_documents(rows: Sequence[Document], taught: str, stage: Stage, base: LoadedBase) -> HeldOutEval:
    """Evaluate documents: every token but the end of text counts, as in the step `evaluate`."""
    texts: dict[str, HeldOutText] = {}
    prompts: list[Sequence[int]] = []
    for language, chosen in _by_language(rows, stage):
        inputs = document_inputs([row.text for row in chosen], base.tokenizer)
        if any(one.target for one in inputs):
            texts[language] = HeldOutText(inputs, sum(len(row.text.encode()) for row in chosen))
        if language == taught:
            prompts = [[*one.context, *one.target][:PROMPT_TOKENS] for one in inputs[: stage.eval_samples]]
    return HeldOutEval(base, taught, stage.max_seq_length, texts, prompts)


def heldout_answers(
    rows: Sequence[Example], taught: str, stage: Stage, base: LoadedBase, template: Template
) -> HeldOutEval:
    """Evaluate answers: their tokens and their end count, the prompts do not."""
    inputs: dict[str, LikelihoodInput] = {}
    for row in rows:
        *before, (answer, _) = encode_example_parts(row, template, base.tokenizer)
        one = LikelihoodInput([token for tokens, _ in before for token in tokens], answer)
        if len(one) <= stage.max_seq_length:
            inputs[row.id] = one
    texts: dict[str, HeldOutText] = {}
    prompts: list[Sequence[int]] = []
    for language, chosen in _by_language([row for row in rows if row.id in inputs], stage):
        size = sum(len(row.output.encode()) for row in chosen)
        texts[language] = HeldOutText([inputs[row.id] for row in chosen], size)
        if language == taught:
            prompts = [
                encode_prompt(
                    write_prompt(row.instruction, row.input, template, base.tokenizer, row.turns),
                    base.tokenizer,
                )
                for row in chosen[: stage.eval_samples]
            ]
    return HeldOutEval(base, taught, stage.max_seq_length, texts, prompts)


def _by_language(rows: Sequence[Row], stage: Stage) -> Iterator[tuple[str, list[Row]]]:
    """Yield each language with a seeded sample of `eval_texts` of its rows."""
    mixed = [rows[index] for index in np.random.default_rng(stage.seed).permutation(len(rows))]
    for language in sorted({row.language for row in rows}):
        yield language, [row for row in mixed if row.language == language][: stage.eval_texts]


def evaluate_heldout(learner: ChunkedLossModel, heldout: HeldOutEval, device: DeviceConfig) -> CurvePoint:
    """Return bits per byte by language, and samples, of the weights as they are now."""
    base = heldout.base
    model: Any = learner.model
    student = Student(model, base.tokenizer, base.base, device.device)
    autocast = torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32)
    learner.eval()
    try:
        with torch.no_grad(), autocast, distributed.unsharded(learner):
            bits = {
                language: sum(target_bits(student, text.inputs, heldout.window))
                for language, text in heldout.texts.items()
            }
            written = generate_texts(student, heldout.prompts, SAMPLE_TOKENS)
    finally:
        learner.train()
    prompts = [str(base.tokenizer.decode(list(one), skip_special_tokens=True)) for one in heldout.prompts]
    return {
        "bits_per_byte": {
            language: round(distributed.all_reduce_mean(total) / heldout.texts[language].bytes, 4)
            for language, total in bits.items()
        },
        "samples": [
            {"prompt": prompt, "text": one.text} for prompt, one in zip(prompts, written, strict=True)
        ],
    }
