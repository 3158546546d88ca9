from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from alif.errors import AlifError, BusyError, DataError
from alif.llm.sqlite_errors import explain_sqlite_errors


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("SQLITE_FULL", AlifError, "the disk is full"),
        ("SQLITE_IOERR_WRITE", AlifError, "or fails (SQLITE_IOERR_WRITE)"),
        ("SQLITE_BUSY_SNAPSHOT", BusyError, "another process holds the ledger"),
        ("SQLITE_READONLY", AlifError, "cannot be written"),
        ("SQLITE_NOTADB", DataError, "not a ledger"),
    ],
)
def test_an_error_of_the_file_is_a_sentence_with_its_path(
    name: str, kind: type[AlifError], said: str
) -> None:
    error = sqlite3.OperationalError("text for programmers")
    error.sqlite_errorname = name
    with pytest.raises(kind) as caught, explain_sqlite_errors(Path("runs/t/ledger.sqlite")):
        raise error
    assert caught.value.message.startswith("runs/t/ledger.sqlite: ")
    assert said in caught.value.message
    assert caught.value.hint


def test_a_wrong_statement_is_a_bug_and_stays_one() -> None:
    with (
        contextlib.closing(sqlite3.connect(":memory:")) as db,
        pytest.raises(sqlite3.OperationalError),
        explain_sqlite_errors(Path("x")),
    ):
        db.execute("SELEC 1")
