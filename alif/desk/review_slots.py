"""Claim rows, decide on them, take a decision back: a slot is one wanted verdict on one row.

A row that needs two reviewers has two slots, made beforehand, so that it can have neither more nor fewer
verdicts. A claim is one statement and a lease: work is never promised to somebody who went home. Each change
is an event under a key that the browser chose: the same request twice is one event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alif.desk.database import Database, draft, event, item, now_ms, skipped, slot
from alif.desk.people import DeskPerson, Refused
from alif.errors import ReviewError
from alif.language.marked_text import has_hidden
from alif.language.pack import Pack
from alif.records import Example
from alif.review.verdicts import REASONS, TEXTS, check_verdict

__all__ = [
    "BUFFER", "SKIP", "Decision", "Work", "add_event", "claim_slots", "decide_slot", "find_row", "find_work",
    "is_repeated", "read_decision", "save_draft", "undo_last", "verdict_line",
]  # fmt: skip

LEASE_MS = 15 * 60_000
"""Renewed by every claim: a browser at work asks for the next row long before."""
BUFFER = 3
"""Rows that a browser holds, so that the next one is there before the key is up."""
CLAIM_TRIES = 5
"""Two tabs of one person may take two slots of a row at once; the database refuses one, which asks again."""
SKIP = "skip"
MAX_NOTE, MAX_KEY = 2_000, 64
"""Characters."""


class SentDecision(BaseModel):
    """What a browser sends of one; `texts` are all that were edited."""

    model_config = ConfigDict(frozen=True, strict=True)

    decision: str
    reasons: list[str] = []
    texts: dict[str, str] = {}
    note: str = Field("", max_length=MAX_NOTE)
    dwell_ms: int = 0


class Decision(TypedDict):
    """What one person decided on one row; `texts` are those that an edit changed."""

    decision: str
    reasons: list[str]
    texts: dict[str, str]
    note: str
    dwell_ms: int
    name: NotRequired[str]


class Work(TypedDict):
    """A claimed slot with its row."""

    slot: int
    row: Example
    flags: list[Mapping[str, str]]
    draft: Mapping[str, object] | None


def read_decision(
    row: Example, reviewer: str, sent: Mapping[str, object], packs: Mapping[str, Pack | None]
) -> Decision:
    """Return a decision as it was sent, its texts normalised.

    Raises:
        Refused: a reject without a reason, an edit that changes or empties nothing it may, unknown words.
    """
    try:
        read = SentDecision.model_validate(sent)
    except ValidationError as error:
        raise Refused("not_understood", 400) from error
    decision, reasons = read.decision, list(read.reasons)
    if not set(read.texts) <= set(TEXTS) or not set(reasons) <= set(REASONS):
        raise Refused("not_understood", 400)
    found = Decision(decision=decision, reasons=reasons, texts={}, note=read.note, dwell_ms=read.dwell_ms)
    if decision == SKIP:
        return found
    if decision == "reject" and not reasons:
        raise Refused("needs_reason")
    if decision == "approve" and any(has_hidden(getattr(row, name)) for name in TEXTS):
        raise Refused("hidden_left")
    try:
        given = read.texts if decision == "edit" else {}
        line = {"id": row.id, "decision": decision, "reviewer": reviewer, **given}
        placed = check_verdict(line, "edit", {row.id: packs.get(row.language)})
    except ReviewError as error:
        raise Refused("not_accepted", hint=error.message) from error
    changed = ((name, text) for name, text in zip(TEXTS, placed.texts, strict=True) if text is not None)
    found["texts"] = {name: text for name, text in changed if text != getattr(row, name)}
    if decision == "edit" and not found["texts"]:
        raise Refused("nothing_changed")
    return found


def claim_slots(db: Database, who: DeskPerson, wanted: int = BUFFER) -> list[Work]:
    """Renew the person's leases, claim further slots up to `wanted`, and return all with their rows."""
    for attempt in range(CLAIM_TRIES):
        try:
            with db.writing() as connection:
                own = (slot.c.person_id == who.id) & slot.c.open
                lease = {"leased_ms": now_ms() + LEASE_MS}
                renewed = connection.execute(slot.update().where(own).values(lease).returning(slot.c.id))
                claimed = list(renewed.scalars())
                for again in (False, True):  # what the person put off comes when nothing else is left
                    while len(claimed) < wanted:
                        taken = connection.scalar(_claim(who.id, again=again))
                        if taken is None:
                            break
                        claimed.append(taken)
                return find_work(connection, claimed, who)
        except sa.exc.IntegrityError:
            if attempt == CLAIM_TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")


