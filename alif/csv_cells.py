"""Cells of CSV and TSV files by the names of their columns, with a quotation mark that nobody closed.

    CSV   a cell may be in quotation marks, which may then hold commas, line ends and doubled marks (RFC 4180)
    TSV   a line is a row, a tab ends a cell, and a quotation mark is text

A mark that nobody closed joins CSV rows: it leaves another number of cells than the header's, text behind a
closing mark, or lines each of which would be a row. Its first line is named, and the next is read as a row.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Collection, Iterator
from pathlib import Path

from alif import store
from alif.errors import DataError

__all__ = ["read_table"]

LONGEST_CELL = 1 << 28
"""Characters of a cell: a long article is above Python's default of 131,072."""

_LANGUAGE_CODE = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{2,8})*")


def read_table(
    path: Path, delimiter: str, columns: Collection[str], encoding: str = ""
) -> Iterator[tuple[int, str, dict[str, str] | str]]:
    """Yield (number of its first line, raw text, cells by column or why there are none) of every row.

    Rows without a character are skipped. `columns` are the names of which the header has one, or a language
    code; `encoding`: see `store.read_lines`.

    Raises:
        DataError: the file is not UTF-8, damaged, without a header, or has other marks between its cells.
    """
    lines = (
        (number, line, line.split("\t")) for number, line in store.read_lines(path, encoding) if line.strip()
    )
    header: list[str] = []
    for number, raw, cells in _csv_records(path, encoding) if delimiter == "," else lines:
        if isinstance(cells, str):
            yield number, raw, cells
        elif not header:
            header = [cell.strip().casefold() for cell in cells]
            if any(name in columns or _LANGUAGE_CODE.fullmatch(name) for name in header):
                continue
            where = f"{path}:{number}"
            if other := next((mark for mark in ";\t|," if mark != delimiter and mark in "".join(cells)), ""):
                raise DataError(
                    f"{where}: the cells are separated by {other!r}, not by {delimiter!r}",
                    "Save the file with commas as .csv, or with tabs as .tsv.",
                )
            raise DataError(
                f"{where}: no column is named as one that alif reads: {', '.join(header)[:200]}",
                "The first line names the columns: instruction, input, output; or text; or two "
                "language codes.",
            )
        elif len(cells) != len(header):
            yield number, raw, f"{len(cells)} cells, the header has {len(header)}"
        else:
            yield number, raw, dict(zip(header, cells, strict=True))


def _csv_records(path: Path, encoding: str) -> Iterator[tuple[int, str, list[str] | str]]:
    """Yield the records, each as strictly as RFC 4180 has it; the first one gives the number of cells."""
    csv.field_size_limit(LONGEST_CELL)
    unread = store.read_lines(path, encoding)
    ahead: deque[tuple[int, str]] = deque()  # lines that a joined row had taken
    taken: list[tuple[int, str]] = []

    def take_lines() -> Iterator[str]:
        while line := ahead.popleft() if ahead else next(unread, None):
            taken.append(line)
            yield f"{line[1]}\n"

    width = 0
    while True:
        taken.clear()
        fault = ""
        try:
            cells = next(csv.reader(take_lines(), strict=True))
        except StopIteration:
            return
        except csv.Error as error:
            fault, cells = f"not CSV ({error})", []
        number, raw = taken[0]
        commas = width - 1  # lines that have so many each would be rows; a single comma may be chance
        are_rows = (len(taken) - 1) * commas > 1 and all(line.count(",") == commas for _, line in taken)
        if fault or (len(taken) > 1 and width and (len(cells) != width or are_rows)):
            ahead.extendleft(reversed(taken[1:]))
            yield number, raw, "a quotation mark that is not closed" if len(taken) > 1 else fault
        elif any(cell.strip() for cell in cells):
            width = width or len(cells)
            yield number, "\n".join(line for _, line in taken), cells
