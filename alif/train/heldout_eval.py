"""Looks at held-out texts while a stage trains: bits per byte in each language, and what the model writes by now.

    {"step": 50, "loss": 3.1, …, "bits_per_byte": {"ur": 1.71, "en": 1.93}, "samples": [{"prompt": "…", "text": "…"}]}

A look draws no random number and changes no weight, so that a run with looks equals one without to the bit. The evaluation
after training measures more, and on more texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from alif.records import Document, Example
from alif.settings import Stage
from alif.student import distributed, encode_documents, encode_prompt, write_prompt
from alif.student.chat_template import Template
from alif.student.device import DeviceConfig
from alif.train.loss import ChunkedLossModel
from alif.train.packing import PackedDataset, PackedRows, Segment, collate, pack_segments, split_segments

__all__ = ["HeldOutEval", "HeldOutText", "evaluate_heldout", "heldout_answers", "heldout_documents"]

OPENING = 16
"""Tokens of a held-out document that a sample begins with."""
WRITTEN = 48
"""Tokens of a sample."""


@dataclass(frozen=True)
class HeldOutText:
    """Held-out texts of one language, packed."""

    packs: PackedDataset
    bytes: int
    """UTF-8 bytes of what is predicted."""


@dataclass(frozen=True)
class HeldOutEval:
    """What a stage looks at."""

    taught: str
    """The language by which the stage may stop early."""
    texts: Mapping[str, HeldOutText]
    prompts: Sequence[Sequence[int]]
    tokenizer: PreTrainedTokenizerBase


def heldout_documents(
    held_out: Sequence[Document], taught: str, stage: Stage, tokenizer: PreTrainedTokenizerBase
) -> HeldOutEval:
    """Look at documents: every token but the end of text counts, as in the evaluation."""
    texts: dict[str, HeldOutText] = {}
    prompts: list[Sequence[int]] = []
    for language, chosen in _by_language(held_out, stage):
        encoded = [
            _open(tokens[:-1], tokenizer)
            for tokens in encode_documents([row.text for row in chosen], tokenizer)
        ]
        pieces = [
            piece
            for row, tokens in zip(chosen, encoded, strict=True)
            for piece in split_segments(row.id, tokens, stage.max_seq_length)
        ]
        if pieces:
            size = sum(len(row.text.encode()) for row in chosen)
            texts[language] = HeldOutText(
                pack_segments(pieces, stage.max_seq_length, _filler(tokenizer)), size
            )
        if language == taught:
            prompts = [tokens[:OPENING] for tokens in encoded[: stage.eval_samples]]
    return HeldOutEval(taught, texts, prompts, tokenizer)


def heldout_answers(
    held_out: Sequence[tuple[Example, Segment]],
    taught: str,
    stage: Stage,
    template: Template,
    tokenizer: PreTrainedTokenizerBase,
) -> HeldOutEval:
    """Look at answers: their tokens and their end count, the prompts do not."""
    pieces = {row.id: piece for row, piece in held_out if len(piece.tokens) <= stage.max_seq_length}
    texts: dict[str, HeldOutText] = {}
    prompts: list[Sequence[int]] = []
    for language, chosen in _by_language([row for row, _ in held_out if row.id in pieces], stage):
        size = sum(len(row.output.encode()) for row in chosen)
        packs = pack_segments([pieces[row.id] for row in chosen], stage.max_seq_length, _filler(tokenizer))
        texts[language] = HeldOutText(packs, size)
        if language == taught:
            asked = [
                write_prompt(row.instruction, row.input, template, tokenizer)
                for row in chosen[: stage.eval_samples]
            ]
            prompts = [encode_prompt(prompt, tokenizer) for prompt in asked]
    return HeldOutEval(taught, texts, prompts, tokenizer)


def evaluate_heldout(learner: ChunkedLossModel, looks: HeldOutEval, where: DeviceConfig) -> dict[str, Any]:
    """Return {"bits_per_byte": {language: …}, "samples": [{"prompt", "text"}]} of the weights as they are now."""
    mixed = torch.autocast(where.device.type, where.dtype, enabled=where.dtype != torch.float32)
    learner.eval()
    try:
        with torch.no_grad(), mixed, distributed.unsharded(learner):
            bits = {language: _bits(learner, texts, where) for language, texts in looks.texts.items()}
            samples = [_sample(learner, prompt, looks.tokenizer, where) for prompt in looks.prompts]
    finally:
        learner.train()
    return {"bits_per_byte": bits, "samples": samples}


def _by_language(rows: Sequence[Any], stage: Stage) -> Iterator[tuple[str, list[Any]]]:
    """Yield each language with its texts of a look, drawn by lot."""
    mixed = [rows[index] for index in np.random.default_rng(stage.seed).permutation(len(rows))]
    for language in sorted({row.language for row in rows}):
        yield language, [row for row in mixed if row.language == language][: stage.eval_texts]


def _open(tokens: list[int], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Set something before a text, so that its first token is predicted too."""
    return tokens if tokens and tokens[0] == tokenizer.bos_token_id else [_filler(tokenizer), *tokens]


def _filler(tokenizer: PreTrainedTokenizerBase) -> int:
    end: int = tokenizer.eos_token_id
    return end


def _bits(learner: ChunkedLossModel, texts: HeldOutText, where: DeviceConfig) -> float:
    rows = PackedRows(texts.packs, np.arange(len(texts.packs)))
    nats = 0.0
    for index in range(len(rows)):
        batch = {
            key: part.to(where.device) if isinstance(part, torch.Tensor) else part
            for key, part in collate([rows[index]]).items()
        }
        nats += float(learner(**batch, num_items_in_batch=1)["loss"])
    return round(distributed.all_reduce_mean(nats) / math.log(2) / texts.bytes, 4)


def _sample(
    learner: ChunkedLossModel, prompt: Sequence[int], tokenizer: PreTrainedTokenizerBase, where: DeviceConfig
) -> dict[str, str]:
    model: Any = learner.model
    tokens = torch.tensor([list(prompt)], device=where.device)
    end = _filler(tokenizer)
    made = model.generate(
        input_ids=tokens, max_new_tokens=WRITTEN, do_sample=False, pad_token_id=end, eos_token_id=end
    )
    written = made[0, len(prompt) :]
    return {
        "prompt": str(tokenizer.decode(list(prompt), skip_special_tokens=True)),
        "text": str(tokenizer.decode(written, skip_special_tokens=True)),
    }
