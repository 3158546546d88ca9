"""Claim rows, decide on them, take a decision back: a slot is one wanted verdict on one row.

A row that needs two reviewers has two slots, made beforehand, so that it can have neither more nor fewer
verdicts. A claim is one statement and a lease: work is never promised to somebody who went home. Each change
is an event under a key that the browser chose: the same request twice is one event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

import sqlalchemy as sa

from alif.desk.database import Database, draft, event, item, now_ms, skipped, slot
from alif.desk.decisions import SKIP, Decision
from alif.desk.people import DeskPerson, Refused
from alif.desk.practice import FOREVER, find_practice, hidden_tasks, is_told
from alif.records import Example

__all__ = [
    "BUFFER", "AddChecks", "Work", "add_event", "claim_slots", "decide_slot", "find_row", "find_work",
    "is_repeated", "save_draft", "store_decision", "undo_last",
]  # fmt: skip

LEASE_MS = 15 * 60_000
"""Renewed by every claim: a browser at work asks for the next row long before."""
BUFFER = 3
"""Rows that a browser holds, so that the next one is there before the key is up."""
CLAIM_TRIES = 5
"""Two tabs of one person may take two slots of a row at once; the database refuses one, which asks again."""
MAX_KEY = 64
"""Characters."""


AddChecks = Callable[[sa.Connection, DeskPerson, Sequence[int]], list[int]]
"""Returns slots of checks beside the rows that a person has just claimed."""


class Work(TypedDict):
    """A claimed slot with its row."""

    slot: int
    kind: str
    """"calibration", "norming", or "row": what a check of the reading is is told to nobody."""
    row: Example
    flags: list[Mapping[str, str]]
    draft: Mapping[str, object] | None


def claim_slots(
    db: Database, who: DeskPerson, wanted: int = BUFFER, add_checks: AddChecks | None = None
) -> list[Work]:
    """Renew the person's leases, claim further slots up to `wanted`, and return all with their rows.

    What an annotator practises on comes before any work, checks of the reading among it.
    """
    for attempt in range(CLAIM_TRIES):
        try:
            with db.writing() as connection:
                practice = find_practice(connection, who, wanted)
                claimed = practice.slots
                if not claimed and not practice.waits:
                    claimed = _claim_work(connection, who, wanted, add_checks)
                return find_work(connection, claimed, who)
        except sa.exc.IntegrityError:
            if attempt == CLAIM_TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")


def _claim_work(
    connection: sa.Connection, who: DeskPerson, wanted: int, add_checks: AddChecks | None
) -> list[int]:
    own, lease = (slot.c.person_id == who.id) & slot.c.open, {"leased_ms": now_ms() + LEASE_MS}
    connection.execute(slot.update().where(own, slot.c.leased_ms < FOREVER).values(lease))
    hidden = hidden_tasks(connection, who)
    mine = sa.select(slot.c.id).select_from(slot.join(item)).where(own, slot.c.place >= 0)
    claimed = list(connection.scalars(mine.where(item.c.task.not_in(hidden))))
    held = len(claimed)
    for again in (False, True):  # what the person put off comes when nothing else is left
        while len(claimed) < wanted:
            taken = connection.scalar(_claim(who.id, hidden, again=again))
            if taken is None:
                break
            claimed.append(taken)
    return claimed + (add_checks(connection, who, claimed[held:]) if add_checks else [])


def _claim(person_id: int, hidden: Sequence[str], *, again: bool) -> sa.Update:
    """Lease the first slot that is free, or whose lease is over, of a row that the person has no slot of."""
    free, own, now = slot.alias("free"), slot.alias("own"), now_ms()
    has_own = sa.exists().where(own.c.item_id == free.c.item_id, own.c.person_id == person_id)
    has_skipped = sa.exists().where(skipped.c.item_id == free.c.item_id, skipped.c.person_id == person_id)
    is_hidden = sa.exists().where(item.c.id == free.c.item_id, item.c.task.in_(hidden))
    first = (
        sa.select(free.c.id)
        .where(free.c.open, free.c.person_id.is_(None) | (free.c.leased_ms < now), ~has_own)
        .where(sa.true() if again else ~has_skipped, ~is_hidden if hidden else sa.true())
        .order_by(free.c.place, free.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    lease = {"person_id": person_id, "leased_ms": now + LEASE_MS}
    return slot.update().where(slot.c.id == first.scalar_subquery()).values(lease).returning(slot.c.id)


def find_work(connection: sa.Connection, slots: Sequence[int], who: DeskPerson) -> list[Work]:
    """Return slots with their rows and the person's drafts; what the person put off comes last."""
    drafts = sa.and_(draft.c.item_id == item.c.id, draft.c.person_id == who.id)
    put_off = sa.and_(skipped.c.item_id == item.c.id, skipped.c.person_id == who.id)
    query = (
        sa.select(slot.c.id, item.c.kind, item.c.row, item.c.flags, draft.c.body)
        .select_from(slot.join(item).outerjoin(draft, drafts).outerjoin(skipped, put_off))
        .where(slot.c.id.in_(slots))
        .order_by(skipped.c.item_id.is_not(None), slot.c.place, slot.c.id)
    )
    return [
        Work(
            slot=found.id,
            kind="row" if found.kind == "check" else found.kind,
            row=Example.model_validate_json(found.row),
            flags=found.flags,
            draft=found.body,
        )
        for found in connection.execute(query)
    ]


