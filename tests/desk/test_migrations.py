"""An older desk opens with today's Alif, a copy of it is kept, and one that failed changed nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from alif.desk import migrations
from alif.desk.database import TABLES, Database, event, person
from alif.desk.office import Office
from alif.errors import AlifError
from tests.desk.test_review_slots import come_in, states

FIRST = (Path(__file__).parent / "desk_version_1.sql").read_text(encoding="utf-8")
"""A desk as Alif made it before there were versions, with a person, a row and her verdict on it."""


def columns(db: Database, schema: str | None = None) -> dict[str, set[str]]:
    with db.reading() as connection:
        found = sa.inspect(connection)
        names = found.get_table_names(schema)
        return {name: {one["name"] for one in found.get_columns(name, schema)} for name in names}


def test_an_old_desk_opens_with_all_that_is_in_it_and_a_copy_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "desk.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(FIRST)
    with contextlib.closing(Database.at(path)) as db:
        found = columns(db)
        assert found.pop("schema") == {"version"}
        assert found == {name: {one.name for one in table.c} for name, table in TABLES.tables.items()}
        with db.reading() as connection:
            assert list(connection.scalars(sa.select(person.c.name))) == ["آمنہ"]
        assert states(db) == {"agreed": 1}
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.writing() as connection:
            connection.execute(event.delete())
    copies = list(tmp_path.glob("desk-*.sqlite"))
    with contextlib.closing(sqlite3.connect(copies[0])) as kept:
        assert kept.execute("SELECT state FROM item").fetchall() == [("agreed",)]
        assert kept.execute("SELECT count(*) FROM sqlite_master WHERE name = 'schema'").fetchone() == (0,)
    Database.at(path).close()
    assert list(tmp_path.glob("desk-*.sqlite")) == copies  # there was nothing to change


def test_a_migration_happens_wholly_or_not_at_all_after_a_copy(
    make_office: Callable[..., Office], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = make_office(database=database)
    come_in(office.db, "آمنہ")

    def add_column(connection: sa.Connection) -> None:
        connection.execute(sa.text("ALTER TABLE person ADD COLUMN colour TEXT"))

    def fail(connection: sa.Connection) -> None:
        raise AlifError("no", "never")

    newest = migrations.MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", (*newest, add_column, fail))
    with pytest.raises(AlifError, match="no"):
        make_office(database=database)
    assert "colour" not in columns(office.db)["person"]
    monkeypatch.setattr(migrations, "MIGRATIONS", (*newest, add_column))
    make_office(database=database)
    assert "colour" in columns(office.db)["person"]
    if not office.db.is_sqlite:
        with office.db.reading() as connection:
            (copy,) = (one for one in sa.inspect(connection).get_schema_names() if one.startswith("copy_"))
            assert connection.scalar(sa.text(f"SELECT name FROM {copy}.person")) == "آمنہ"
        assert "colour" not in columns(office.db, copy)["person"]
    monkeypatch.setattr(migrations, "MIGRATIONS", newest)
    with pytest.raises(AlifError, match="this Alif knows"):
        make_office(database=database)
