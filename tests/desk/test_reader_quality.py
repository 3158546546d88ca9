"""How each reader reads: shares with intervals, of what they are of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from alif.desk import practice, review_slots
from alif.desk.database import item, slot
from alif.desk.office import Office
from alif.desk.reader_quality import measure_readers, reading_floor_ms
from tests.desk.conftest import ROWS, row
from tests.desk.test_review_slots import come_in, sent


def test_the_floor_is_the_time_that_reading_takes() -> None:
    assert reading_floor_ms(row("ایک دو تین", "چار پانچ چھ")) == 2_000


def test_each_share_is_of_its_own_verdicts(make_office: Callable[..., Office]) -> None:
    office = make_office(ROWS[:1])
    practice.add_calibration(office.db, ROWS[0].id, {"decision": "edit", "reasons": [], "note": ""})
    who = come_in(office.db, "آمنہ")

    def decide(work: review_slots.Work, decision: str, **more: Any) -> None:
        key = f"a key for {work['slot']}"
        review_slots.decide_slot(office.db, who, work["slot"], key, sent(decision, **more))

    decide(review_slots.claim_slots(office.db, who)[0], "edit")
    decide(review_slots.claim_slots(office.db, who)[0], "approve", dwell_ms=100)
    for error, decision, texts in (
        ("sum", "reject", {}), ("cut", "edit", {"output": "x"}), ("cut", "edit", {"instruction": "x"}),
        ("swap", "approve", {}), ("", "approve", {}), ("", "reject", {}),
    ):  # fmt: skip
        with office.db.writing() as connection:
            name, known = f"check {error} {decision} {len(texts)} {texts}", {"error": error, "seed": "x"}
            values = {"id": name, "row": ROWS[1].model_dump_json(), "flags": [], "state": "open"}
            connection.execute(item.insert().values(**values, kind="check", known=known))
            verdict = sent(decision, texts=texts)
            values = {"item_id": name, "person_id": who.id, "place": 0, "open": False, "verdict": verdict}
            connection.execute(slot.insert().values(values))
    with office.db.reading() as connection:
        (found,) = measure_readers(connection).values()
        assert connection.scalar(sa.select(sa.func.count()).select_from(slot)) == 8
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        "calibration": (1, 1), "fast": (1, 1), "found": (0.5, 4), "faulted": (0.5, 2),
    }  # fmt: skip
    assert found["found"].low == pytest.approx(0.150, abs=1e-3)  # Wilson's interval of 2 of 4
    assert found["found"].high == pytest.approx(0.850, abs=1e-3)
