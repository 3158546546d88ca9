"""Every accepted row in a `RougeLIndex`: a row becomes the words that its task compares, a hit a `Neighbour`.

Source: one global pool over all tasks, Alif, arXiv 2510.09051.
"""

from __future__ import annotations

from alif import settings
from alif.dedup.rouge_index import RougeLIndex
from alif.language import text
from alif.language.pack import Pack
from alif.records import Example, Neighbour

__all__ = ["ExamplePool"]


class ExamplePool:
    """Every row accepted so far, over all tasks."""

    def __init__(self, pack: Pack, pool: settings.Pool) -> None:
        self._pack = pack
        self._instruction_only = pool.scope == "paper"
        self._index = RougeLIndex(pool.threshold)
        self._texts: dict[str, str] = {}

    def compared_text(self, row: Example) -> str:
        if self._instruction_only:
            return row.instruction
        return self._pack.tasks[row.task].compared_text(row.instruction, row.input)

    def compared_words(self, row: Example) -> list[str]:
        return text.split_words(self.compared_text(row), self._pack)

    def nearest(self, row: Example) -> Neighbour | None:
        """Return the most similar accepted row at or above the threshold, or None."""
        found = self._index.nearest(self.compared_words(row))
        if found is None:
            return None
        id, similarity = found
        return Neighbour(id=id, text=self._texts[id], similarity=round(similarity, 4))

    def add(self, row: Example) -> None:
        self._texts[row.id] = self.compared_text(row)
        self._index.add(row.id, self.compared_words(row))
