"""Lots: what readers find in rows that were drawn decides on the others, and never makes them reviewed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alif import settings, store
from alif.errors import Waiting
from alif.records import Counts, Example, Origin
from alif.review.lots import draw_lots
from alif.review.verdicts import review_rows
from alif.row_shape import split_pair
from alif.runs import Run, StepOutput, make_context

ROWS = [
    Example.make("ur", task, f"{teacher} {task} {n}", "", "جواب", Origin(kind="teacher", teacher=teacher))
    for n in range(100)
    for teacher, task in (("gpt", "qa"), ("gemma", "qa"), ("gpt", "ethics"))
]
REVIEW = settings.Review(lot_rows=50, lot_sample=20, max_faulty=0.2)


def review(root: Path, decide: Callable[[Example], str | None], table: settings.Review = REVIEW) -> Counts:
    """Run the step; each row that waits gets the verdict that `decide` gives, until nothing waits."""
    store.write_rows(root / "filter" / "examples.jsonl", ROWS)
    file = root / "verdicts.jsonl"
    lines: list[dict[str, Any]] = []
    for _ in range(9):
        store.write_rows(file, lines)
        step = make_context(
            Run(root),
            "review",
            settings.Runtime(),
            inputs={"filter": root / "filter"},
            folder=root / "review",
        )
        step = replace(step, output=StepOutput(step.folder), paths={"verdicts": file})
        try:
            with step.output:
                return step.output.count(review_rows(step, settings.Language(), table))
        except Waiting:
            asked = store.read_models(step.requests, Example)
            given = [(row.id, decision) for row in asked if (decision := decide(row))]
            lines += [{"id": id, "decision": one, "reviewer": "Amna", "reason": ""} for id, one in given]
            if not given:
                raise
    raise AssertionError("it waits for ever")


def number(row: Example) -> int:
    return int(row.instruction.split()[-1])


def rows(root: Path, name: str = "examples") -> list[dict[str, Any]]:
    return [row for _, row in store.read_rows(root / "review" / f"{name}.jsonl")]


def test_lots_are_teacher_task_and_batch() -> None:
    lots = draw_lots(ROWS, REVIEW)
    assert {lot.name: len(lot.ids) for lot in lots.values()} == {
        f"{teacher}, {task}, batch {batch}": 50
        for teacher, task in (("gpt", "qa"), ("gemma", "qa"), ("gpt", "ethics"))
        for batch in (1, 2)
    }
    assert draw_lots(ROWS, settings.Review()) == {}
    assert (
        draw_lots(ROWS, REVIEW)[ROWS[0].id].ids == lots[ROWS[0].id].ids != [row.id for row in ROWS[::3][:50]]
    )


def test_a_good_lot_is_accepted_and_its_unread_rows_do_not_say_reviewed(tmp_path: Path) -> None:
    counts = review(tmp_path, lambda row: "approve")
    assert (counts.kept, counts.facts["read"]) == (300, 120)
    found = [row["origin"] for row in rows(tmp_path)]
    unread = [origin for origin in found if not origin["reviewed_by"]]
    assert len(unread) == 180
    assert {origin["lot"] for origin in unread} == {"accepted by lot (20 read, 0.0% faulty, 0.0% to 16.1%)"}
    assert not any("lot" in origin for origin in found if origin["reviewed_by"])


def test_a_bad_lot_loses_its_unread_rows_and_keeps_what_was_read(tmp_path: Path) -> None:
    def decide(row: Example) -> str:
        return (
            "reject" if row.origin.teacher == "gemma" and int(row.instruction.split()[-1]) % 2 else "approve"
        )

    counts = review(tmp_path, decide)
    decisions = {one["name"]: one["decision"] for one in counts.facts["lots"]}
    assert decisions["gemma, qa, batch 1"] == decisions["gemma, qa, batch 2"] == "rejected"
    assert list(decisions.values()).count("accepted") == 4
    gemma = [row for row in rows(tmp_path) if row["origin"]["teacher"] == "gemma"]
    assert all(row["origin"]["reviewed_by"] == "Amna" for row in gemma)
    dropped = [row for row in rows(tmp_path, "dropped") if row["reason"] == "lot_rejected"]
    assert len(dropped) + len(gemma) + counts.dropped["rejected_other"] == 100
    assert "gemma, qa, batch" in dropped[0]["evidence"]


def test_an_undecided_lot_is_drawn_further_up_to_all_of_it(tmp_path: Path) -> None:
    counts = review(
        tmp_path, lambda row: "reject" if int(row.instruction.split()[-1]) % 7 == 0 else "approve"
    )
    drawn = {one["name"]: (one["drawn"], one["decision"]) for one in counts.facts["lots"]}
    assert any(count > 20 for count, _ in drawn.values())
    assert all(count == 50 for count, decision in drawn.values() if decision == "read")


def test_what_people_read_of_their_own_choice_does_not_count(tmp_path: Path) -> None:
    lots = draw_lots(ROWS, REVIEW)
    lot = lots[ROWS[0].id]
    own_choice = dict.fromkeys(lot.ids[20:], True)
    facts, _ = lot.judge({**dict.fromkeys(lot.ids[:20], False), **own_choice}, REVIEW)
    assert (facts.decision, facts.faulty, facts.drawn) == ("accepted", 0, 20)


def test_it_waits_for_the_drawn_rows_alone_and_says_how_the_lots_stand(tmp_path: Path) -> None:
    with pytest.raises(Waiting, match=r"120 of 120 rows \(lots: 6 waiting\) wait for one person's verdict"):
        review(tmp_path, lambda row: None)


def test_edited_answers_are_pairs_that_another_run_can_read(tmp_path: Path) -> None:
    store.write_rows(tmp_path / "filter" / "examples.jsonl", ROWS[:2])
    edit = {"decision": "edit", "reviewer": "Amna", "output": "بہتر جواب"}
    lines = [{"id": ROWS[0].id, **edit}, {"id": ROWS[1].id, **edit, "instruction": "اور سوال"}]
    store.write_rows(tmp_path / "verdicts.jsonl", lines)
    inputs, table = {"filter": tmp_path / "filter"}, settings.Review(share=1)
    step = make_context(
        Run(tmp_path), "review", settings.Runtime(), inputs=inputs, folder=tmp_path / "review"
    )
    with step.output:
        review_rows(
            replace(step, paths={"verdicts": tmp_path / "verdicts.jsonl"}), settings.Language(), table
        )
    ((_, pair),) = store.read_rows(tmp_path / "review" / "edits.jsonl")
    found = split_pair(pair)
    assert not isinstance(found, str)
    values, rejected = found
    assert (values["output"], rejected, values["origin"]["reviewed_by"]) == ("بہتر جواب", "جواب", "Amna")
