"""A step's rows: counted where they are read, written as they come, checked at the end.

    for row in context.output.read(rows):                 # counts every row that is handed over, lazily
        if fault := find_fault(row):
            context.output.drop(Dropped(row=row, reason="too_short", evidence=fault))
        else:
            context.output.keep(row)

examples.jsonl       rows that were kept (or another name)
dropped.jsonl        rows that left, each with reason, evidence and nearest accepted row
not_sampled.jsonl    ids of rows that a sample or a cap left out
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Self, TypeVar

from pydantic import BaseModel

from alif import store
from alif.records import Counts, Document, Dropped, Example, FrozenModel

__all__ = ["StepOutput"]

Row = TypeVar("Row")
_encode = json.JSONEncoder(ensure_ascii=False).encode


class StepOutput:
    """Writes and counts the rows of one step: rows read = kept + dropped + not sampled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cost_usd = 0.0
        """What the step paid for; a reply from the ledger costs nothing again."""
        self.rows_in = self.kept = self.left_out = 0
        self.dropped: Counter[str] = Counter()
        self._files: dict[str, IO[str]] = {}

    def require(self, *files: str) -> None:
        """Have `files` there at the end, empty where no row is written: later steps read them."""
        for file in files:
            self._stream(file)

    def read(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield `rows`, counting each; every row must then be kept, dropped or not sampled."""
        for row in rows:
            self.rows_in += 1
            yield row

    def keep(self, row: BaseModel | None, file: str = "examples.jsonl") -> None:
        """Count a row as kept and append it to `file`; None: counted alone, as in `evaluate`."""
        self.kept += 1
        if row is not None:
            self.write(row, file)

    def drop(self, dropped: Dropped) -> None:
        """Count a row as dropped by its reason and append it to dropped.jsonl."""
        self.dropped[dropped.reason] += 1
        self._append("dropped.jsonl", dropped.record())

    def not_sampled(self, row: Example | Document | str) -> None:
        """Count a row that a sample or a cap left out, and append its id (or, of a raw row, path:line)."""
        self.left_out += 1
        self._append("not_sampled.jsonl", {"id": row if isinstance(row, str) else row.id})

    def write(self, row: BaseModel, file: str) -> None:
        """Append a record that is no row of the step, such as a request, to `file`."""
        self._append(file, row.model_dump(mode="json"))

    def _append(self, file: str, value: object) -> None:
        stream = self._files.get(file) or self._stream(file)
        try:
            stream.write(_encode(value) + "\n")
        except OSError:
            with store.friendly_os_errors(self.folder / file):
                raise

    def _stream(self, file: str) -> IO[str]:
        if file not in self._files:
            with store.friendly_os_errors(self.folder / file):
                self._files[file] = (self.folder / file).open("w", encoding="utf-8", newline="\n")
        return self._files[file]

    def adopt(self, counts: Counts) -> None:
        """Take over the books of a worker process that wrote its rows into this folder."""
        self.rows_in += counts.rows_in
        self.kept += counts.kept
        self.dropped.update(counts.dropped)
        self.left_out += counts.not_sampled

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for file in self._files.values():
            with store.friendly_os_errors(self.folder):
                file.close()

    def count(self, facts: FrozenModel) -> Counts:
        """Return the counts of a step that is done, with its facts.

        Raises:
            RuntimeError: rows are unaccounted for; the step has a bug.
        """
        counted = self.kept + self.dropped.total() + self.left_out
        if self.rows_in != counted:
            raise RuntimeError(
                f"{self.folder}: {self.rows_in} rows read, but {self.kept} kept + "
                f"{self.dropped.total()} dropped + {self.left_out} not sampled = {counted}"
            )
        return Counts(
            rows_in=self.rows_in,
            kept=self.kept,
            dropped=dict(sorted(self.dropped.items())),
            not_sampled=self.left_out,
            facts=facts.model_dump(mode="json"),
        )
