"""SQLite's errors as sentences: what is wrong with the file, and what to do."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from alif.errors import AlifError, BusyError, DataError

__all__ = ["REPEAT", "explain_sqlite_errors"]

REPEAT = "repeat the command: it continues where it stopped."
"""What to do about what passes."""
_ERRORS: Sequence[tuple[str, type[AlifError], str, str]] = (
    ("FULL", AlifError, "the disk is full", f"Free some space and {REPEAT}"),
    (
        "IOERR",
        AlifError,
        "the disk is full, or fails ({})",
        f"Look for room there, at `ulimit -f`, and {REPEAT}",
    ),
    (
        "BUSY|LOCKED",
        BusyError,
        "another process holds the ledger",
        "Wait for it, or stop it, and repeat the command.",
    ),
    (
        "CANTOPEN|READONLY|PERM",
        AlifError,
        "the ledger cannot be written",
        "Get the right to read and write there.",
    ),
    (
        "NOTADB|CORRUPT",
        DataError,
        "not a ledger, or a damaged one",
        "Move it away, or name another in runtime.ledger.",
    ),
)
"""Beginnings of SQLite's error names, the exception, what is wrong, what to do; a full disk may be an
IOERR."""


@contextlib.contextmanager
def explain_sqlite_errors(path: Path) -> Iterator[None]:
    """Turn the errors of a block that uses the database at `path` into sentences."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        for names, kind, fault, hint in _ERRORS:
            if re.match(f"SQLITE_({names})", name):
                raise kind(f"{path}: {fault.format(name)}", hint) from error
        raise
