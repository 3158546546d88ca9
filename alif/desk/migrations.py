"""Bring an older desk's tables to today's schema, after a copy of them was kept.

A new table needs no migration: it is made where it is missing. A change of an existing one is a function in
MIGRATIONS, which happens wholly or not at all: it is part of the transaction that opens the database.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from alif import console, store
from alif.errors import AlifError

__all__ = ["MIGRATIONS", "prepare_tables"]


def add_kinds(connection: sa.Connection) -> None:
    """Give rows their task, and say which are for practice: all were the run's."""
    for column in ("task TEXT NOT NULL DEFAULT ''", "kind TEXT NOT NULL DEFAULT 'row'", "known JSON"):
        connection.execute(sa.text(f"ALTER TABLE item ADD COLUMN {column}"))
    connection.execute(sa.text("CREATE INDEX item_kind ON item (kind)"))
    rows = connection.execute(sa.text('SELECT id, "row" FROM item')).all()
    for item_id, row in rows:
        named = {"id": item_id, "task": json.loads(row)["task"]}
        connection.execute(sa.text("UPDATE item SET task = :task WHERE id = :id"), named)


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (add_kinds,)
"""The n-th brings version n to n + 1."""

_tables = sa.MetaData()
schema = sa.Table("schema", _tables, sa.Column("version", sa.Integer, primary_key=True))
"""One row; a database without this table is of version 1."""


def prepare_tables(connection: sa.Connection, tables: sa.MetaData, path: Path | None) -> None:
    """Make the tables that are missing and change older ones; `path` is SQLite's file.

    Raises:
        AlifError: a newer Alif made them.
    """
    there = set(sa.inspect(connection).get_table_names())
    known, newest = schema.name in there, len(MIGRATIONS) + 1
    version = (connection.scalar(sa.select(schema.c.version)) if known else None) or 1
    if version > newest:
        hint = "Install the newer Alif again; or give --database another, empty one."
        raise AlifError(f"the desk's tables are of version {version}, this Alif knows {newest}", hint)
    older = there & set(tables.tables)
    if older and (version < newest or len(older) < len(tables.tables)):
        keep_copy(connection, older, path)
        for migrate in MIGRATIONS[version - 1 :]:
            migrate(connection)
    tables.create_all(connection)
    _tables.create_all(connection)
    connection.execute(schema.delete())
    connection.execute(schema.insert().values(version=newest))


def keep_copy(connection: sa.Connection, names: set[str], path: Path | None) -> None:
    """Copy all tables beside them: SQLite's into a file, PostgreSQL's into a schema of their own."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    if path is None:
        copy = f"copy_{stamp.lower()}"
        connection.execute(sa.text(f"CREATE SCHEMA {copy}"))
        for name in sorted(names):
            connection.execute(sa.text(f'CREATE TABLE {copy}."{name}" AS TABLE "{name}"'))
    else:
        copy = f"{path.stem}-{stamp}{path.suffix}"
        with (
            store.replacing(path.with_name(copy)) as beside,
            contextlib.closing(sqlite3.connect(path)) as source,  # reads while ours holds the writer's lock
            contextlib.closing(sqlite3.connect(beside)) as target,
        ):
            source.backup(target)
    console.log(f"The desk's tables are brought to this version; a copy of the older ones is kept: {copy}")
