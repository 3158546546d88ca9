"""Where reviewers disagree a lead decides, seeing their verdicts without names; and how far they agree."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from alif.desk.database import Database, item, now_ms, slot
from alif.desk.decisions import Decision
from alif.desk.label_agreement import Agreement, measure_labels
from alif.desk.people import DeskPerson, Refused
from alif.desk.practice import FOREVER
from alif.desk.review_slots import add_event, is_repeated
from alif.records import Example

__all__ = [
    "Dispute",
    "Progress",
    "adjudicate",
    "find_dispute",
    "measure_agreement",
    "measure_own",
    "measure_progress",
]

DECISIONS = ("approve", "edit", "reject")
"""Labels that agreement is of."""


class Dispute(NamedTuple):
    """A row on which reviewers disagree."""

    row: Example
    verdicts: list[Decision]
    left: int
    """Rows that wait for a lead, this one included."""


class Progress(NamedTuple):
    """Where the review stands."""

    states: Mapping[str, int]
    wanted: int
    given: int
    leased: int


def find_dispute(db: Database) -> Dispute | None:
    """Return the first row that waits for a lead; its verdicts stand in an order that tells no one's name."""
    query = sa.select(item.c.id, item.c.row).where(item.c.state == "disputed").order_by(item.c.id)
    with db.reading() as connection:
        found = connection.execute(query).all()
        if not found:
            return None
        verdicts = sa.select(slot.c.verdict).where(slot.c.item_id == found[0].id).order_by(slot.c.id)
        given: list[Decision] = [one for one in connection.scalars(verdicts) if one]
    random.Random(found[0].id).shuffle(given)
    return Dispute(Example.model_validate_json(found[0].row), given, len(found))


def adjudicate(db: Database, who: DeskPerson, item_id: str, key: str, decision: Decision) -> None:
    """Store a lead's decision on a row on which reviewers disagree.

    Raises:
        Refused: the row does not wait for a lead.
    """
    with db.writing() as connection:
        if is_repeated(connection, who, key):
            return
        known = item.c.id == item_id
        if connection.scalar(sa.select(item.c.state).where(known).with_for_update()) != "disputed":
            raise Refused("not_disputed", 409)
        final = {**decision, "name": who.name}
        connection.execute(item.update().where(known).values(state="adjudicated", final=final))
        add_event(connection, who, item_id, "adjudicate", key, decision)


def measure_agreement(db: Database, kind: str = "row") -> Agreement:
    """Return the agreement of all verdicts that were given independently, before any lead decided."""
    query = (
        sa.select(slot.c.item_id, slot.c.person_id, slot.c.verdict)
        .select_from(slot.join(item))
        .where(slot.c.verdict.is_not(None), item.c.kind == kind)
    )
    by_item: dict[str, dict[str, str]] = defaultdict(dict)
    with db.reading() as connection:
        for item_id, person_id, verdict in connection.execute(query.order_by(slot.c.id)):
            by_item[item_id][str(person_id)] = verdict["decision"]
    return measure_labels(list(by_item.values()), DECISIONS)


def measure_progress(db: Database) -> Progress:
    """Return how many rows are in which state, and how many verdicts are wanted, given and under way."""
    given = slot.c.verdict.is_not(None)
    counts = (
        sa.select(
            sa.func.count().filter(slot.c.open | given),
            sa.func.count().filter(given),
            sa.func.count().filter(slot.c.open, slot.c.leased_ms > now_ms()),
        )
        .select_from(slot.join(item))
        .where(item.c.kind == "row")
    )
    by_state = sa.select(item.c.state, sa.func.count()).where(item.c.kind == "row").group_by(item.c.state)
    with db.reading() as connection:
        states = connection.execute(by_state).all()
        return Progress(dict(states), *connection.execute(counts).one())


def measure_own(db: Database, who: DeskPerson) -> dict[str, int]:
    """Return how many verdicts a person gave, and how many are wanted of anybody."""
    own = sa.select(sa.func.count()).where(slot.c.person_id == who.id, slot.c.verdict.is_not(None))
    free = slot.c.leased_ms < FOREVER  # what others practise on is wanted of them alone
    wanted = (
        sa.select(sa.func.count()).select_from(slot).where(slot.c.open, free | (slot.c.person_id == who.id))
    )
    with db.reading() as connection:
        return {"given": connection.scalar(own) or 0, "left": connection.scalar(wanted) or 0}
