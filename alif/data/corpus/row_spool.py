"""Rows of a source on disk, read again in any order: memory grows by eight bytes a row."""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from alif import store
from alif.sources import Row

__all__ = ["Fault", "RowSpool", "open_spool", "pack_row", "unpack_row"]

Fault = tuple[str, str]
"""Reason and evidence; ("", "") where a row was examined and is right."""

TEXTS = ("text", "title", "licence", "author")


def pack_row(row: Row, fault: Fault | None) -> list[Any]:
    """Return what a document needs of a row, and what is known to be wrong with it, as JSON has it."""
    texts = {key: value for key in TEXTS if isinstance(value := row.values.get(key), str)}
    return [row.where, row.name, row.id, texts, fault]


def unpack_row(packed: list[Any]) -> tuple[Row, Fault | None]:
    """Return what `pack_row` packed; the row is without its pack."""
    where, name, id, texts, fault = packed
    return Row(where, name, id, texts), (fault[0], fault[1]) if fault else None


class RowSpool:
    """A file of rows; `append` returns the number by which `read` gives the row back."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._offsets = array("q")

    def append(self, row: Row, fault: Fault | None) -> int:
        """Write a row: see `pack_row`."""
        self._offsets.append(self._file.seek(0, 2))
        self._file.write(json.dumps(pack_row(row, fault)).encode() + b"\n")
        return len(self._offsets) - 1

    def read(self, number: int) -> tuple[Row, Fault | None]:
        """Return a row, and what is known to be wrong with it."""
        self._file.seek(self._offsets[number])
        return unpack_row(json.loads(self._file.readline()))


@contextmanager
def open_spool(folder: Path) -> Iterator[RowSpool]:
    """Open a spool in `folder` that is gone afterwards."""
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield RowSpool(file)
