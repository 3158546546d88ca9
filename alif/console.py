"""The screen: the only module that prints.

A command's result goes to standard output, everything else for people to standard error; with `--json` the
result is one JSON document and standard output holds nothing else. On a terminal long work shows a progress
bar with rate, remaining time and cost; elsewhere a plain line every ten seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = [
    "Bar", "discard", "flush", "log", "make_inert", "note_progress", "prepare_output", "print_json",
    "print_result", "print_sample", "print_table", "progress_bar",
]  # fmt: skip

PLAIN_LINE_EVERY_S = 10.0
"""How often a bar prints a plain line when standard error is not a terminal."""
NOTED_IN = "ALIF_PROGRESS"
"""Environment variable, so that worker processes know it too: the file of `note_progress`."""
NOTE_EVERY_S, WINDOWS_S, NOTES = 1.0, (10.0, 60.0), 600
"""How often a bar is noted; over how long its latest paces are taken, over how many notes its usual one."""


class _Screen(Console):
    """A console that leaves a closed pipe to `alif.cli`; rich would end with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


_out = _Screen(highlight=False, soft_wrap=True)
_err = _Screen(stderr=True, highlight=False, soft_wrap=True)
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal obeys instead of showing it: escape sequences, marks that turn the order of letters, and
halves of characters, which stand for bytes of file names that are not UTF-8."""
_OPENING, _CLOSING = "\u2066\u2067", "\u2069"
"""The isolates that Alif itself sets around pieces of right-to-left text: in pairs they end with the line."""


def make_inert(text: str) -> str:
    r"""Write control characters of foreign text as \x1b or \u202e, so that a terminal only shows them."""
    if not _CONTROL.search(text):
        return text
    return "\n".join(_make_line_inert(line) for line in text.split("\n"))


def _make_line_inert(line: str) -> str:
    depth = 0
    for letter in line:
        depth += (letter in _OPENING) - (letter == _CLOSING)
        if depth < 0:
            break
    allowed = _OPENING + _CLOSING if depth == 0 else ""

    def escape(found: re.Match[str]) -> str:
        code = ord(found[0])
        if found[0] in allowed:
            return found[0]
        if 0xDC80 <= code <= 0xDCFF:  # a byte that the system could not decode
            code -= 0xDC00
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _CONTROL.sub(escape, line)


def prepare_output() -> None:
    """Have letters that the screen's encoding lacks written as escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Write what is buffered, so that a full disk or a closed pipe shows before the command's end."""
    sys.stdout.flush()


def print_result(text: str = "") -> None:
    """Print one line of a command's result."""
    _out.print(make_inert(text), markup=False)


def log(text: str, style: str = "") -> None:
    """Print one line of progress or trouble, on standard error; work goes on where nobody can read it."""
    try:
        _err.print(make_inert(text), style=style, markup=False)
    except OSError:  # the terminal is closed, or the disk of a log file full
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Send a stream that cannot be written nowhere, with what it has buffered, so that the exit is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError):  # no stream of the system's, as in tests
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def print_json(value: Any) -> None:
    """Print `value` as one JSON document on standard output."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    text = json.dumps(value, ensure_ascii=not unicode, indent=2)
    sys.stdout.write(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    sys.stdout.flush()  # a reader of the pipe may be waiting, as for `alif serve`


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table; columns of numbers are right-aligned."""
    table = Table(
        title=make_inert(title) or None, title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows if row[index] not in (None, "")]
        numeric = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else make_inert(str(cell)) for cell in row))
    if _out.is_terminal:
        _Screen(highlight=False).print(table, markup=False)
        return
    wide = Console(highlight=False, width=160)
    with wide.capture() as captured:
        wide.print(table, markup=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def print_sample(label: str, lines: Sequence[str]) -> None:
    """Print a labelled text of a row; the caller has isolated right-to-left lines."""
    print_result(f"{label:>11}  " + f"\n{'':>13}".join(lines))


@contextlib.contextmanager
def note_progress(path: Path) -> Iterator[None]:
    """Have the bars of a block noted in a file, for who looks at the run from elsewhere; gone at its end."""
    before = os.environ.get(NOTED_IN)
    os.environ[NOTED_IN] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ[NOTED_IN]
        else:
            os.environ[NOTED_IN] = before
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


class Bar:
    """A running count with rate, remaining time and cost."""

    def __init__(self, name: str, total: float, unit: str, bars: Progress | None) -> None:
        self.name, self.total, self.unit = name, total, unit
        self._bars = bars
        self._task = bars.add_task(name, total=total or None, facts="") if bars else None
        self._start = self._last_line = time.monotonic()
        self._done = 0.0
        self._notes: deque[tuple[float, float]] = deque(maxlen=NOTES)

    def _note(self) -> None:
        """Write how far this is, with its pace a second: over all notes, a minute and some seconds."""
        path, now = os.environ.get(NOTED_IN), time.monotonic()
        if not path or (self._notes and now < self._notes[-1][0] + NOTE_EVERY_S):
            return
        self._notes.append((now, self._done))
        late = [next(one for one in self._notes if one[0] >= now - window) for window in WINDOWS_S]
        paces = [
            (self._done - done) / (now - at)
            for at, done in (self._notes[0], *late)
            if now >= at + NOTE_EVERY_S
        ]
        found = {
            "name": self.name,
            "done": self._done,
            "total": self.total,
            "unit": self.unit,
            "paces": paces,
        }
        with contextlib.suppress(OSError):  # a full disk, a folder that is gone: the work goes on
            Path(f"{path}.{os.getpid()}").write_text(json.dumps(found), encoding="utf-8")
            Path(f"{path}.{os.getpid()}").replace(path)

    def to(self, done: float, facts: str = "") -> None:
        """Show that `done` of the total is done, with a few words of `facts` (loss, cost)."""
        self._done = done
        self._note()
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
