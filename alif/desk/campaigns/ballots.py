"""Judge a card, take a judgement back, put a card off, and end by guessing whose the answers were.

Each request has a key that the browser chose, so the same request twice is one event. Nothing removes an
event: a judgement that was taken back is still there. What leaves here names no source before the guesses.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from alif.desk.campaigns.ballot_queue import (
    Slot,
    count_given,
    find_put_off,
    has_guessed,
    lock_campaign,
    pick_ballot,
    select_ballots,
)
from alif.desk.campaigns.campaign_tables import ballot, ballot_event, blind_answer
from alif.desk.campaigns.judgement import check_judgement, read_judgement
from alif.desk.database import Database, now_ms
from alif.desk.people import DeskPerson, Refused
from alif.desk.review_slots import LEASE_MS, MAX_KEY
from alif.sampling import seeded_rng

__all__ = ["cast_ballot", "count_own", "finish_judging", "put_off", "read_answers", "take_back"]

REPEAT_AFTER = 10
"""Cards between the two times that a person sees a pair."""


def cast_ballot(db: Database, who: DeskPerson, ballot_id: str, key: str, sent: Mapping[str, object]) -> bool:
    """Store a judgement once; return whether it was stored before.

    Raises:
        Refused: it is none, the card is somebody else's or judged already, or the campaign is not open.
    """
    judgement = read_judgement(sent)
    with db.writing() as connection:
        if _is_repeated(connection, who, key):
            return True
        known = ballot.c.id == ballot_id
        campaign_id = connection.scalar(sa.select(ballot.c.campaign_id).where(known))
        if campaign_id is None:
            raise Refused("lease_lost", 409)
        plan = lock_campaign(connection, campaign_id)
        found = connection.execute(sa.select(ballot).where(known)).one()
        if found.person_id != who.id:
            raise Refused("lease_lost", 409)
        if not found.open:
            raise Refused("already_decided", 409)
        check_judgement(judgement, found.kind, plan)
        body = judgement.model_dump(exclude_defaults=True)
        change = {"open": False, "leased_ms": 0, "judgement": body}
        connection.execute(ballot.update().where(known).values(change))
        _add_event(connection, who, ballot_id, found.kind, key, body)
        again = (ballot.c.card == found.card) & (ballot.c.kind == "repeat") & (ballot.c.person_id == who.id)
        if found.twice and connection.scalar(sa.select(ballot.c.id).where(again)) is None:
            due = count_given(connection, campaign_id, who) + REPEAT_AFTER
            _add_ballot(connection, who, found, "repeat", found.answers[::-1], due)
    return False


def _add_ballot(
    connection: sa.Connection, who: DeskPerson, like: Slot, kind: str, answers: list[str], due: int
) -> None:
    """Add a card for this person alone."""
    copied = {name: getattr(like, name) for name in ("campaign_id", "prompt", "seat", "block")}
    own = {"id": secrets.token_hex(8), "kind": kind, "answers": answers, "due": due}
    card = " ".join(sorted(answers))
    connection.execute(ballot.insert().values(**copied, **own, card=card, twice=False, person_id=who.id))


def _is_repeated(connection: sa.Connection, who: DeskPerson, key: str) -> bool:
    if not 8 <= len(key) <= MAX_KEY:
        raise Refused("not_understood", 400)
    known = (ballot_event.c.person_id == who.id) & (ballot_event.c.key == key)
    return connection.scalar(sa.select(ballot_event.c.id).where(known)) is not None


def _add_event(
    connection: sa.Connection,
    who: DeskPerson,
    ballot_id: str,
    kind: str,
    key: str,
    body: Mapping[str, object],
) -> None:
    connection.execute(
        ballot_event.insert().values(
            at_ms=now_ms(), person_id=who.id, ballot_id=ballot_id, kind=kind, key=key, body=body
        )
    )


def take_back(db: Database, who: DeskPerson, campaign_id: str, key: str) -> list[Slot]:
    """Take back the person's last judgement; return its card, leased again.

    Raises:
        Refused: there is none, the campaign is not open, or the person has read what the sources are called.
    """
    with db.writing() as connection:
        lock_campaign(connection, campaign_id)
        if _is_repeated(connection, who, key):
            return []
        if has_guessed(connection, campaign_id, who):
            raise Refused("guesses_begun", 409)
        mine = (ballot.c.campaign_id == campaign_id) & (ballot.c.person_id == who.id)
        query = (
            sa.select(ballot.c.id)
            .select_from(ballot.join(ballot_event))
            .where(mine, ~ballot.c.open, ballot_event.c.person_id == who.id)
            .order_by(ballot_event.c.id.desc())
            .limit(1)
        )
        last = connection.scalar(query)
        if last is None:
            raise Refused("nothing_to_undo", 409)
        change = {"open": True, "judgement": sa.null(), "leased_ms": now_ms() + LEASE_MS}
        connection.execute(ballot.update().where(ballot.c.id == last).values(change))
        _add_event(connection, who, last, "undo", key, {})
        return select_ballots(connection, ballot.c.id == last)


def put_off(db: Database, who: DeskPerson, ballot_id: str, key: str) -> None:
    """Leave a card to somebody else; it comes back to the person when nothing else is left.

    Raises:
        Refused: the card is not the person's, or it is shown for the second time.
    """
    with db.writing() as connection:
        if _is_repeated(connection, who, key):
            return
        mine = (ballot.c.id == ballot_id) & (ballot.c.person_id == who.id) & ballot.c.open
        free = {"person_id": None, "leased_ms": 0}
        if not connection.execute(ballot.update().where(mine, ballot.c.kind == "vote").values(free)).rowcount:
            raise Refused("lease_lost", 409)
        _add_event(connection, who, ballot_id, "skip", key, {})


def finish_judging(db: Database, who: DeskPerson, campaign_id: str) -> None:
    """End the person's judging and ask for guesses, once nothing is left but what the person put off.

    Raises:
        Refused: there is something left, or nothing was judged.
    """
    with db.writing() as connection:
        plan = lock_campaign(connection, campaign_id)
        if has_guessed(connection, campaign_id, who):
            return
        mine = (ballot.c.campaign_id == campaign_id) & (ballot.c.person_id == who.id)
        first = mine & (ballot.c.kind == "vote")
        judged = connection.execute(
            sa.select(ballot).where(first, ~ballot.c.open).order_by(ballot.c.id)
        ).all()
        later = find_put_off(connection, campaign_id, who)
        left = [
            *select_ballots(connection, mine & ballot.c.open),
            *pick_ballot(connection, campaign_id, who, plan),
        ]
        if not judged or any(one.id not in later for one in left):
            raise Refused("not_finished", 409)
        free = {"person_id": None, "leased_ms": 0}
        connection.execute(ballot.update().where(first, ballot.c.open).values(free))
        rng = seeded_rng(plan.seed, "guesses", who.id)
        asked = {rng.choice(one.answers): one for one in rng.sample(judged, len(judged))}
        for shown, one in list(asked.items())[: plan.guesses]:
            _add_ballot(connection, who, one, "guess", [shown], due=0)


def read_answers(
    db: Database, slots: Sequence[Slot]
) -> dict[str, sa.Row[tuple[str, str, str, str, str, str]]]:
    """Return the answers on cards by their random ids, as judges see them."""
    wanted = {name for one in slots for name in one.answers}
    columns = [blind_answer.c[name] for name in ("id", "language", "task", "instruction", "input", "output")]
    with db.reading() as connection:
        found = connection.execute(sa.select(*columns).where(blind_answer.c.id.in_(wanted)))
        return {one.id: one for one in found}


def count_own(db: Database, who: DeskPerson) -> dict[str, dict[str, int]]:
    """Return how much a person judged of each campaign, and how much is wanted of anybody."""
    votes = ballot.c.kind != "guess"
    counts = sa.select(
        ballot.c.campaign_id,
        sa.func.count().filter(votes, ~ballot.c.open, ballot.c.person_id == who.id),
        sa.func.count().filter(votes, ballot.c.open),
    ).group_by(ballot.c.campaign_id)
    found: dict[str, dict[str, int]] = defaultdict(lambda: {"given": 0, "left": 0})
    with db.reading() as connection:
        for campaign_id, given, left in connection.execute(counts):
            found[campaign_id] = {"given": given, "left": left}
    return found
