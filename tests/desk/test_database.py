"""Tables on SQLite and PostgreSQL: events cannot be changed, readers wait for no writer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from alif.desk.database import Database, attempt, draft, event, now_ms
from alif.desk.office import Office
from alif.errors import AlifError
from tests.desk.test_review_slots import ROWS, come_in, review_slots, sent


def test_events_can_neither_be_changed_nor_removed(make_office: Callable[..., Office], database: str) -> None:
    office = make_office(database=database)
    who = come_in(office.db, "آمنہ")
    work = review_slots.claim_slots(office.db, who)[0]
    review_slots.decide_slot(office.db, who, work["slot"], "a key of mine", sent())
    for statement in (event.update().values(kind="reject"), event.delete()):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), office.db.writing() as connection:
            connection.execute(statement)
    with office.db.reading() as connection:
        (kept,) = connection.execute(sa.select(event.c.kind, event.c.at_ms, event.c.body)).all()
    assert kept.kind == kept.body["decision"] == "approve"
    assert 0 <= now_ms() - kept.at_ms < 60_000


def test_a_row_is_added_once_and_changed_after(make_office: Callable[..., Office], database: str) -> None:
    office = make_office(database=database)
    who = come_in(office.db, "آمنہ")
    keys = {"item_id": ROWS[0].id, "person_id": who.id}
    for body in ("one", "two"):
        with office.db.writing() as connection:
            office.db.upsert(connection, draft, keys, {"body": body})
    with office.db.reading() as connection:
        assert list(connection.scalars(sa.select(draft.c.body))) == ["two"]


def test_readers_do_not_wait_for_a_writer_and_what_failed_leaves_nothing(db: Database) -> None:
    def fail() -> None:
        with db.writing() as connection:
            connection.execute(sa.text("INSERT INTO invite VALUES ('x', 'lead', NULL, 0, 0)"))
            with db.reading() as other:
                assert other.scalar(sa.text("SELECT count(*) FROM invite")) == 0
            connection.execute(sa.text("INSERT INTO invite VALUES ('y', 'king', NULL, 0, 0)"))

    with pytest.raises(sa.exc.IntegrityError):
        fail()
    with db.reading() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM invite")) == 0
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2


@pytest.mark.parametrize(
    "address", ["mysql://x/y", "no address", "postgresql://x/y", "postgresql+psycopg://127.0.0.1:1/x"]
)
def test_databases_that_cannot_be_opened_are_told(address: str) -> None:
    with pytest.raises(AlifError, match="database"):
        Database(address)


def test_a_folder_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "desk.sqlite").mkdir()
    with pytest.raises(AlifError, match="cannot be opened"):
        Database.at(tmp_path / "desk.sqlite")


WRITER = """
import itertools, pathlib, sys
from alif.desk.database import Database, attempt
db = Database.at(pathlib.Path(sys.argv[1]))
for number in itertools.count():
    with db.writing() as connection:
        for half in ("a", "b"):
            values = {"key": f"{half}{number}", "failures": number, "since_ms": 0}
            connection.execute(attempt.insert().values(values))
    print(number, flush=True)
"""
"""Writes two rows at a time, and says so when they are stored."""


def test_a_writer_that_is_killed_leaves_nothing_torn_and_all_that_it_answered(tmp_path: Path) -> None:
    path = tmp_path / "desk.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            writer.stdout.readline()
        writer.kill()
        answered = 19 + len(writer.stdout.readlines())
    with closing(Database.at(path)) as db, db.reading() as connection:
        stored = list(connection.scalars(sa.select(attempt.c.failures).order_by(attempt.c.failures)))
        assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
    assert stored == [number for number in range(len(stored) // 2) for _ in "ab"]
    assert stored[-1] >= answered
