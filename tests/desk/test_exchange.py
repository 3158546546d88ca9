"""Rows come in, verdicts go out, and `alif run` goes on where it waited."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.desk import decisions, review_slots
from alif.desk.adjudication import adjudicate
from alif.desk.exchange import find_flags, verdict_line
from alif.desk.office import Office
from alif.desk.people import DeskPerson
from alif.errors import Waiting
from alif.language.pack import load_pack
from alif.records import Example
from alif.review.verdicts import review_rows
from alif.runs import Run, StepOutput, make_context
from alif.settings import Language, Review, Runtime
from tests.desk.conftest import HOSTILE, ROWS, row
from tests.desk.test_review_slots import come_in, sent, states


def lines(office: Office) -> list[dict[str, Any]]:
    office.exchange.write_verdicts()
    return [json.loads(line) for line in office.exchange.verdicts.read_text(encoding="utf-8").splitlines()]


def decide_all(office: Office, who: DeskPerson, decision: decisions.Decision) -> None:
    while work := review_slots.claim_slots(office.db, who):
        for one in work:
            review_slots.decide_slot(
                office.db, who, one["slot"], f"a key of {who.id} {one['slot']}", decision
            )


def test_flagged_rows_come_first_then_task_by_task(office: Office) -> None:
    who = come_in(office.db, "آمنہ")
    work = review_slots.claim_slots(office.db, who, 4)
    assert [ROWS.index(one["row"]) for one in work] == [2, 3, 0, 1]
    assert [flag["kind"] for one in work for flag in one["flags"]] == ["sum", "lookalike"]


def test_flags_name_what_a_machine_noticed() -> None:
    urdu = load_pack("ur")
    assert find_flags(row("سوال", "یہ كتاب ہے\u200b۔ 2 + 2 = 5"), urdu) == [
        {"kind": "hidden", "what": "U+200B ZERO WIDTH SPACE"},
        {"kind": "lookalike", "what": "ك → ک"},
        {"kind": "sum", "what": "2 + 2 = 5"},
    ]
    assert find_flags(row("سوال", "جواب"), urdu) == find_flags(row("q", "a"), None) == []


def test_settled_verdicts_are_written_and_others_lines_kept(make_office: Callable[..., Office]) -> None:
    office = make_office(ROWS[:2], reviewers=2)
    foreign = [
        {"id": ROWS[0].id, "decision": "approve", "reviewer": "Bilal"},
        {"id": "other", "reviewer": "آمنہ"},
    ]
    office.exchange.verdicts.write_text("".join(f"{json.dumps(line)}\n" for line in foreign) + "{half\n")
    one, other, lead = (
        come_in(office.db, "آمنہ"),
        come_in(office.db, "زید"),
        come_in(office.db, "نگران", "lead"),
    )
    decide_all(office, one, sent(note=HOSTILE))
    office.exchange.write_verdicts()
    text = office.exchange.verdicts.read_text()
    assert "{half" in text
    assert HOSTILE[:8] not in text  # not settled yet
    office.exchange.verdicts.write_text("".join(f"{json.dumps(line)}\n" for line in foreign))
    first, second = review_slots.claim_slots(office.db, other)
    review_slots.decide_slot(office.db, other, first["slot"], "agrees with her", sent())
    review_slots.decide_slot(
        office.db, other, second["slot"], "does not agree", sent("reject", reasons=["fact"])
    )
    settled = first["row"].id
    written = lines(office)
    assert written[:2] == foreign
    assert [(line["id"], line["reviewer"]) for line in written[2:]] == [(settled, "آمنہ"), (settled, "زید")]
    adjudicate(office.db, lead, second["row"].id, "lead's key", sent("reject", reasons=["grammar"]))
    final = lines(office)[-1]
    assert final == {"id": second["row"].id, "decision": "reject", "reviewer": "نگران", "reason": "grammar",
                     "final": True}  # fmt: skip
    assert len(lines(office)) == len(lines(office)) == 7


def test_a_run_that_waits_goes_on_with_the_verdicts_of_the_desk(make_office: Callable[..., Office]) -> None:
    office = make_office(reviewers=2)
    root = office.exchange.requests.parent
    store.write_rows(root / "filter" / "examples.jsonl", ROWS)

    def review() -> list[Example]:
        context = make_context(
            Run(root), "review", Runtime(), inputs={"filter": root / "filter"}, folder=root / "done"
        )
        path = office.exchange.verdicts
        step = replace(
            context, output=StepOutput(context.folder), paths={"verdicts": path} if path.is_file() else {}
        )
        with step.output:
            review_rows(step, Language(), Review(share=1.0, reviewers=2))
        return list(store.read_models(root / "done" / "examples.jsonl", Example))

    with pytest.raises(Waiting, match="4 of 4"):
        review()
    one, other, lead = (
        come_in(office.db, "آمنہ"),
        come_in(office.db, "زید"),
        come_in(office.db, "نگران", "lead"),
    )
    edit = sent("edit", texts={"output": "درست جواب"})
    decide_all(office, one, sent())
    for number, work in enumerate(review_slots.claim_slots(office.db, other, 4)):
        review_slots.decide_slot(
            office.db, other, work["slot"], f"a key {number}...", edit if number else sent()
        )
    office.exchange.write_verdicts()
    with pytest.raises(Waiting, match="3 of 4"):
        review()
    office.exchange.take_rows()
    assert states(office.db) == {"agreed": 1, "disputed": 3}
    for number, name in enumerate(one.id for one in ROWS):
        if number != 2:
            adjudicate(office.db, lead, name, f"lead's key {number}", edit)
    office.exchange.write_verdicts()
    rows = review()
    assert [one.output for one in rows] == [
        ROWS[2].output if one.id == ROWS[2].id else "درست جواب" for one in rows
    ]
    assert {one.origin.reviewed_by for one in rows} == {"آمنہ, زید", "آمنہ, زید, نگران"}


def test_new_rows_come_in_and_those_not_asked_for_are_withdrawn_while_it_is_open(
    make_office: Callable[..., Office],
) -> None:
    office = make_office(ROWS[:2])
    who = come_in(office.db, "آمنہ")
    review_slots.claim_slots(office.db, who, 1)
    store.write_rows(office.exchange.requests, ROWS[1:3])
    until = time.monotonic() + 30
    while states(office.db) != {"open": 2, "withdrawn": 1} and time.monotonic() < until:
        time.sleep(0.05)
    assert states(office.db) == {"open": 2, "withdrawn": 1}
    assert {one["row"].id for one in review_slots.claim_slots(office.db, who, 9)} == {ROWS[1].id, ROWS[2].id}
    store.write_rows(office.exchange.requests, ROWS[:3])
    office.exchange.take_rows()
    assert states(office.db) == {"open": 3}
    assert len(review_slots.claim_slots(office.db, who, 9)) == 3


def test_a_killed_desk_opens_again_with_all_that_was_answered(make_office: Callable[..., Office]) -> None:
    office = make_office(ROWS[:1])
    decide_all(office, come_in(office.db, "آمنہ"), sent())
    again = make_office(ROWS[:1])  # while the first is still there, as after kill -9
    assert states(again.db) == {"agreed": 1}
    assert [line["reviewer"] for line in lines(again)] == ["آمنہ"]


def test_after_the_run_has_read_them_verdicts_stay_as_they_are(office: Office, tmp_path: Path) -> None:
    decide_all(office, come_in(office.db, "آمنہ"), sent())
    store.write_json(office.exchange.requests.parent / "review" / "step.json", {})
    assert office.exchange.is_over
    office.exchange.write_verdicts()
    assert not office.exchange.verdicts.exists()


def test_a_desk_opens_before_any_row_waits_and_takes_them_when_they_do(
    make_office: Callable[..., Office],
) -> None:
    office = make_office([])
    who = come_in(office.db, "آمنہ")
    assert review_slots.claim_slots(office.db, who) == []
    store.write_rows(office.exchange.requests, ROWS[:1])
    office.exchange.take_rows()
    assert [one["row"] for one in review_slots.claim_slots(office.db, who)] == ROWS[:1]


def test_a_verdict_line_has_the_first_reason_and_names_the_others() -> None:
    decision = sent("reject", reasons=["fact", "grammar"], note=HOSTILE)
    line = verdict_line("id", "Amna", decision, final=False)
    assert line == {"id": "id", "decision": "reject", "reviewer": "Amna", "reason": "fact",
                    "note": f"{HOSTILE}; also grammar"}  # fmt: skip
    assert verdict_line("id", "Amna", sent(), final=True)["final"] is True
