"""Stage 1: continued pre-training of the base on the corpus of the taught language.

    runs/NAME/pretrain/adapter/    the adapter in PEFT's format

Each document is its text between the base's opening token, where it has one, and its end of text; every token
after the first is predicted. `pretrain.replay` of the stage's tokens are documents of the source language,
against forgetting.
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
    segments: list[Segment] = []
    for one in (*taught, *replayed):
        if pretrain.packing == "packed":
            segments += split_segments(one.id, one.tokens, pretrain.max_seq_length)
        else:
            segments.append(Segment(one.id, one.tokens))
    dataset = pack_rows(segments, pretrain, base.tokenizer.eos_token_id, context.scratch)
    model = adapters.add_adapter(base.model, adapter)
    heldout, start = None, adapter.model_dump_json()
    if pretrain.eval_steps:
        code = languages.load_pack(language.pack).code
        heldout = heldout_documents(heldout_rows(context.inputs["corpus"], Document), code, pretrain, base)
    facts = train_stage(
        context, base.base, model, dataset, pretrain, device=device, start=start, heldout=heldout
    )
    replay_tokens = _count_tokens(replayed)
    share = replay_tokens / (_count_tokens(taught) + replay_tokens)
    return PretrainFacts(replay_documents=len(replayed), replay_share=round(share, 4), **facts.model_dump())


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
    if pretrain.replay:
        available = _encode([row for row in documents if row.language == source], base, context)
        wanted = _count_tokens(taught) * pretrain.replay / (1 - pretrain.replay)
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
