"""What an annotator reads before the work: rows with known answers, then the rows that everybody reads.

Both are copies that stand apart from the run's rows, `item.kind` says so: their verdicts never reach the run.
Everybody gets a slot of their own on each. Calibration shows the known answer after each decision. Norming is
blind; once a lead closes it, its agreement is shown, and the work begins for all who have read it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple, TypedDict

import sqlalchemy as sa

from alif.desk.database import Database, item, person, slot
from alif.desk.desk_settings import has_opted_out, read_settings, store_settings
from alif.desk.people import DeskPerson, Refused
from alif.records import Example

__all__ = [
    "FOREVER", "Known", "NormingRow", "Practice", "add_calibration", "close_norming", "count_norming",
    "draw_norming", "find_known", "find_practice", "has_read", "hidden_tasks", "is_told", "list_calibration",
    "list_norming", "release_hidden", "remove_calibration", "waits_for_others",
]  # fmt: skip

FOREVER = 2**62
"""The lease of a slot that is one person's alone."""
KINDS = ("calibration", "norming")
"""In the order in which they are read."""
FIRST = -(10**15)
"""Place of the first row of practice: before all work."""


class Known(TypedDict):
    """The known answer to a row, and what is told to whoever has decided on it."""

    decision: str
    reasons: list[str]
    note: str


class Practice(NamedTuple):
    """Where a person stands before the work."""

    slots: list[int]
    waits: bool
    """Whether all is read, and the others' reading is waited for."""


class NormingRow(NamedTuple):
    """A row that everybody read, with how many decided how."""

    row: Example
    decisions: Mapping[str, int]


def hidden_tasks(connection: sa.Connection, who: DeskPerson) -> tuple[str, ...]:
    """Return the tasks of which a person gets no rows."""
    return read_settings(connection).sensitive_tasks if has_opted_out(connection, who.id) else ()


def find_practice(connection: sa.Connection, who: DeskPerson, wanted: int) -> Practice:
    """Return the next slots of practice of an annotator, made where they are missing."""
    if who.role != "annotator":
        return Practice([], waits=False)
    theirs = (
        item.c.kind.in_(KINDS) & (item.c.state == "open") & item.c.task.not_in(hidden_tasks(connection, who))
    )
    has = sa.exists().where(slot.c.item_id == item.c.id, slot.c.person_id == who.id)
    order = sa.case((item.c.kind == KINDS[0], 0), else_=1)
    missing = connection.scalars(sa.select(item.c.id).where(theirs, ~has).order_by(order, item.c.id)).all()
    if missing:
        given = (
            sa.select(sa.func.count()).select_from(slot).where(slot.c.place < 0, slot.c.person_id == who.id)
        )
        first = FIRST + (connection.scalar(given) or 0)
        rows = [
            {"item_id": one, "place": first + at, "person_id": who.id, "leased_ms": FOREVER}
            for at, one in enumerate(missing)
        ]
        connection.execute(slot.insert(), rows)
    query = (
        sa.select(slot.c.id)
        .select_from(slot.join(item))
        .where(slot.c.person_id == who.id, slot.c.open, theirs)
        .order_by(order, slot.c.place)
        .limit(wanted)
    )
    found = list(connection.scalars(query))
    return Practice(found, waits=not found and waits_for_others(connection, who))


def waits_for_others(connection: sa.Connection, who: DeskPerson) -> bool:
    """Tell whether an annotator who has read all norming rows has to wait until a lead closes them."""
    return who.role == "annotator" and read_settings(connection).norming == "open"


def is_told(connection: sa.Connection, kind: str) -> bool:
    """Tell whether readers of a kind of rows know how others decided: then nothing is taken back."""
    return kind == "calibration" or (kind == "norming" and read_settings(connection).norming == "closed")


def find_known(connection: sa.Connection, slot_id: int) -> Known | None:
    """Return the known answer to a row of calibration that was decided on; None for other rows."""
    theirs = (slot.c.id == slot_id) & slot.c.verdict.is_not(None) & (item.c.kind == "calibration")
    return connection.scalar(sa.select(item.c.known).select_from(slot.join(item)).where(theirs))


def release_hidden(connection: sa.Connection, who: DeskPerson) -> None:
    """Give back the rows of the run that a person holds and does not want to read."""
    tasks = sa.select(item.c.id).where(item.c.task.in_(hidden_tasks(connection, who)))
    held = (slot.c.person_id == who.id) & slot.c.open & slot.c.item_id.in_(tasks)
    connection.execute(
        slot.update().where(held, slot.c.leased_ms < FOREVER).values(person_id=None, leased_ms=0)
    )


