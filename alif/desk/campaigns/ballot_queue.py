"""Which card a person gets next: cards are leased like rows of the review, along the seats of the design.

A person works along a seat, in which each prompt occurs once. Only where the plan has a second pass, and when
nothing else is left, comes a prompt that the person has seen with another answer; last comes what the person
put off, and never the same answer. What leaves here has random ids and no source: `blind_key` is not read.
"""

from __future__ import annotations

import hashlib
from collections import Counter

import sqlalchemy as sa

from alif.desk.campaigns.campaign_plan import CampaignPlan, parse_plan
from alif.desk.campaigns.campaign_tables import amendment, ballot, ballot_event, campaign
from alif.desk.database import Database, now_ms
from alif.desk.people import DeskPerson, Refused
from alif.desk.review_slots import LEASE_MS

__all__ = [
    "Slot", "claim_ballots", "count_given", "find_held", "find_put_off", "has_guessed", "lock_campaign",
    "pick_ballot", "select_ballots",
]  # fmt: skip

BUFFER = 2
"""Cards that a browser holds."""
Slot = sa.Row[tuple[str, str, str, str, list[str], int, int]]
"""id, kind, prompt, card, answers, seat, block."""


def claim_ballots(db: Database, who: DeskPerson, campaign_id: str) -> list[Slot]:
    """Renew the person's leases and lease further cards; those whose source is to be guessed come alone.

    Raises:
        Refused: the campaign is not open.
    """
    with db.writing() as connection:
        plan = lock_campaign(connection, campaign_id)
        own = (ballot.c.campaign_id == campaign_id) & (ballot.c.person_id == who.id) & ballot.c.open
        if has_guessed(connection, campaign_id, who):
            return select_ballots(connection, own)[:BUFFER]
        lease = {"leased_ms": now_ms() + LEASE_MS, "person_id": who.id}
        held = select_ballots(connection, own & (ballot.c.kind == "vote"))
        given = count_given(connection, campaign_id, who)
        waiting = select_ballots(connection, own & (ballot.c.kind == "repeat"))
        due = select_ballots(connection, own & (ballot.c.kind == "repeat") & (ballot.c.due <= given))
        held = [*due, *held][:BUFFER]
        while len(held) < BUFFER:
            new = (
                pick_ballot(connection, campaign_id, who, plan)
                or [one for one in waiting if one not in held][:1]
            )
            if not new:
                break
            held += new
            connection.execute(ballot.update().where(ballot.c.id == new[0].id).values(lease))
        connection.execute(ballot.update().where(ballot.c.id.in_([one.id for one in held])).values(lease))
        return held


def lock_campaign(connection: sa.Connection, campaign_id: str) -> CampaignPlan:
    """Return the plan of an open campaign as it is amended; nobody else claims or judges meanwhile.

    Raises:
        Refused: the campaign is not open.
    """
    query = sa.select(campaign.c.state, campaign.c.plan).where(campaign.c.id == campaign_id)
    found = connection.execute(query.with_for_update()).first()
    if found is None:
        raise Refused("no_such_page", 404)
    if found.state != "open":
        raise Refused(f"campaign_{found.state}", 409)
    changes = sa.select(amendment.c.plan).where(amendment.c.campaign_id == campaign_id)
    return parse_plan(connection.scalar(changes.order_by(amendment.c.id.desc())) or found.plan)


def select_ballots(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[Slot]:
    """Return ballots, those due first."""
    names = ("id", "kind", "prompt", "card", "answers", "seat", "block")
    query = sa.select(*(ballot.c[name] for name in names)).where(where)
    return list(connection.execute(query.order_by(ballot.c.due, ballot.c.id)))


def find_held(db: Database, who: DeskPerson, ballot_id: str) -> list[Slot]:
    """Return a card if the person holds it."""
    with db.reading() as connection:
        mine = (ballot.c.id == ballot_id) & (ballot.c.person_id == who.id) & ballot.c.open
        return select_ballots(connection, mine)


def has_guessed(connection: sa.Connection, campaign_id: str, who: DeskPerson) -> bool:
    """Tell whether the person has been asked for guesses, and so has read what the sources are called."""
    mine = (ballot.c.campaign_id == campaign_id) & (ballot.c.person_id == who.id) & (ballot.c.kind == "guess")
    return connection.scalar(sa.select(ballot.c.id).where(mine).limit(1)) is not None


def count_given(connection: sa.Connection, campaign_id: str, who: DeskPerson) -> int:
    """Return how many cards the person has judged."""
    mine = (ballot.c.campaign_id == campaign_id) & (ballot.c.person_id == who.id) & ~ballot.c.open
    return connection.scalar(sa.select(sa.func.count()).where(mine, ballot.c.kind != "guess")) or 0


def find_put_off(connection: sa.Connection, campaign_id: str, who: DeskPerson) -> set[str]:
    """Return the ids of the cards that the person put off."""
    skips = (ballot_event.c.person_id == who.id) & (ballot_event.c.kind == "skip")
    query = sa.select(ballot_event.c.ballot_id).select_from(ballot_event.join(ballot)).where(skips)
    return set(connection.scalars(query.where(ballot.c.campaign_id == campaign_id)))


def pick_ballot(
    connection: sa.Connection, campaign_id: str, who: DeskPerson, plan: CampaignPlan
) -> list[Slot]:
    """Return the next card of the person, if there is one.

    The blocks of a seat, and the cards of a block, have an order of their own for each person; a block that
    is not whole comes last.
    """
    here = (ballot.c.campaign_id == campaign_id) & (ballot.c.kind == "vote")
    mine = select_ballots(connection, here & (ballot.c.person_id == who.id))
    seen, cards, seats = (Counter(one[column] for one in mine) for column in (2, 3, 5))
    put_off = find_put_off(connection, campaign_id, who)
    last_block = connection.scalar(sa.select(sa.func.max(ballot.c.block)).where(here))
    free = here & ballot.c.open & (ballot.c.person_id.is_(None) | (ballot.c.leased_ms < now_ms()))
    people: dict[int, int] = {}

    def rank(one: Slot) -> tuple[object, ...]:
        parts = (f"{who.id}/{campaign_id}/{one.block}", f"{who.id}/{one.id}")
        block, place = (hashlib.sha256(part.encode()).hexdigest() for part in parts)
        seat = (not seats[one.seat], people.get(one.seat, 0), one.seat)
        return one.id in put_off, seen[one.prompt], *seat, one.block == last_block, block, place

    def find_best(where: sa.ColumnElement[bool]) -> Slot | None:
        found = [one for one in select_ballots(connection, where) if one.card not in cards]
        unseen = (one for one in found if plan.second_pass or not seen[one.prompt])
        return min(unseen, key=rank, default=None)

    best = find_best(free & ballot.c.seat.in_(seats))
    if best is None or best.id in put_off or seen[best.prompt]:
        by_seat = sa.select(ballot.c.seat, sa.func.count(ballot.c.person_id.distinct())).where(here)
        people = dict(connection.execute(by_seat.group_by(ballot.c.seat)).all())
        best = find_best(free)
    return [] if best is None else [best]
