"""Checks among the rows look like any other, and no verdict on them leaves the desk."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa

from alif.desk import review_slots
from alif.desk.adjudication import find_dispute, measure_agreement, measure_progress
from alif.desk.cards import card_of
from alif.desk.database import item, slot
from alif.desk.desk_settings import opt_out, store_settings
from alif.desk.office import Office
from alif.desk.people import DeskPerson
from alif.desk.review_slots import Work
from tests.desk.conftest import row
from tests.desk.test_exchange import lines
from tests.desk.test_review_slots import come_in, sent

RUN = [row(f"سوال {n}", f"جواب {n}") for n in range(120)]


def plant(office: Office, percent: int) -> None:
    """Have checks made, always the same ones."""
    office.checks._rng = random.Random(14)
    with office.db.writing() as connection:
        store_settings(office.db, connection, planted_percent=percent)


def read_all(office: Office, who: DeskPerson) -> list[Work]:
    read: list[Work] = []
    while work := review_slots.claim_slots(office.db, who, 12, office.checks.add_beside):
        for one in work:
            decision = sent("reject", reasons=["fact"])
            review_slots.decide_slot(
                office.db, who, one["slot"], f"a key of {who.id} {one['slot']}", decision
            )
        read += work
    return read


def test_checks_are_as_many_as_were_set_and_their_verdicts_stay_at_the_desk(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office(RUN, reviewers=2, database=database)
    plant(office, 20)
    readers = [come_in(office.db, "آمنہ"), come_in(office.db, "زید")]
    read = {who.id: read_all(office, who) for who in readers}
    ids = {one.id for one in RUN}
    with office.db.reading() as connection:
        query = sa.select(item.c.known, slot.c.person_id).select_from(slot.join(item))
        checks = connection.execute(query.where(item.c.kind == "check")).all()
    for who in readers:
        theirs = [known for known, person in checks if person == who.id]
        assert 8 <= len(theirs) <= 45  # of 120 rows, 20 in a hundred
        assert len({known["seed"] for known in theirs}) == len(theirs)
        assert len([one for one in read[who.id] if one["row"].id not in ids]) == len(theirs)
    assert {bool(known["error"]) for known, _ in checks} == {True, False}
    assert Counter(line["id"] for line in lines(office)) == dict.fromkeys(ids, 2)
    assert find_dispute(office.db) is None
    assert measure_agreement(office.db).rows == measure_progress(office.db).states["agreed"] == 120
    assert measure_progress(office.db).given == 240


def test_nothing_on_a_card_tells_a_check_from_a_row(make_office: Callable[..., Office]) -> None:
    office = make_office(RUN[:60])
    plant(office, 20)
    read = read_all(office, come_in(office.db, "آمنہ"))
    cards = [card_of(one, office.packs) for one in read]
    assert len(cards) > 60
    assert {card["kind"] for card in cards} == {"row"}
    assert len({tuple(card) for card in cards}) == 1
    shown = json.dumps(cards)
    assert "check" not in shown
    assert "error" not in shown


def test_leads_get_no_checks_nor_does_who_opted_out_get_sensitive_ones(
    make_office: Callable[..., Office],
) -> None:
    office = make_office(RUN)
    plant(office, 20)
    lead, reader = come_in(office.db, "نگران", "lead"), come_in(office.db, "آمنہ")
    first = review_slots.claim_slots(office.db, lead, 40, office.checks.add_beside)
    assert len(first) == 40
    office.checks._seeds = [seed for seed in office.checks._seeds if seed.task in ("ethics", "qa")]
    before = review_slots.claim_slots(office.db, reader, 40, office.checks.add_beside)
    assert "ethics" in {one["row"].task for one in before}
    with office.db.writing() as connection:
        opt_out(office.db, connection, reader.id, out=True)
    tasks = Counter(one["row"].task for one in read_all(office, reader))
    assert set(tasks) == {"qa"}
