"""Passages of native text for grounded and reverse requests: whole sentences of a document.

Source, licence and id of a passage stay in the origin of every row that is made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from alif import sampling, settings, sources
from alif.errors import DataError
from alif.language import text
from alif.language.pack import Pack
from alif.records import Document, Dropped
from alif.sources import PackFiles

__all__ = ["Passage", "PassageSampler", "Strategy", "read_passages", "running_text"]

Strategy: TypeAlias = Literal["plain", "grounded", "reverse"]
Passage: TypeAlias = Document
"""A piece of a document; `source` names the document."""

MIN_WORDS, MAX_WORDS = 30, 160


def read_passages(settings: settings.Generate, pack: Pack, folder: str) -> list[Passage]:
    """Return the passages that the recipe's strategies and the pack's slots need, none where none is needed.

    Raises:
        DataError: the recipe needs some, and its sources have none.
    """
    needed = bool(settings.grounded_share or settings.reverse_share)
    drawn = settings.slots and pack.slots and any(task.grounded_share for task in pack.tasks.values())
    if not needed and not drawn:
        return []
    articles = PackFiles(pack, ("demo/articles.jsonl",))
    documents = sources.read_documents(settings.passages, folder, language=pack.code, pack=articles)
    pieces = (piece for one in documents if not isinstance(one, Dropped) for piece in _cut(one, pack))
    passages = list({passage.id: passage for passage in pieces}.values())
    if needed and not passages:
        hint = "Name files of longer texts, or set grounded_share and reverse_share to 0."
        raise DataError(f"generate.passages: no passage of {MIN_WORDS} to {MAX_WORDS} words", hint)
    return passages


def running_text(value: str, pack: Pack) -> str:
    """Return a text with one space between its sentences, as passages are written."""
    return " ".join(text.split_sentences(text.normalise_text(value, pack), pack))


def _cut(document: Document, pack: Pack) -> Iterator[Passage]:
    """Cut a document into passages of whole sentences; what is too short or too long is left out."""
    pieces: list[list[str]] = [[]]
    words = 0
    for sentence in text.split_sentences(text.normalise_text(document.text, pack), pack):
        length = len(text.split_words(sentence, pack))
        if words + length > MAX_WORDS:
            pieces.append([])
            words = 0
        pieces[-1].append(sentence)
        words += length
    for piece in map(" ".join, pieces):
        if MIN_WORDS <= len(text.split_words(piece, pack)) <= MAX_WORDS:
            yield Document.make(
                document.language,
                piece,
                title=document.title,
                source=f"{document.source}#{document.id}",
                licence=document.licence,
                author=document.author,
            )


class PassageSampler:
    """The passages in a random order, one after another and from the top again when all were used."""

    def __init__(self, passages: Sequence[Passage], settings: settings.Generate) -> None:
        self._settings = settings
        self._order = list(passages)
        sampling.seeded_rng(settings.seed, "passages").shuffle(self._order)
        self._by_id = {passage.id: passage for passage in self._order}
        self._used = 0

    def by_id(self, id: str) -> Passage | None:
        return self._by_id.get(id)

    def choose(
        self, pack: Pack, task: str, round_: int, place: int, at_home: bool = False
    ) -> tuple[Strategy, Passage | None, bool]:
        """Return the strategy of a request, its passage, and whether its draft is revised.

        Of requests that slots place at home, the task's own share is grounded, if it is larger.
        """
        rng = sampling.seeded_rng(self._settings.seed, "way", round_, place)
        drawn, revised = rng.random(), rng.random() < self._settings.revise_share
        if not self._order:
            return "plain", None, revised
        if drawn < self._settings.reverse_share and task == _free_writing_task(pack):
            return "reverse", self._next(), False
        if drawn >= 1 - max(self._settings.grounded_share, pack.tasks[task].grounded_share * at_home):
            return "grounded", self._next(), revised
        return "plain", None, revised

    def _next(self) -> Passage:
        self._used += 1
        return self._order[(self._used - 1) % len(self._order)]


def _free_writing_task(pack: Pack) -> str:
    """Return the pack's first task whose answer is in its language, without labels and headings."""
    return next(
        (
            name
            for name, task in pack.tasks.items()
            if (task.answer, task.scope) == ("own", "instruction")
            and not task.labels
            and not task.headings.answer
        ),
        "",
    )