def find_row(db: Database, slot_id: int, who: DeskPerson | None = None) -> Example:
    """Return a slot's row; with `who` only if it is that person's.

    Raises:
        Refused: there is no such slot, or it is somebody else's.
    """
    query = sa.select(item.c.row).select_from(slot.join(item)).where(slot.c.id == slot_id)
    with db.reading() as connection:
        found = connection.scalar(query if who is None else query.where(slot.c.person_id == who.id))
    if found is None:
        raise Refused("lease_lost", 409)
    return Example.model_validate_json(found)


def decide_slot(db: Database, who: DeskPerson, slot_id: int, key: str, decision: Decision) -> bool:
    """Store a decision once, and settle the row when it is the last; return whether it was stored before.

    Raises:
        Refused: the slot is somebody else's, or decided already; nothing is stored.
    """
    with db.writing() as connection:
        return store_decision(db, connection, who, slot_id, key, decision)


def store_decision(
    db: Database, connection: sa.Connection, who: DeskPerson, slot_id: int, key: str, decision: Decision
) -> bool:
    """Do what `decide_slot` does within a transaction that is under way."""
    if is_repeated(connection, who, key):
        return True
    known = slot.c.id == slot_id
    item_id = connection.scalar(sa.select(slot.c.item_id).where(known))
    of_run = sa.select(item.c.kind).where(item.c.id == item_id).with_for_update()
    is_work = connection.scalar(of_run) == "row"
    found = connection.execute(sa.select(slot.c.person_id, slot.c.open).where(known)).first()
    if found is None or found.person_id != who.id:
        raise Refused("lease_lost", 409)
    if not found.open:
        raise Refused("already_decided", 409)
    if decision["decision"] == SKIP and not is_work:  # nobody else's to read
        change: dict[str, object] = {"open": False}
    elif decision["decision"] == SKIP:
        change = {"person_id": None, "leased_ms": 0}
        db.upsert(connection, skipped, {"item_id": item_id, "person_id": who.id}, {})
    else:
        change = {"open": False, "leased_ms": 0, "verdict": decision}
        mine = (draft.c.item_id == item_id) & (draft.c.person_id == who.id)
        connection.execute(draft.delete().where(mine))
    connection.execute(slot.update().where(known).values(change))
    add_event(connection, who, item_id, decision["decision"], key, decision, slot_id)
    given = list(connection.scalars(sa.select(slot.c.verdict).where(slot.c.item_id == item_id)))
    if is_work and all(given):
        agree = all(_meaning(one) == _meaning(given[0]) for one in given)
        state = "agreed" if agree else "disputed"
        connection.execute(item.update().where(item.c.id == item_id).values(state=state))
    return False


def _meaning(decision: Decision) -> tuple[str, dict[str, str]]:
    """Return what two verdicts must share to agree: not their reasons and notes."""
    return decision["decision"], decision["texts"]


def undo_last(db: Database, who: DeskPerson, key: str) -> list[Work]:
    """Take back the person's last decision; return its row, leased again.

    Raises:
        Refused: there is none, or a lead has decided on the row.
    """
    with db.writing() as connection:
        if is_repeated(connection, who, key):
            return []
        query = (
            sa.select(slot.c.id, slot.c.item_id)
            .select_from(slot.join(event, event.c.slot_id == slot.c.id))
            .where(slot.c.person_id == who.id, ~slot.c.open, event.c.person_id == who.id)
            .order_by(event.c.id.desc())
            .limit(1)
        )
        last = connection.execute(query).first()
        if last is None:
            raise Refused("nothing_to_undo", 409)
        known = item.c.id == last.item_id
        row = connection.execute(sa.select(item.c.state, item.c.kind).where(known).with_for_update()).one()
        if row.state not in ("open", "agreed", "disputed") or is_told(connection, row.kind):
            raise Refused("frozen", 409)
        until = now_ms() + LEASE_MS if row.kind == "row" else FOREVER
        change = {"open": True, "verdict": sa.null(), "leased_ms": until}
        connection.execute(slot.update().where(slot.c.id == last.id).values(change))
        connection.execute(item.update().where(known).values(state="open"))
        add_event(connection, who, last.item_id, "undo", key, {}, last.id)
        return find_work(connection, [last.id], who)


def save_draft(db: Database, who: DeskPerson, slot_id: int, body: Mapping[str, object]) -> None:
    """Keep what the person has typed; it outlives the lease.

    Raises:
        Refused: the slot is not the person's, who has no draft of it either.
    """
    with db.writing() as connection:
        query = sa.select(slot.c.item_id).where(slot.c.id == slot_id, slot.c.person_id == who.id, slot.c.open)
        item_id = connection.scalar(query)
        if item_id is None:
            raise Refused("lease_lost", 409)
        db.upsert(connection, draft, {"item_id": item_id, "person_id": who.id}, {"body": body})


def is_repeated(connection: sa.Connection, who: DeskPerson, key: str) -> bool:
    """Tell whether the person's request of this key was done before.

    Raises:
        Refused: no such key can be.
    """
    if not 8 <= len(key) <= MAX_KEY:
        raise Refused("not_understood", 400)
    known = (event.c.person_id == who.id) & (event.c.key == key)
    return connection.scalar(sa.select(event.c.id).where(known)) is not None


def add_event(
    connection: sa.Connection,
    who: DeskPerson,
    item_id: str | None,
    kind: str,
    key: str,
    body: Mapping[str, object],
    slot_id: int | None = None,
) -> None:
    """Write what happened; nothing changes it afterwards."""
    connection.execute(
        event.insert().values(
            at_ms=now_ms(), person_id=who.id, item_id=item_id, slot_id=slot_id, kind=kind, key=key, body=body
        )
    )
