"""Cells of CSV and TSV files, with the line number of each row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from alif import store

__all__ = ["read_cells"]

LONGEST_CELL = 1 << 28
"""Characters of a cell: a long article is above Python's default of 131,072."""


def read_cells(path: Path, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (line number, cells) of every row, or why it is no row; blank lines are skipped.

    Raises:
        DataError: the file is not UTF-8, or damaged.
    """
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader((f"{line}\n" for _, line in store.read_lines(path)), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"not CSV ({error})"
        else:
            if cells:
                yield reader.line_num, cells
