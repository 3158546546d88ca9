"""The pool with names: which accepted row is nearest to a candidate, compared on what the candidate's task compares.

`alif.pool` knows words and ids; here a row becomes words (the pack's words of the instruction, with the input where the task
says so) and a hit becomes a `Neighbour` that a person can read.

Source: one global pool over all tasks, Alif, arXiv 2510.09051.
"""

from __future__ import annotations

from alif import recipe
from alif.dedup.rouge_index import RougeLIndex
from alif.language import text
from alif.language.pack import Pack
from alif.records import Example, Neighbour

__all__ = ["ExamplePool"]


class ExamplePool:
    """Every row accepted so far, over all tasks."""

    def __init__(self, pack: Pack, pool: recipe.Pool) -> None:
        self._pack = pack
        self._paper = pool.scope == "paper"
        self._pool = RougeLIndex(pool.threshold)
        self._texts: dict[str, str] = {}

    def compared(self, row: Example) -> str:
        """Return the text of a row that is compared."""
        return (
            row.instruction
            if self._paper
            else self._pack.tasks[row.task].compared(row.instruction, row.input)
        )

    def words(self, row: Example) -> list[str]:
        """Return the words of a row that are compared."""
        return text.split_words(self.compared(row), self._pack)

    def nearest(self, row: Example) -> Neighbour | None:
        """Return the nearest accepted row at or above the threshold, or None."""
        found = self._pool.nearest(self.words(row))
        if found is None:
            return None
        name, similarity = found
        return Neighbour(id=name, text=self._texts[name], similarity=round(similarity, 4))

    def add(self, row: Example) -> None:
        """Accept a row."""
        self._texts[row.id] = self.compared(row)
        self._pool.add(row.id, self.words(row))
