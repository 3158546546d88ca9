"""Stage 1: continued pre-training of the base on the corpus of the taught language.

    runs/NAME/pretrain/adapter/    the adapter in PEFT's format

Each document is its text between the base's opening token, where it has one, and its end of text; every token
after the first is predicted. `pretrain.replay` of the stage's tokens are documents of the source language,
against forgetting; with `pretrain.replay_end` more of them at one end of the stage than at the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alif import console, settings
from alif.errors import DataError
from alif.facts.training_facts import PretrainFacts
from alif.language import pack as languages
from alif.records import Document
from alif.runs import StepContext
from alif.runs.splits import heldout_rows, training_rows
from alif.student import adapter as adapters
from alif.student import distributed
from alif.student.base import LoadedBase, open_base
from alif.student.device import setup_torch
from alif.train.heldout_eval import heldout_documents
from alif.train.packing import Segment, split_segments
from alif.train.replay_order import measure_ends, order_by_share
from alif.train.stage import pack_rows, train_stage
from alif.train.student_check import check_length
from alif.train.token_cache import tokenise_documents

__all__ = ["train_pretrain"]


@dataclass(frozen=True)
class EncodedDocument:
    """A document in tokens."""

    id: str
    tokens: npt.NDArray[np.int32]


def train_pretrain(
    context: StepContext, language: settings.Language, adapter: settings.Adapter, pretrain: settings.Pretrain
) -> PretrainFacts:
    """Run the step.

    Raises:
        DataError: the corpus has no training document of the taught language.
        ModelError: the base is missing or another one; the loss is not a number.
    """
    device = setup_torch(context.runtime)
    base = open_base(context.inputs["base"], device, training=True)
    check_length(base.base.base, base.model.config, "pretrain", pretrain)
    taught, replayed = _select_documents(context, language, pretrain, base)
    segments, apart = _cut_documents(taught, pretrain), _cut_documents(replayed, pretrain)
    if pretrain.replay_end is None:
        segments, apart = segments + apart, []
    dataset = pack_rows(segments, pretrain, base.tokenizer.eos_token_id, context.scratch, apart=apart)
    order: npt.NDArray[np.int64] | None = None
    replay_ends: dict[str, float] = {}
    if pretrain.replay_end is not None:
        names = {one.name for one in apart}
        is_replay = np.array([row[0] in names for row in dataset.names])
        order = order_by_share(is_replay, pretrain)
        first, last = measure_ends(is_replay[order], dataset.used[order])
        console.log(f"pretrain: {first:.1%} of the first tenth's tokens are replayed, {last:.1%} of the last")
        replay_ends = {"replay_first": round(first, 4), "replay_last": round(last, 4)}
    model = adapters.add_adapter(base.model, adapter)
    heldout, start = None, adapter.model_dump_json()
    if pretrain.eval_steps:
        code = languages.load_pack(language.pack).code
        heldout = heldout_documents(heldout_rows(context.inputs["corpus"], Document), code, pretrain, base)
    facts = train_stage(
        context, base.base, model, dataset, pretrain, device=device, start=start, order=order, heldout=heldout
    )
    replay_tokens = _count_tokens(replayed)
    share = replay_tokens / (_count_tokens(taught) + replay_tokens)
    return PretrainFacts(
        replay_documents=len(replayed), replay_share=round(share, 4), **replay_ends, **facts.model_dump()
    )


def _cut_documents(documents: Sequence[EncodedDocument], pretrain: settings.Pretrain) -> list[Segment]:
    """Return the texts of rows: long documents are split where rows are packed."""
    if pretrain.packing == "padded":
        return [Segment(one.id, one.tokens) for one in documents]
    length = pretrain.max_seq_length
    return [piece for one in documents for piece in split_segments(one.id, one.tokens, length)]


def _select_documents(
    context: StepContext, language: settings.Language, pretrain: settings.Pretrain, base: LoadedBase
) -> tuple[list[EncodedDocument], list[EncodedDocument]]:
    """Return the documents of the taught language, and those of the source language that are replayed."""
    own, source = (languages.load_pack(name).code for name in (language.pack, language.source))
    documents = training_rows(context.inputs["corpus"], Document)
    taught = _encode([document for document in documents if document.language == own], base, context)
    if not taught:
        raise DataError(
            f"{context.inputs['corpus']}: no training document of {own}", "Name some in corpus.source."
        )
    replayed: list[EncodedDocument] = []
    if share := pretrain.mean_replay:
        available = _encode([row for row in documents if row.language == source], base, context)
        wanted = _count_tokens(taught) * share / (1 - share)
        mixed = [available[at] for at in np.random.default_rng(pretrain.seed).permutation(len(available))]
        before = itertools.accumulate((len(one.tokens) for one in mixed), initial=0)
        replayed = [one for one, size in zip(mixed, before, strict=False) if size < wanted]
        if (found := _count_tokens(replayed)) < wanted:
            console.log(
                f"pretrain: only {found:,} of {wanted:,.0f} tokens to replay are in the corpus; all are used"
            )
    used = {document.id for document in (*taught, *replayed)}
    for document in context.output.read(documents):
        if document.id in used:
            context.output.keep(None)
        else:
            context.output.not_sampled(document)
    return taught, replayed


def _encode(documents: Sequence[Document], base: LoadedBase, context: StepContext) -> list[EncodedDocument]:
    texts = [document.text for document in documents]
    with distributed.main_process_first():
        encoded = tokenise_documents(texts, base.tokenizer, context.scratch, base.base.digest)
    return [EncodedDocument(row.id, tokens) for row, tokens in zip(documents, encoded, strict=True)]


def _count_tokens(documents: Sequence[EncodedDocument]) -> int:
    return sum(len(one.tokens) for one in documents)
