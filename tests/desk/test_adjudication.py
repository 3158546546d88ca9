"""Leads decide where reviewers disagree; agreement equals what other packages compute."""

from __future__ import annotations

from collections.abc import Callable

import krippendorff
import numpy as np
import pytest

from alif.desk import review_slots
from alif.desk.adjudication import adjudicate, find_dispute, measure_agreement, measure_own, measure_progress
from alif.desk.office import Office
from alif.desk.people import Refused
from tests.desk.conftest import ROWS
from tests.desk.test_review_slots import come_in, sent, states

LABELS = {"approve": 0, "edit": 1, "reject": 2}


def test_a_lead_sees_both_verdicts_and_decides_once(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office(ROWS[:1], reviewers=2, database=database)
    assert find_dispute(office.db) is None
    for name, verdict in (("ایک", sent()), ("دو", sent("reject", reasons=["fact"], note="غلط"))):
        who = come_in(office.db, name)
        (work,) = review_slots.claim_slots(office.db, who)
        review_slots.decide_slot(office.db, who, work["slot"], f"key {name}.....", verdict)
    found = find_dispute(office.db)
    assert found is not None
    assert (found.row.id, found.left) == (ROWS[0].id, 1)
    assert sorted(one["decision"] for one in found.verdicts) == ["approve", "reject"]
    assert "ایک" not in str(found.verdicts)
    lead = come_in(office.db, "نگران", "lead")
    adjudicate(office.db, lead, ROWS[0].id, "lead's key", sent())
    adjudicate(office.db, lead, ROWS[0].id, "lead's key", sent())
    with pytest.raises(Refused, match="not_disputed"):
        adjudicate(office.db, lead, ROWS[0].id, "another key", sent())
    assert states(office.db) == {"adjudicated": 1}


def test_agreement_is_that_of_the_oracle_and_of_verdicts_before_any_lead(
    make_office: Callable[..., Office],
) -> None:
    office = make_office(reviewers=3)
    assert measure_agreement(office.db).raw is None
    people = [come_in(office.db, name) for name in ("ایک", "دو", "تین")]
    table = ["aaa", "aer", "rre", "aa"]
    ratings = np.full((3, 4), np.nan)
    for person, who in enumerate(people):
        for work in review_slots.claim_slots(office.db, who, 4):
            at = ROWS.index(work["row"])
            if person < len(table[at]):
                label = next(name for name in LABELS if name.startswith(table[at][person]))
                ratings[person, at] = LABELS[label]
                more = {"texts": {"output": "نیا"}} if label == "edit" else {}
                key = f"key {who.id} {at}....."
                review_slots.decide_slot(office.db, who, work["slot"], key, sent(label, **more))
    found = measure_agreement(office.db)
    assert found.rows == 4
    assert found.alpha == pytest.approx(krippendorff.alpha(ratings, level_of_measurement="nominal"), abs=1e-9)
    assert found.raw == pytest.approx((6 + 0 + 2 + 2) / (6 + 6 + 6 + 2))
    assert found.ac1 is not None
    progress = measure_progress(office.db)
    assert (progress.wanted, progress.given) == (12, 11)
    assert measure_own(office.db, people[2]) == {"given": 3, "left": 1}


def test_where_all_verdicts_are_the_same_alpha_is_undefined(make_office: Callable[..., Office]) -> None:
    office = make_office(ROWS[:1], reviewers=2)
    for name in ("ایک", "دو"):
        who = come_in(office.db, name)
        (work,) = review_slots.claim_slots(office.db, who)
        review_slots.decide_slot(office.db, who, work["slot"], f"key {name}.....", sent())
    found = measure_agreement(office.db)
    assert (found.rows, found.raw, found.alpha) == (1, 1.0, None)
