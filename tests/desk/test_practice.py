"""Practice before the work: known answers first, then what all read blind; none of it reaches the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from alif.desk import practice, review_slots
from alif.desk.adjudication import measure_agreement, measure_own, measure_progress
from alif.desk.database import item, slot
from alif.desk.office import Office
from alif.desk.people import DeskPerson, Refused
from tests.desk.conftest import ROWS
from tests.desk.test_exchange import lines
from tests.desk.test_review_slots import come_in, sent, states

KNOWN = practice.Known(decision="reject", reasons=["fact"], note="1350 - 130 = 1220")


def read_next(office: Office, who: DeskPerson, decision: str = "approve") -> review_slots.Work:
    work = review_slots.claim_slots(office.db, who)[0]
    key = f"a key of {who.id} {work['slot']}"
    review_slots.decide_slot(office.db, who, work["slot"], key, sent(decision))
    return work


def test_an_annotator_practises_first_and_nothing_of_it_reaches_the_run(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office(ROWS[:3], database=database)
    practice.add_calibration(office.db, ROWS[2].id, KNOWN)
    who, lead = come_in(office.db, "آمنہ"), come_in(office.db, "نگران", "lead")
    assert [one["kind"] for one in review_slots.claim_slots(office.db, lead)] == ["row"] * 3
    (work,) = review_slots.claim_slots(office.db, who)
    assert (work["kind"], work["row"].output) == ("calibration", ROWS[2].output)
    with office.db.reading() as connection:
        assert practice.find_known(connection, work["slot"]) is None  # before she has decided
    read_next(office, who, "reject")
    with office.db.reading() as connection:
        assert practice.find_known(connection, work["slot"]) == KNOWN
    with pytest.raises(Refused, match="frozen"):
        review_slots.undo_last(office.db, who, "undo of practice")
    assert states(office.db) == {"open": 4}
    assert measure_progress(office.db).given == measure_agreement(office.db).rows == 0
    assert measure_own(office.db, lead)["left"] == 3
    assert lines(office) == [] if office.exchange.verdicts.is_file() else True
    other = come_in(office.db, "زید")
    practice.remove_calibration(office.db, f"calibration {ROWS[2].id}")
    assert review_slots.claim_slots(office.db, other) == []  # the lead holds all rows


def test_what_all_read_is_read_by_each_and_agreement_is_shown_before_the_work(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office(database=database)
    practice.draw_norming(office.db, 2)
    with pytest.raises(Refused, match="norming_drawn"):
        practice.draw_norming(office.db, 2)
    one, other = come_in(office.db, "آمنہ"), come_in(office.db, "زید")
    seen = [[read_next(office, who)["row"].id for _ in range(2)] for who in (one, other)]
    assert sorted(seen[0]) == sorted(seen[1])
    assert review_slots.claim_slots(office.db, one) == []
    with office.db.reading() as connection:
        assert practice.waits_for_others(connection, one)
        assert practice.count_norming(connection) == [("آمنہ", 2, 2), ("زید", 2, 2)]
    (back,) = review_slots.undo_last(office.db, other, "second thought")
    review_slots.decide_slot(
        office.db, other, back["slot"], "after a thought", sent("reject", reasons=["fact"])
    )
    practice.close_norming(office.db)
    assert measure_agreement(office.db, "norming").raw == 0.5
    with office.db.reading() as connection:
        first = practice.list_norming(connection)[0]
        assert (first.row.id, first.decisions) == (seen[1][1], {"approve": 1, "reject": 1})
        newcomer = come_in(office.db, "نئی")
        assert practice.has_read(connection, one)
        assert not practice.has_read(connection, newcomer)
    with pytest.raises(Refused, match="frozen"):
        review_slots.undo_last(office.db, one, "undo of norming")
    assert {read_next(office, newcomer)["kind"] for _ in range(2)} == {"norming"}
    assert [work["kind"] for work in review_slots.claim_slots(office.db, one)] == ["row"] * 3


def test_rows_of_practice_that_are_put_off_are_nobody_elses(make_office: Callable[..., Office]) -> None:
    office = make_office(ROWS[:1])
    practice.add_calibration(office.db, ROWS[0].id, KNOWN)
    who = come_in(office.db, "آمنہ")
    read_next(office, who, "skip")
    assert [work["kind"] for work in review_slots.claim_slots(office.db, who)] == ["row"]
    with office.db.reading() as connection:
        owner = sa.select(slot.c.person_id).select_from(slot.join(item)).where(item.c.kind == "calibration")
        assert connection.scalars(owner).all() == [who.id]


def test_a_row_that_the_run_does_not_have_is_no_practice(office: Office) -> None:
    with pytest.raises(Refused, match="no_such_page"):
        practice.add_calibration(office.db, "none", KNOWN)
