"""The desk's tables, in SQLite beside the run or in PostgreSQL: the same statements on both.

SQLite runs in WAL with one writer that takes the lock as it begins (`BEGIN IMMEDIATE`): a transaction that
read first and wrote later would be refused while others write. A commit is flushed to the disk, so a verdict
that was answered outlives a power cut. `event` is append-only: triggers abort UPDATE and DELETE.

A feature has its own tables in its own module: `sa.Table(name, TABLES, …)`, with `info=APPEND_ONLY` where
rows must stay as they are. `desk_app` imports every feature, so they are made when the desk opens.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import QueuePool

from alif.desk.migrations import prepare_tables
from alif.errors import AlifError, MissingExtra

__all__ = [
    "APPEND_ONLY", "ROLES", "TABLES", "Database", "RowId", "attempt", "draft", "event", "invite", "item",
    "now_ms", "person", "session", "skipped", "slot",
]  # fmt: skip

ROLES = ("admin", "lead", "annotator", "judge", "viewer")
"""What a person may do, the most first."""
BUSY_TIMEOUT_MS = 10_000
"""How long a writer of another process is waited for."""
READERS = 8
"""Connections that read while one writes."""

TABLES = sa.MetaData()
RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A row number: SQLite counts up only what is called INTEGER."""
APPEND_ONLY = {"append_only": True}
"""`info` of a table whose rows nothing changes or removes."""

person = sa.Table(
    "person",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, sa.CheckConstraint(f"role IN {ROLES}"), nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, default=True),
)
invite = sa.Table(
    "invite",
    TABLES,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, sa.CheckConstraint(f"role IN {ROLES}"), nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id")),
    sa.Column("from_console", sa.Boolean, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
)
session = sa.Table(
    "session",
    TABLES,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("seen_ms", sa.BigInteger, nullable=False),
)
attempt = sa.Table(
    "attempt",
    TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
)
item = sa.Table(
    "item",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("row", sa.Text, nullable=False),
    sa.Column("flags", sa.JSON, nullable=False),
    sa.Column(
        "state",
        sa.Text,
        sa.CheckConstraint("state IN ('open', 'agreed', 'disputed', 'adjudicated', 'withdrawn')"),
        nullable=False,
        index=True,
    ),
    sa.Column("final", sa.JSON(none_as_null=True)),
    sa.Column("task", sa.Text, nullable=False, server_default=""),
    sa.Column("kind", sa.Text, nullable=False, server_default="row"),
    sa.Column("known", sa.JSON(none_as_null=True)),
    sa.Index("item_kind", "kind"),
)
slot = sa.Table(
    "slot",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("item_id", sa.ForeignKey("item.id"), nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id"), index=True),
    sa.Column("leased_ms", sa.BigInteger, nullable=False, default=0),
    sa.Column("open", sa.Boolean, nullable=False, default=True),
    sa.Column("verdict", sa.JSON(none_as_null=True)),
    sa.UniqueConstraint("item_id", "person_id"),
)
sa.Index(
    "open_slots", slot.c.place, slot.c.id, sqlite_where=sa.text("open = 1"), postgresql_where=slot.c.open
)
skipped = sa.Table(
    "skipped",
    TABLES,
    sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id"), primary_key=True),
)
draft = sa.Table(
    "draft",
    TABLES,
    sa.Column("item_id", sa.ForeignKey("item.id"), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("body", sa.JSON, nullable=False),
)
event = sa.Table(
    "event",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("item_id", sa.ForeignKey("item.id"), nullable=False),
    sa.Column("slot_id", sa.ForeignKey("slot.id")),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.UniqueConstraint("person_id", "key"),
    info=APPEND_ONLY,
)
_REFUSE = {
    "sqlite": [
        f"CREATE TRIGGER IF NOT EXISTS {{table}}_{verb} BEFORE {verb} ON {{table}} "
        "BEGIN SELECT RAISE(ABORT, '{table} rows are append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% rows are append-only', TG_TABLE_NAME; END $$",
        "CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
}
"""Statements that make a table append-only."""


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Database:
    """Connections to one desk's tables."""

    def __init__(self, address: str) -> None:
        """Open the database at an SQLAlchemy address, and make its tables or bring them to today's schema.

        Raises:
            AlifError: it cannot be reached, or the address is of another kind.
        """
        try:
            url = sa.make_url(address)
            self.is_sqlite = url.get_backend_name() == "sqlite"
            if not self.is_sqlite and url.drivername != "postgresql+psycopg":
                hint = "--database postgresql+psycopg://USER:PASSWORD@HOST/NAME, or none: SQLite in the run."
                raise AlifError(f"--database: no such kind of database: {url.drivername}", hint)
            self._writer = self._connect(url, writes=True)
            self._reader = self._connect(url, writes=False) if self.is_sqlite else self._writer
            self._prepare(url)
        except sa.exc.ArgumentError as error:
            raise AlifError(f"--database: {error}", "postgresql+psycopg://USER:PASSWORD@HOST/NAME") from error
        except ModuleNotFoundError as error:
            raise MissingExtra("alif desk --database", "postgresql") from error
        except sa.exc.DBAPIError as error:
            raise AlifError(
                f"the desk's database cannot be opened: {error.orig}", "See --database."
            ) from error

    @classmethod
    def at(cls, path: Path) -> Database:
        """Open an SQLite file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(sa.URL.create("sqlite", database=str(path)).render_as_string())

    def _connect(self, url: sa.URL, *, writes: bool) -> sa.Engine:
        if not self.is_sqlite:
            return sa.create_engine(url, pool_size=READERS, max_overflow=0, pool_pre_ping=True)
        engine = sa.create_engine(
            url,
            poolclass=QueuePool,
            pool_size=1 if writes else READERS,  # writers of one process wait in order, not for a lock
            max_overflow=0,
            connect_args={"check_same_thread": False},
        )

        @sa.event.listens_for(engine, "connect")
        def prepare(connection: contextlib.AbstractContextManager[object], record: object) -> None:
            connection.isolation_level = None  # type: ignore[attr-defined]  # transactions are begun below
            for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL",
                           "foreign_keys=ON"):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

        @sa.event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def _prepare(self, url: sa.URL) -> None:
        try:
            with self.writing() as connection:
                if not self.is_sqlite:  # two desks that start at once make the tables once
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(14)"))
                prepare_tables(connection, TABLES, Path(url.database or "") if self.is_sqlite else None)
                for name in (name for name, table in TABLES.tables.items() if table.info == APPEND_ONLY):
                    for statement in _REFUSE[url.get_backend_name()]:
                        connection.execute(sa.text(statement.format(table=name)))
        except BaseException:
            self.close()
            raise

    @contextlib.contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection whose statements happen all or not at all."""
        with self._writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection that waits for no writer."""
        with self._reader.connect() as connection:
            yield connection

    def upsert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        keys: Mapping[str, object],
        values: Mapping[str, object],
        changes: Mapping[str, object] | None = None,
    ) -> None:
        """Add a row, or make `changes` (by default `values`) where one with these `keys` is there."""
        insert = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        named = insert.values(**keys, **values)
        found = changes or values
        connection.execute(
            named.on_conflict_do_update(index_elements=list(keys), set_=found)
            if found
            else named.on_conflict_do_nothing()
        )

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()
