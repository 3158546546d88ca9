"""Claims, decisions, undo: every row gets exactly as many verdicts as are wanted, whoever asks how often."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from alif.desk import decisions, review_slots
from alif.desk.database import Database, event, item, now_ms, slot
from alif.desk.office import Office
from alif.desk.people import DeskPerson, Refused, accept_invite, find_session, make_invite
from alif.language.pack import load_pack
from tests.desk.conftest import PASSWORD, ROWS, row, serving

PACKS = {"ur": load_pack("ur")}


def come_in(db: Database, name: str, role: str = "annotator") -> DeskPerson:
    found = find_session(db, accept_invite(db, make_invite(db, role), name, PASSWORD))
    assert found is not None
    return found


def sent(decision: str = "approve", **more: Any) -> decisions.Decision:
    return decisions.Decision(decision=decision, reasons=[], texts={}, note="", dwell_ms=1) | more  # type: ignore[return-value]


def states(db: Database) -> Counter[str]:
    with db.reading() as connection:
        return Counter(connection.scalars(sa.select(item.c.state)))


def verdicts_by_item(db: Database) -> Counter[str]:
    with db.reading() as connection:
        return Counter(connection.scalars(sa.select(slot.c.item_id).where(slot.c.verdict.is_not(None))))


@pytest.mark.timeout(240)
def test_eight_people_at_once_give_each_row_exactly_the_verdicts_it_wants(
    make_office: Callable[..., Office], database: str
) -> None:
    """Over real HTTP, each person in two tabs of which one repeats each request; some put rows off."""
    rows = [row(f"سوال {n}", f"جواب {n}") for n in range(40)]
    office = make_office(rows, reviewers=3, database=database)
    statuses: Counter[int] = Counter()
    with serving(office) as site:
        browsers = [site.person(f"قاری {n}") for n in range(4)]

        def work(number: int) -> None:
            tab, skips = site.browser(), 3
            tab.cookies = dict(browsers[number % 4].cookies)
            while cards := tab.call("claim")[1]["cards"]:
                for card in cards:
                    decision = "skip" if skips and number == 0 else "approve"
                    skips -= decision == "skip"
                    body = {
                        "key": f"a key of {number}-{card['slot']}-{skips}",
                        "slot": card["slot"],
                        "decision": decision,
                    }
                    for _ in range(1 + number // 4):
                        status, answer = tab.call("verdict", **body)
                        statuses[status] += 1
                        assert status == 200 or answer["error"] in ("already_decided", "lease_lost")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(statuses) <= {200, 409}
    assert verdicts_by_item(office.db) == {one.id: 3 for one in rows}
    assert states(office.db) == {"agreed": 40}
    with office.db.reading() as connection:
        approved = sa.select(sa.func.count()).where(event.c.kind == "approve")
        assert connection.scalar(approved) == 120
        each = sa.select(sa.func.count()).select_from(slot).group_by(slot.c.item_id, slot.c.person_id)
        assert set(connection.scalars(each)) == {1}


def test_a_lease_that_is_over_goes_to_somebody_else_who_keeps_the_row(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office([ROWS[0]], database=database)
    gone, other = come_in(office.db, "گئی"), come_in(office.db, "آیا")
    (work,) = review_slots.claim_slots(office.db, gone)
    review_slots.save_draft(office.db, gone, work["slot"], {"note": "آدھا"})
    assert review_slots.claim_slots(office.db, other) == []
    with office.db.writing() as connection:
        connection.execute(slot.update().values(leased_ms=now_ms() - 1))
    assert review_slots.claim_slots(office.db, other)[0]["slot"] == work["slot"]
    for refused in (
        lambda: review_slots.decide_slot(office.db, gone, work["slot"], "key-of-gone", sent()),
        lambda: review_slots.save_draft(office.db, gone, work["slot"], {}),
    ):
        with pytest.raises(Refused, match="lease_lost"):
            refused()
    assert not review_slots.decide_slot(office.db, other, work["slot"], "key-of-other", sent())
    with pytest.raises(Refused, match="already_decided"):
        review_slots.decide_slot(
            office.db, other, work["slot"], "second-key", sent("reject", reasons=["fact"])
        )
    assert review_slots.decide_slot(office.db, other, work["slot"], "key-of-other", sent())


def test_what_is_put_off_comes_again_when_nothing_else_is_left(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office(ROWS[:2], database=database)
    who = come_in(office.db, "آمنہ")
    first, second = review_slots.claim_slots(office.db, who)
    review_slots.decide_slot(office.db, who, first["slot"], "put-off-1", sent(decisions.SKIP))
    left = review_slots.claim_slots(office.db, who)  # it fills the buffer, behind what is new
    assert [one["row"].id for one in left] == [second["row"].id, first["row"].id]
    review_slots.decide_slot(office.db, who, second["slot"], "approve-1", sent())
    (again,) = review_slots.claim_slots(office.db, who)
    assert again["row"].id == first["row"].id


def test_undo_takes_back_until_a_lead_has_decided(make_office: Callable[..., Office], database: str) -> None:
    office = make_office([ROWS[0]], reviewers=2, database=database)
    one, other = come_in(office.db, "ایک"), come_in(office.db, "دو")
    for who, verdict in ((one, sent()), (other, sent("reject", reasons=["fact"]))):
        (work,) = review_slots.claim_slots(office.db, who)
        review_slots.decide_slot(office.db, who, work["slot"], f"key of {who.id} .", verdict)
    assert states(office.db) == {"disputed": 1}
    (back,) = review_slots.undo_last(office.db, other, "undo-key-1")
    assert review_slots.undo_last(office.db, other, "undo-key-1") == []
    assert (back["row"].id, states(office.db)) == (ROWS[0].id, {"open": 1})
    with pytest.raises(Refused, match="nothing_to_undo"):
        review_slots.undo_last(office.db, other, "undo-key-2")
    review_slots.decide_slot(office.db, other, back["slot"], "second thought", sent())
    assert states(office.db) == {"agreed": 1}
    with office.db.writing() as connection:
        connection.execute(item.update().values(state="adjudicated"))
    with pytest.raises(Refused, match="frozen"):
        review_slots.undo_last(office.db, one, "undo-key-3")
    with office.db.reading() as connection:
        kinds = list(connection.scalars(sa.select(event.c.kind).order_by(event.c.id)))
    assert kinds == ["approve", "reject", "undo", "approve"]


def test_edits_that_differ_by_what_nobody_sees_agree(make_office: Callable[..., Office]) -> None:
    office = make_office([ROWS[0]], reviewers=2)
    for name, text in (("ایک", "لاہور پنجاب میں ہے۔"), ("دو", " لاہور پنجاب میں ہے۔\u200f\x00 \n")):
        who = come_in(office.db, name)
        (work,) = review_slots.claim_slots(office.db, who)
        edit = {"decision": "edit", "texts": {"output": text}}
        decision = decisions.read_decision(work["row"], name, edit, PACKS)
        review_slots.decide_slot(office.db, who, work["slot"], f"key of {name}...", decision)
    assert states(office.db) == {"agreed": 1}


def test_keys_that_cannot_be_keys_are_refused(office: Office) -> None:
    who = come_in(office.db, "آمنہ")
    work = review_slots.claim_slots(office.db, who)[0]
    for key in ("", "short", "x" * 65):
        with pytest.raises(Refused, match="not_understood"):
            review_slots.decide_slot(office.db, who, work["slot"], key, sent())
    with closing(office.db), pytest.raises(Refused, match="lease_lost"):
        review_slots.find_row(office.db, work["slot"], DeskPerson(who.id + 1, "other", "annotator"))
