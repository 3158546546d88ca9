"""The screen: the only module that prints.

A command's result goes to standard output, everything else for people to standard error; with `--json` the
result is one JSON document and standard output holds nothing else. On a terminal long work shows a progress
bar with rate, remaining time and cost; elsewhere a plain line every ten seconds.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["Bar", "log", "print_json", "print_result", "print_sample", "print_table", "progress_bar"]

PLAIN_LINE_EVERY_S = 10.0
"""How often a bar prints a plain line when standard error is not a terminal."""

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_result(text: str = "") -> None:
    """Print one line of a command's result."""
    _out.print(text, markup=False)


def log(text: str, style: str = "") -> None:
    """Print one line of progress or trouble, on standard error."""
    _err.print(text, style=style, markup=False)


def print_json(value: Any) -> None:
    """Print `value` as one JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()  # a reader of the pipe may be waiting, as for `alif serve`


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table; columns of numbers are right-aligned."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows if row[index] not in (None, "")]
        numeric = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    if _out.is_terminal:
        Console(highlight=False).print(table, markup=False)
        return
    wide = Console(highlight=False, width=160)
    with wide.capture() as captured:
        wide.print(table, markup=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def print_sample(label: str, lines: Sequence[str]) -> None:
    """Print a labelled text of a row; the caller has isolated right-to-left lines."""
    print_result(f"{label:>11}  " + f"\n{'':>13}".join(lines))


class Bar:
    """A running count with rate, remaining time and cost."""

    def __init__(self, name: str, total: float, unit: str, bars: Progress | None) -> None:
        self.name, self.total, self.unit = name, total, unit
        self._bars = bars
        self._task = bars.add_task(name, total=total or None, facts="") if bars else None
        self._start = self._last_line = time.monotonic()
        self._done = 0.0

    def to(self, done: float, facts: str = "") -> None:
        """Show that `done` of the total is done, with a few words of `facts` (loss, cost)."""
        self._done = done
        seconds = max(time.monotonic() - self._start, 1e-9)
        rate = f"{done / seconds:,.3g} {self.unit}/s {facts}".strip()
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=done, facts=rate)
        elif time.monotonic() - self._last_line >= PLAIN_LINE_EVERY_S:
            self._last_line = time.monotonic()
            left = seconds / done * (self.total - done) if done else 0.0
            end = f" of {self.total:,.0f}", f", {left:,.0f} s left"
            of, remaining = end if self.total else ("", "")
            log(f"{self.name}: {done:,.0f}{of} {self.unit}, {rate}{remaining}")

    def advance(self, by: float = 1, facts: str = "") -> None:
        """Show that `by` more are done."""
        self.to(self._done + by, facts)


@contextlib.contextmanager
def progress_bar(name: str, total: float, unit: str = "rows") -> Iterator[Bar]:
    """Show a bar during a block; a `total` of 0 is unknown."""
    if not _err.is_terminal:
        yield Bar(name, total, unit, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err, transient=True) as bars:
        yield Bar(name, total, unit, bars)
