"""Step `base`: make the tiny base model from nothing, or record a published one.

    runs/NAME/base/base.json    what it is: name, commit, parameters, digest
    runs/NAME/base/model/       for "tiny", and with student.new_tokens: config, weights, tokenizer, as save_pretrained leaves

The tiny base reads the known language only, with the packer and the trainer of stage 1, so that the run has what a real one
has: a model that knows one language, and something to forget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from alif import console, recipe, store
from alif.errors import DataError
from alif.language import pack as languages
from alif.records import Counts, Document
from alif.runs import Given
from alif.student import base as bases
from alif.student import encode_documents, fitness
from alif.student import tiny as tinies
from alif.student.base import Base
from alif.student.device import place
from alif.student.prompts import ALPACA, ALPACA_INPUT
from alif.student.weights import full_disk
from alif.train.packs import pack, split
from alif.train.texts import training_rows
from alif.train.trainer import fit, purpose

__all__ = ["prepare"]

WEIGHT_DECAY = 0.1
"""Of the tiny base. Source: GPT-3, arXiv 2005.14165, appendix B."""
WARMUP_STEPS = 20
TEMPLATE_COPIES = 16
"""How often the tokenizer is shown the prompts' headings: they stand in every row of stage 2, and should cost few tokens."""


def prepare(given: Given, language: recipe.Language, student: recipe.Student, tiny: recipe.Tiny) -> Counts:
    """Do the step.

    Raises:
        ModelError: a published base that cannot be found, opened or used.
        DataError: the corpus has no document of the known language to train the tiny base on.
    """
    documents = training_rows(given.needs["corpus"], Document)
    by_language = _texts(documents, language)
    rows, facts = 0, dict[str, Any]()
    if student.base == bases.TINY:
        known = languages.load(language.known).code
        chosen = [document for document in documents if document.language == known]
        if not chosen:
            raise DataError(
                f"{given.needs['corpus']}: no training document of the known language, {known}",
                "The tiny base is trained on them: name some in corpus.known_source.",
            )
        base, tokenizer, facts = _make(given, tiny, documents, chosen)
        rows = len(chosen)
    else:
        base = bases.inspect(student)
        tokenizer = bases.tokenizer(base)
    facts |= fitness.compare(tokenizer, by_language)
    if student.new_tokens:
        base, more = _extend(given, language, student, base, by_language)
        facts |= more
    base = base.model_copy(update={"quantise": student.quantise})
    store.write_json(given.folder / "base.json", base.model_dump(mode="json"))
    console.note(f"base: {base.base}, {base.parameters:,} parameters")
    return Counts(rows_in=rows, kept=rows, facts={**base.model_dump(mode="json"), **facts})


def _extend(
    given: Given,
    language: recipe.Language,
    student: recipe.Student,
    base: Base,
    by_language: Mapping[languages.Pack, list[str]],
) -> tuple[Base, dict[str, Any]]:
    """Give the base more tokens for the taught language; return it, and how its tokenizer fits before and after."""
    taught = by_language[languages.load(language.pack)]
    folder = given.folder / "model"
    grown = bases.extend(base, taught, student.new_tokens, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    facts = fitness.compare(tokenizer, by_language)
    console.note(f"base: {len(tokenizer):,} tokens with the new ones, held in {folder.parent.name}/{folder.name}")
    return grown, {"vocabulary": len(tokenizer), "extended": facts}


def _texts(documents: Sequence[Document], language: recipe.Language) -> dict[languages.Pack, list[str]]:
    """Return the corpus by language, for the tokenizer's fitness."""
    both = languages.load(language.pack), languages.load(language.known)
    return {pack: [document.text for document in documents if document.language == pack.code] for pack in both}


def _make(
    given: Given, tiny: recipe.Tiny, documents: Sequence[Document], chosen: Sequence[Document]
) -> tuple[Base, PreTrainedTokenizerBase, dict[str, Any]]:
    where = place(given.runtime)
    texts = [document.text for document in documents]
    tokenizer = tinies.train_tokenizer([*texts, *(ALPACA, ALPACA_INPUT) * TEMPLATE_COPIES], tiny.vocabulary)
    model = tinies.build(tiny, tokenizer)
    encoded = encode_documents([document.text for document in chosen], tokenizer)
    pieces = [
        piece
        for document, tokens in zip(chosen, encoded, strict=True)
        for piece in split(document.id, tokens, tiny.tokens_per_row)
    ]
    packs = pack(pieces, tiny.tokens_per_row, tokenizer.eos_token_id)
    outcome = fit(model, packs, _stage(tiny), given, where=where, aim=purpose(packs, tiny, start="nothing"))
    folder = given.folder / "model"
    with full_disk(folder):
        model.cpu().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    base = Base(base=bases.TINY, parameters=model.num_parameters(), digest=store.digest(folder))
    return base, tokenizer, {"vocabulary": len(tokenizer), **outcome.facts()}


def _stage(tiny: recipe.Tiny) -> recipe.Stage:
    """Return the tiny base's training as a stage's settings."""
    return recipe.Stage(
        epochs=tiny.epochs,
        lr=tiny.lr,
        embedding_lr=tiny.lr,
        weight_decay=WEIGHT_DECAY,
        warmup_steps=WARMUP_STEPS,
        tokens_per_row=tiny.tokens_per_row,
        rows_per_step=tiny.rows_per_step,
        rows_at_once=tiny.rows_per_step,
        seed=tiny.seed,
    )
