"""Stage 1: continued pre-training of the base on the corpus of the language that is taught.

    runs/NAME/pretrain/adapter/    the adapter in PEFT's format

Each document is its text between the base's opening token, where it has one, and its end of text; every token after the first
is predicted. `pretrain.replay` of the stage's tokens are known-language documents, against forgetting.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alif import console, settings
from alif.errors import DataError
from alif.language import pack as languages
from alif.records import Counts, Document
from alif.runs import StepContext
from alif.student import adapter as adapters
from alif.student import distributed
from alif.student.base import LoadedBase, open_base
from alif.student.device import setup_torch
from alif.train.heldout_eval import HeldOutEval, heldout_documents
from alif.train.packing import Segment, split_segments
from alif.train.splits import heldout_rows, training_rows
from alif.train.stage import check_length, lay_out_rows, train_stage
from alif.train.token_cache import tokenise_documents

__all__ = ["train_pretrain"]


@dataclass(frozen=True)
class StageText:
    """A document in tokens."""

    id: str
    tokens: npt.NDArray[np.int32]


def train_pretrain(
    context: StepContext, language: settings.Language, adapter: settings.Adapter, pretrain: settings.Pretrain
) -> Counts:
    """Do the step.

    Raises:
        DataError: the corpus has no training document of the taught language.
        ModelError: the base is missing or another one; the loss is not a number.
    """
    where = setup_torch(context.runtime)
    bare = open_base(context.inputs["base"], where, training=True)
    check_length(bare, "pretrain", pretrain)
    taught, replayed = _texts(context, language, pretrain, bare)
    pieces = [piece for text in (*taught, *replayed) for piece in _pieces(text, pretrain)]
    packs = lay_out_rows(pieces, pretrain, bare.tokenizer.eos_token_id, context.scratch)
    wrapped = adapters.add_adapter(bare.model, adapter)
    looks = _looks(context, language, pretrain, bare) if pretrain.eval_steps else None
    facts = train_stage(
        context,
        bare.base,
        wrapped,
        packs,
        pretrain,
        where=where,
        start=adapter.model_dump_json(),
        looks=looks,
    )
    tokens, replay_tokens = _size(taught), _size(replayed)
    count = len(taught) + len(replayed)
    return Counts(
        rows_in=count,
        kept=count,
        facts={
            **facts,
            "replay_documents": len(replayed),
            "replay_share": round(replay_tokens / (tokens + replay_tokens), 4),
        },
    )


def _pieces(text: StageText, pretrain: settings.Pretrain) -> Iterator[Segment]:
    """Yield a text in pieces that fit a row; padded rows take it whole, and cut off the rest."""
    if pretrain.packing == "packed":
        yield from split_segments(text.id, text.tokens, pretrain.max_seq_length)
    else:
        yield Segment(text.id, text.tokens)


def _looks(
    context: StepContext, language: settings.Language, pretrain: settings.Pretrain, bare: LoadedBase
) -> HeldOutEval:
    held_out = heldout_rows(context.inputs["corpus"], Document)
    return heldout_documents(held_out, languages.load_pack(language.pack).code, pretrain, bare.tokenizer)


def _texts(
    context: StepContext, language: settings.Language, pretrain: settings.Pretrain, bare: LoadedBase
) -> tuple[list[StageText], list[StageText]]:
    """Return the documents of the taught language, and those of the known one that are replayed."""
    own, known = languages.load_pack(language.pack).code, languages.load_pack(language.source).code
    documents = training_rows(context.inputs["corpus"], Document)
    taught = _encode([document for document in documents if document.language == own], bare, context)
    if not taught:
        raise DataError(
            f"{context.inputs['corpus']}: no training document of {own}", "Name some in corpus.source."
        )
    if not pretrain.replay:
        return taught, []
    there = _encode([document for document in documents if document.language == known], bare, context)
    wanted = _size(taught) * pretrain.replay / (1 - pretrain.replay)
    replayed = _draw(there, wanted, pretrain.seed)
    if _size(replayed) < wanted:
        console.log(
            f"pretrain: only {_size(replayed):,} of {wanted:,.0f} tokens to replay are in the corpus; all are used"
        )
    return taught, replayed


def _encode(documents: Sequence[Document], bare: LoadedBase, context: StepContext) -> list[StageText]:
    with distributed.main_process_first():
        encoded = tokenise_documents(
            [document.text for document in documents], bare.tokenizer, context.scratch, bare.base.digest
        )
    return [StageText(document.id, tokens) for document, tokens in zip(documents, encoded, strict=True)]


def _draw(texts: Sequence[StageText], wanted: float, seed: int) -> list[StageText]:
    """Draw texts by lot until they hold `wanted` tokens, or all are drawn."""
    mixed = [texts[index] for index in np.random.default_rng(seed).permutation(len(texts))]
    before = itertools.accumulate((len(text.tokens) for text in mixed), initial=0)
    return [text for text, size in zip(mixed, before, strict=False) if size < wanted]


def _size(texts: Sequence[StageText]) -> int:
    return sum(len(text.tokens) for text in texts)
