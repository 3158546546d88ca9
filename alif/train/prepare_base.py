"""Step `base`: make the tiny base model from nothing, or record a published one.

    runs/NAME/base/base.json    what it is: name, commit, parameters, digest
    runs/NAME/base/model/       for "tiny", and with student.added_tokens: config, weights, tokenizer, as save_pretrained leaves

The tiny base reads the known language only, with the packer and the trainer of stage 1, so that the run has what a real one
has: a model that knows one language, and something to forget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from alif import console, settings, store
from alif.errors import DataError
from alif.language import pack as languages
from alif.records import Counts, Document
from alif.runs import StepContext
from alif.student import base as bases
from alif.student import encode_documents, fertility
from alif.student import tiny as tinies
from alif.student.base import Base
from alif.student.chat_template import ALPACA, ALPACA_INPUT
from alif.student.device import setup_torch
from alif.student.weights import friendly_disk_errors
from alif.train.packing import pack_segments, split_segments
from alif.train.splits import training_rows
from alif.train.trainer import checkpoint_key, fit_model

__all__ = ["prepare_base"]

WEIGHT_DECAY = 0.1
"""Of the tiny base. Source: GPT-3, arXiv 2005.14165, appendix B."""
WARMUP_STEPS = 20
TEMPLATE_COPIES = 16
"""How often the tokenizer is shown the prompts' headings: they stand in every row of stage 2, and should cost few tokens."""


def prepare_base(
    context: StepContext, language: settings.Language, student: settings.Student, tiny: settings.Tiny
) -> Counts:
    """Do the step.

    Raises:
        ModelError: a published base that cannot be found, opened or used.
        DataError: the corpus has no document of the known language to train the tiny base on.
    """
    documents = training_rows(context.inputs["corpus"], Document)
    by_language = _texts(documents, language)
    rows, facts = 0, dict[str, Any]()
    if student.base == bases.TINY:
        known = languages.load_pack(language.source).code
        chosen = [document for document in documents if document.language == known]
        if not chosen:
            raise DataError(
                f"{context.inputs['corpus']}: no training document of the known language, {known}",
                "The tiny base is trained on them: name some in corpus.source_language_files.",
            )
        base, tokenizer, facts = _make(context, tiny, documents, chosen)
        rows = len(chosen)
    else:
        base = bases.inspect_base(student)
        tokenizer = bases.load_tokenizer(base)
    facts |= fertility.compare_fertility(tokenizer, by_language)
    if student.added_tokens:
        base, more = _extend(context, language, student, base, by_language)
        facts |= more
    base = base.model_copy(update={"quantise": student.quantization})
    store.write_json(context.folder / "base.json", base.model_dump(mode="json"))
    console.log(f"base: {base.base}, {base.parameters:,} parameters")
    return Counts(rows_in=rows, kept=rows, facts={**base.model_dump(mode="json"), **facts})


def _extend(
    context: StepContext,
    language: settings.Language,
    student: settings.Student,
    base: Base,
    by_language: Mapping[languages.Pack, list[str]],
) -> tuple[Base, dict[str, Any]]:
    """Give the base more tokens for the taught language; return it, and how its tokenizer fits before and after."""
    taught = by_language[languages.load_pack(language.pack)]
    folder = context.folder / "model"
    grown = bases.extend_base(base, taught, student.added_tokens, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    facts = fertility.compare_fertility(tokenizer, by_language)
    console.log(
        f"base: {len(tokenizer):,} tokens with the new ones, held in {folder.parent.name}/{folder.name}"
    )
    return grown, {"vocabulary": len(tokenizer), "extended": facts}


def _texts(documents: Sequence[Document], language: settings.Language) -> dict[languages.Pack, list[str]]:
    """Return the corpus by language, for the tokenizer's fitness."""
    both = languages.load_pack(language.pack), languages.load_pack(language.source)
    return {
        pack: [document.text for document in documents if document.language == pack.code] for pack in both
    }


def _make(
    context: StepContext, tiny: settings.Tiny, documents: Sequence[Document], chosen: Sequence[Document]
) -> tuple[Base, PreTrainedTokenizerBase, dict[str, Any]]:
    where = setup_torch(context.runtime)
    texts = [document.text for document in documents]
    tokenizer = tinies.train_tokenizer([*texts, *(ALPACA, ALPACA_INPUT) * TEMPLATE_COPIES], tiny.vocabulary)
    model = tinies.build_tiny(tiny, tokenizer)
    encoded = encode_documents([document.text for document in chosen], tokenizer)
    pieces = [
        piece
        for document, tokens in zip(chosen, encoded, strict=True)
        for piece in split_segments(document.id, tokens, tiny.max_seq_length)
    ]
    packs = pack_segments(pieces, tiny.max_seq_length, tokenizer.eos_token_id)
    outcome = fit_model(
        model, packs, _stage(tiny), context, where=where, aim=checkpoint_key(packs, tiny, start="nothing")
    )
    folder = context.folder / "model"
    with friendly_disk_errors(folder):
        model.cpu().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    base = Base(base=bases.TINY, parameters=model.num_parameters(), digest=store.sha256_tree(folder))
    return base, tokenizer, {"vocabulary": len(tokenizer), **outcome.facts()}


def _stage(tiny: settings.Tiny) -> settings.Stage:
    """Return the tiny base's training as a stage's settings."""
    return settings.Stage(
        epochs=tiny.epochs,
        lr=tiny.lr,
        embedding_lr=tiny.lr,
        weight_decay=WEIGHT_DECAY,
        warmup_steps=WARMUP_STEPS,
        max_seq_length=tiny.max_seq_length,
        batch_size=tiny.batch_size,
        micro_batch_size=tiny.batch_size,
        seed=tiny.seed,
    )