def add_calibration(db: Database, item_id: str, known: Known) -> None:
    """Copy a row of the run for everybody to practise on, with its known answer.

    Raises:
        Refused: there is no such row.
    """
    with db.writing() as connection:
        row = connection.scalar(sa.select(item.c.row).where(item.c.id == item_id, item.c.kind == "row"))
        if row is None:
            raise Refused("no_such_page", 404)
        _copy(db, connection, Example.model_validate_json(row), "calibration", {**known})


def _copy(
    db: Database, connection: sa.Connection, row: Example, kind: str, known: Mapping[str, object] | None
) -> None:
    values = {"row": row.model_dump_json(), "task": row.task, "kind": kind, "known": known, "state": "open"}
    flags = connection.scalar(sa.select(item.c.flags).where(item.c.id == row.id)) or []
    db.upsert(connection, item, {"id": f"{kind} {row.id}"}, {**values, "flags": flags})


def remove_calibration(db: Database, item_id: str) -> None:
    """Show a row of practice to nobody any more; what was decided on it stays."""
    with db.writing() as connection:
        known = (item.c.id == item_id) & (item.c.kind == "calibration")
        connection.execute(item.update().where(known).values(state="withdrawn"))


def list_calibration(connection: sa.Connection) -> list[tuple[str, Example, Known]]:
    """Return the rows with known answers that annotators practise on."""
    theirs = (item.c.kind == "calibration") & (item.c.state == "open")
    query = sa.select(item.c.id, item.c.row, item.c.known).where(theirs).order_by(item.c.id)
    return [(one.id, Example.model_validate_json(one.row), one.known) for one in connection.execute(query)]


def draw_norming(db: Database, rows: int) -> None:
    """Draw the rows that everybody reads before the work, once.

    Raises:
        Refused: they were drawn before, or there are no rows.
    """
    with db.writing() as connection:
        query = sa.select(item.c.row).where(item.c.kind == "row", item.c.state != "withdrawn")
        found = list(connection.scalars(query.order_by(item.c.id)))
        if not found or read_settings(connection).norming != "none":
            raise Refused("norming_drawn", 409)
        for row in random.SystemRandom().sample(found, min(rows, len(found))):
            _copy(db, connection, Example.model_validate_json(row), "norming", None)
        store_settings(db, connection, norming="open")


def close_norming(db: Database) -> None:
    """Show the agreement on the norming rows, and let the work begin."""
    with db.writing() as connection:
        if read_settings(connection).norming == "open":
            store_settings(db, connection, norming="closed")


def count_norming(connection: sa.Connection) -> list[tuple[str, int, int]]:
    """Return who has read how many of the norming rows they have got, by name."""
    read = sa.func.count().filter(~slot.c.open)
    query = (
        sa.select(person.c.name, read, sa.func.count())
        .select_from(slot.join(item).join(person, person.c.id == slot.c.person_id))
        .where(item.c.kind == "norming")
        .group_by(person.c.name)
        .order_by(person.c.name)
    )
    return [(name, done, of) for name, done, of in connection.execute(query)]


def has_read(connection: sa.Connection, who: DeskPerson) -> bool:
    """Tell whether a person may see how the norming rows were decided: a lead, or who has read them all."""
    done = sa.exists().where(slot.c.item_id == item.c.id, slot.c.person_id == who.id, ~slot.c.open)
    left = sa.select(item.c.id).where(item.c.kind == "norming", ~done)
    left = left.where(item.c.task.not_in(hidden_tasks(connection, who)))
    return who.may("lead") or connection.scalar(left.limit(1)) is None


def list_norming(connection: sa.Connection) -> list[NormingRow]:
    """Return the norming rows with what was decided on each, those that differ most first; no names."""
    given: dict[str, dict[str, int]] = {}
    query = (
        sa.select(item.c.row, slot.c.verdict)
        .select_from(item.join(slot))
        .where(item.c.kind == "norming", slot.c.verdict.is_not(None))
        .order_by(item.c.id)
    )
    for row, verdict in connection.execute(query):
        counts = given.setdefault(row, {})
        counts[verdict["decision"]] = counts.get(verdict["decision"], 0) + 1
    found = [NormingRow(Example.model_validate_json(row), counts) for row, counts in given.items()]
    return sorted(found, key=lambda one: max(one.decisions.values()) / sum(one.decisions.values()))