def _claim(person_id: int, *, again: bool) -> sa.Update:
    """Lease the first slot that is free, or whose lease is over, of a row that the person has no slot of."""
    free, own, now = slot.alias("free"), slot.alias("own"), now_ms()
    has_own = sa.exists().where(own.c.item_id == free.c.item_id, own.c.person_id == person_id)
    has_skipped = sa.exists().where(skipped.c.item_id == free.c.item_id, skipped.c.person_id == person_id)
    first = (
        sa.select(free.c.id)
        .where(free.c.open, free.c.person_id.is_(None) | (free.c.leased_ms < now), ~has_own)
        .where(sa.true() if again else ~has_skipped)
        .order_by(free.c.place, free.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    lease = {"person_id": person_id, "leased_ms": now + LEASE_MS}
    return slot.update().where(slot.c.id == first.scalar_subquery()).values(lease).returning(slot.c.id)


def find_work(connection: sa.Connection, slots: Sequence[int], who: DeskPerson) -> list[Work]:
    """Return slots with their rows and the person's drafts."""
    drafts = sa.and_(draft.c.item_id == item.c.id, draft.c.person_id == who.id)
    query = (
        sa.select(slot.c.id, item.c.row, item.c.flags, draft.c.body)
        .select_from(slot.join(item).outerjoin(draft, drafts))
        .where(slot.c.id.in_(slots))
        .order_by(slot.c.place, slot.c.id)
    )
    return [
        Work(slot=found.id, row=Example.model_validate_json(found.row), flags=found.flags, draft=found.body)
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
        if is_repeated(connection, who, key):
            return True
        known = slot.c.id == slot_id
        item_id = connection.scalar(sa.select(slot.c.item_id).where(known))
        connection.execute(sa.select(item.c.id).where(item.c.id == item_id).with_for_update())
        found = connection.execute(sa.select(slot.c.person_id, slot.c.open).where(known)).first()
        if found is None or found.person_id != who.id:
            raise Refused("lease_lost", 409)
        if not found.open:
            raise Refused("already_decided", 409)
        if decision["decision"] == SKIP:
            change: dict[str, object] = {"person_id": None, "leased_ms": 0}
            db.upsert(connection, skipped, {"item_id": item_id, "person_id": who.id}, {})
        else:
            change = {"open": False, "leased_ms": 0, "verdict": decision}
            mine = (draft.c.item_id == item_id) & (draft.c.person_id == who.id)
            connection.execute(draft.delete().where(mine))
        connection.execute(slot.update().where(known).values(change))
        add_event(connection, who, item_id, decision["decision"], key, decision, slot_id)
        given = list(connection.scalars(sa.select(slot.c.verdict).where(slot.c.item_id == item_id)))
        if all(given):
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
        state = connection.scalar(sa.select(item.c.state).where(known).with_for_update())
        if state not in ("open", "agreed", "disputed"):
            raise Refused("frozen", 409)
        change = {"open": True, "verdict": sa.null(), "leased_ms": now_ms() + LEASE_MS}
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


def verdict_line(item_id: str, reviewer: str, decision: Decision, *, final: bool) -> dict[str, object]:
    """Return a verdict as the run's file has it: the first reason decides, the others stand in the note."""
    reasons = decision["reasons"] if decision["decision"] == "reject" else []
    note = "; ".join(filter(None, [decision["note"], *(f"also {reason}" for reason in reasons[1:])]))
    line = {"id": item_id, "decision": decision["decision"], "reviewer": reviewer, **decision["texts"]}
    more = {"reason": "".join(reasons[:1]), "note": note, "final": final}
    return line | {name: value for name, value in more.items() if value}
