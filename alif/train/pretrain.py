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

from alif import console, recipe
from alif.errors import DataError
from alif.language import pack as languages
from alif.records import Counts, Document
from alif.runs import Given
from alif.student import adapter as adapters
from alif.student import ranks
from alif.student.base import Bare, open_base
from alif.student.device import place
from alif.train.looks import Looks, documents
from alif.train.packs import Piece, split
from alif.train.shards import tokenise
from alif.train.stage import arrange, check_length, work
from alif.train.texts import held_out_rows, training_rows

__all__ = ["train"]


@dataclass(frozen=True)
class Text:
    """A document in tokens."""

    id: str
    tokens: npt.NDArray[np.int32]


def train(given: Given, language: recipe.Language, adapter: recipe.Adapter, pretrain: recipe.Pretrain) -> Counts:
    """Do the step.

    Raises:
        DataError: the corpus has no training document of the taught language.
        ModelError: the base is missing or another one; the loss is not a number.
    """
    where = place(given.runtime)
    bare = open_base(given.needs["base"], where, training=True)
    check_length(bare, "pretrain", pretrain)
    taught, replayed = _texts(given, language, pretrain, bare)
    pieces = [piece for text in (*taught, *replayed) for piece in _pieces(text, pretrain)]
    packs = arrange(pieces, pretrain, bare.tokenizer.eos_token_id, given.scratch)
    wrapped = adapters.wrap(bare.model, adapter)
    looks = _looks(given, language, pretrain, bare) if pretrain.look_steps else None
    facts = work(given, bare.base, wrapped, packs, pretrain, where=where, start=adapter.model_dump_json(), looks=looks)
    tokens, replay_tokens = _size(taught), _size(replayed)
    count = len(taught) + len(replayed)
    return Counts(
        rows_in=count,
        kept=count,
        facts={**facts, "replay_documents": len(replayed), "replay_share": round(replay_tokens / (tokens + replay_tokens), 4)},
    )


def _pieces(text: Text, pretrain: recipe.Pretrain) -> Iterator[Piece]:
    """Yield a text in pieces that fit a row; padded rows take it whole, and cut off the rest."""
    if pretrain.layout == "packed":
        yield from split(text.id, text.tokens, pretrain.tokens_per_row)
    else:
        yield Piece(text.id, text.tokens)


def _looks(given: Given, language: recipe.Language, pretrain: recipe.Pretrain, bare: Bare) -> Looks:
    held_out = held_out_rows(given.needs["corpus"], Document)
    return documents(held_out, languages.load(language.pack).code, pretrain, bare.tokenizer)


def _texts(given: Given, language: recipe.Language, pretrain: recipe.Pretrain, bare: Bare) -> tuple[list[Text], list[Text]]:
    """Return the documents of the taught language, and those of the known one that are replayed."""
    own, known = languages.load(language.pack).code, languages.load(language.known).code
    documents = training_rows(given.needs["corpus"], Document)
    taught = _encode([document for document in documents if document.language == own], bare, given)
    if not taught:
        raise DataError(f"{given.needs['corpus']}: no training document of {own}", "Name some in corpus.source.")
    if not pretrain.replay:
        return taught, []
    there = _encode([document for document in documents if document.language == known], bare, given)
    wanted = _size(taught) * pretrain.replay / (1 - pretrain.replay)
    replayed = _draw(there, wanted, pretrain.seed)
    if _size(replayed) < wanted:
        console.note(f"pretrain: only {_size(replayed):,} of {wanted:,.0f} tokens to replay are in the corpus; all are used")
    return taught, replayed


def _encode(documents: Sequence[Document], bare: Bare, given: Given) -> list[Text]:
    with ranks.first_goes_first():
        encoded = tokenise([document.text for document in documents], bare.tokenizer, given.scratch, bare.base.digest)
    return [Text(document.id, tokens) for document, tokens in zip(documents, encoded, strict=True)]


def _draw(texts: Sequence[Text], wanted: float, seed: int) -> list[Text]:
    """Draw texts by lot until they hold `wanted` tokens, or all are drawn."""
    mixed = [texts[index] for index in np.random.default_rng(seed).permutation(len(texts))]
    before = itertools.accumulate((len(text.tokens) for text in mixed), initial=0)
    return [text for text, size in zip(mixed, before, strict=False) if size < wanted]


def _size(texts: Sequence[Text]) -> int:
    return sum(len(text.tokens) for text in texts)
