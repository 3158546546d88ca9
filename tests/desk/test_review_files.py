"""Exports under pseudonyms, and verdicts of other tools that fill the slots there are, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from alif.desk import people, review_slots
from alif.desk.adjudication import measure_agreement
from alif.desk.office import Office
from alif.desk.people import Refused
from alif.desk.practice import add_calibration
from alif.desk.review_files import events_lines, export_lines, guide_version, import_verdicts
from tests.desk.conftest import HOSTILE, PASSWORD, ROWS
from tests.desk.test_exchange import lines
from tests.desk.test_review_slots import come_in, sent, states, verdicts_by_item


def potato(row_id: str, user: str, decision: str = "approve", **more: Any) -> str:
    line = {"instance_id": row_id, "user_id": user, "label_annotations": {"decision": {decision: "true"}}}
    return json.dumps({**line, **more})


def test_what_one_desk_exports_another_takes_in(make_office: Callable[..., Office], database: str) -> None:
    office = make_office(ROWS[:2], reviewers=2)
    add_calibration(office.db, ROWS[0].id, {"decision": "approve", "reasons": [], "note": ""})
    for name, verdict in (
        ("آمنہ", sent("edit", texts={"output": HOSTILE})),
        ("زید", sent("reject", reasons=["fact"], note="غلط")),
    ):
        who = come_in(office.db, name, "lead")
        for work in review_slots.claim_slots(office.db, who):
            review_slots.decide_slot(
                office.db, who, work["slot"], f"a key of {who.id} {work['slot']}", verdict
            )
    exported = {
        shape: "".join(export_lines(office.db, shape)) for shape in ("argilla", "label-studio", "potato")
    }
    assert not any("آمنہ" in text or "secret" in text for text in exported.values())
    plain = [json.loads(line) for line in export_lines(office.db, "plain")]
    assert {one["id"] for one in plain} == {one.id for one in ROWS[:2]}
    assert {one["guide"] for one in plain} == {guide_version()}
    for number, (shape, text) in enumerate(exported.items()):
        other = make_office(ROWS[:2], reviewers=2, name=f"run{number}", database=database * (number == 0))
        taken = import_verdicts(other.db, shape, text, other.packs)
        assert taken == (4, 0)
        assert import_verdicts(other.db, shape, text, other.packs) == (0, 4)
        assert states(other.db) == {"disputed": 2}
        assert measure_agreement(other.db) == measure_agreement(office.db)
        assert {one.name.partition(":")[0] for one in people.list_people(other.db)} == {shape}


def test_a_row_gets_no_more_verdicts_than_it_wants(make_office: Callable[..., Office], database: str) -> None:
    office = make_office(ROWS[:2], reviewers=1, database=database)
    here = come_in(office.db, "آمنہ")
    (held,) = review_slots.claim_slots(office.db, here, 1)
    text = "\n".join(potato(row.id, user) for row in ROWS[:2] for user in ("one", "two"))
    assert import_verdicts(office.db, "potato", text, office.packs) == (1, 3)
    review_slots.decide_slot(office.db, here, held["slot"], "a key of hers", sent())
    assert set(verdicts_by_item(office.db).values()) == {1}
    assert sorted(line["reviewer"] for line in lines(office)) == sorted(["potato:one", "آمنہ"])
    with pytest.raises(Refused, match="wrong_login"):
        people.log_in(office.db, "potato:one", "", "::1")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{half", "2: JSONDecodeError"),
        ("[" * 100_000, "2: RecursionError"),
        (potato("none", "x"), "2: no row under review"),
        (potato("\x00", "x"), "2: no row under review"),
        (potato(ROWS[1].id, "x", "reject"), "2: needs_reason"),
        (potato(ROWS[1].id, "x", "maybe"), "2: "),
        (potato(ROWS[1].id, "x", behavioral_data={"time_spent": "soon"}), "2: ValueError"),
    ],
)
def test_a_line_that_cannot_be_taken_in_is_told_and_nothing_is_stored(
    make_office: Callable[..., Office], line: str, told: str
) -> None:
    office = make_office(ROWS[:2])
    with pytest.raises(Refused, match="import_line") as refused:
        import_verdicts(office.db, "potato", f"{potato(ROWS[0].id, 'one')}\n{line}", office.packs)
    assert refused.value.hint.startswith(told)
    assert verdicts_by_item(office.db) == {}
    assert people.list_people(office.db) == []


def test_hostile_names_of_another_tool_are_only_names(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office(ROWS[:1], database=database)
    user = f"\x00\ud800../../{HOSTILE}" + "x" * 500
    assert import_verdicts(office.db, "potato", potato(ROWS[0].id, user), office.packs) == (1, 0)
    (one,) = people.list_people(office.db)
    assert (one.name[:9], len(one.name), one.active) == ("potato:\ufffd\ufffd", people.MAX_NAME, False)
    with pytest.raises(Refused, match="wrong_login"):
        people.log_in(office.db, "a\x00b", PASSWORD, "::1")


def test_events_are_exported_under_pseudonyms_and_say_what_they_are_of(office: Office) -> None:
    add_calibration(office.db, ROWS[0].id, {"decision": "approve", "reasons": [], "note": ""})
    who = come_in(office.db, "آمنہ")
    for number in range(2):
        work = review_slots.claim_slots(office.db, who)[0]
        review_slots.decide_slot(office.db, who, work["slot"], f"a key of hers {number}", sent())
    events = [json.loads(line) for line in events_lines(office.db)]
    assert [(one["kind"], one["of"]) for one in events] == [("approve", "calibration"), ("approve", "row")]
    assert "آمنہ" not in json.dumps(events, ensure_ascii=False)
