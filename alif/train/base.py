"""Step `base`: make the tiny base model from nothing, or record a published one.

    runs/NAME/base/base.json    what it is: name, commit, parameters, digest
    runs/NAME/base/model/       only for "tiny": config, weights, tokenizer, as save_pretrained writes them

The tiny base reads the known language only, with the packer and the trainer of stage 1, so that the run has what a real one
has: a model that knows one language, and something to forget.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from alif.train import checkpoints
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
    if student.base != bases.TINY:
        found = bases.inspect(student)
        store.write_json(given.folder / "base.json", found.model_dump(mode="json"))
        console.note(f"base: {found.base}, {found.parameters:,} parameters")
        by_language = _texts(training_rows(given.needs["corpus"], Document), language)
        return Counts(facts={**found.model_dump(mode="json"), **fitness.compare(bases.tokenizer(found), by_language)})
    known = languages.load(language.known).code
    documents = training_rows(given.needs["corpus"], Document)
    chosen = [document for document in documents if document.language == known]
    if not chosen:
        raise DataError(
            f"{given.needs['corpus']}: no training document of the known language, {known}",
            "The tiny base is trained on them: name some in corpus.known_source.",
        )
    return _make(given, language, tiny, documents, chosen)


def _texts(documents: Sequence[Document], language: recipe.Language) -> dict[languages.Pack, list[str]]:
    """Return the corpus by language, for the tokenizer's fitness."""
    both = languages.load(language.pack), languages.load(language.known)
    return {pack: [document.text for document in documents if document.language == pack.code] for pack in both}


def _make(
    given: Given, language: recipe.Language, tiny: recipe.Tiny, documents: Sequence[Document], chosen: Sequence[Document]
) -> Counts:
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
    store.write_json(given.folder / "base.json", base.model_dump(mode="json"))
    checkpoints.clear(given.scratch)
    facts = {**base.model_dump(mode="json"), "vocabulary": len(tokenizer), **outcome.facts()}
    facts |= fitness.compare(tokenizer, _texts(documents, language))
    return Counts(rows_in=len(chosen), kept=len(chosen), facts=facts)


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
