"""Rows of a source on disk, read again in any order: memory grows by eight bytes a row."""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from alif import store
from alif.sources import Row

__all__ = ["RowSpool", "open_spool"]

TEXTS = ("text", "title", "licence", "author")


class RowSpool:
    """A file of rows; `append` returns the number by which `read` gives the row back."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._offsets = array("q")

    def append(self, row: Row) -> int:
        """Write a row: the fields of a document, where it was read and whether it is a pack's."""
        texts = {key: value for key in TEXTS if isinstance(value := row.values.get(key), str)}
        self._offsets.append(self._file.seek(0, 2))
        self._file.write(json.dumps([row.where, row.name, row.id, texts]).encode() + b"\n")
        return len(self._offsets) - 1

    def read(self, number: int) -> Row:
        """Return a row without its pack."""
        self._file.seek(self._offsets[number])
        where, name, id, texts = json.loads(self._file.readline())
        return Row(where, name, id, texts)


@contextmanager
def open_spool(folder: Path) -> Iterator[RowSpool]:
    """Open a spool in `folder` that is gone afterwards."""
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield RowSpool(file)
