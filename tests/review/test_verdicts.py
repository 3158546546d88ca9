"""Review by files: the run waits for people, goes on when they are done, refuses verdicts that do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import settings, strategies

from alif import store
from alif.errors import ReviewError, Waiting
from alif.records import Counts, Example, Origin
from alif.review.verdicts import REASONS, review_rows
from alif.runs import Run, StepContext, StepOutput, make_context
from alif.settings import Language, Review, Runtime

ROWS = [
    Example.make("ur", "qa", f"سوال {n}", "", f"جواب {n}", Origin(kind="teacher", model="m"))
    for n in range(10)
]


def review_context(root: Path) -> StepContext:
    return make_context(
        Run(root), "review", Runtime(), inputs={"filter": root / "filter"}, folder=root / "review"
    )


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., StepContext]:
    def build(name: str = "run") -> StepContext:
        root = tmp_path / name
        store.write_rows(root / "filter" / "examples.jsonl", ROWS)
        return review_context(root)

    return build


def run(step: StepContext, lines: list[Any] | None = None, **table: Any) -> Counts:
    """Run the step on verdict `lines` and return its counts."""
    review = Review.model_validate({"share": 1.0, **table})
    path = Path(review.verdicts) if review.verdicts else step.requests.with_name("verdicts.jsonl")
    if lines is not None:
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    paths = {"verdicts": path} if path.is_file() else {}
    step = replace(step, output=StepOutput(step.folder), paths=paths)
    with step.output:
        return step.output.count(review_rows(step, Language(), review))


def rows(step: StepContext, name: str = "examples") -> list[dict[str, Any]]:
    return [row for _, row in store.read_rows(step.folder / f"{name}.jsonl")]


def verdict(n: int, decision: str = "approve", reviewer: str = "Amna", **more: Any) -> dict[str, Any]:
    return {"id": ROWS[n].id, "decision": decision, "reviewer": reviewer, **more}


def test_nobody_asked_for_passes_everything_through(context: Callable[..., StepContext]) -> None:
    step = context()
    counts = run(step, share=0.0)
    assert (counts.rows_in, counts.kept) == (10, 10)
    assert rows(step) == [row.model_dump(mode="json") for row in ROWS]
    assert not (step.requests).exists()


def test_it_waits_says_where_and_goes_on(context: Callable[..., StepContext]) -> None:
    step = context()
    with pytest.raises(
        Waiting, match=r"3 of 3 rows wait for one person's verdict: .*review_requests\.jsonl"
    ) as waiting:
        run(step, share=0.3)
    assert waiting.value.exit_code == 3
    assert "verdicts.jsonl" in waiting.value.hint
    wanted = [row["id"] for _, row in store.read_rows(step.requests)]
    assert wanted == [row.id for row in ROWS if row.id in wanted]
    with pytest.raises(Waiting, match="1 of 3 rows"):
        run(step, [{"id": name, "decision": "approve", "reviewer": "Amna"} for name in wanted[:2]], share=0.3)
    assert [row["id"] for _, row in store.read_rows(step.requests)] == wanted[2:]
    counts = run(
        step, [{"id": name, "decision": "approve", "reviewer": "Amna"} for name in wanted], share=0.3
    )
    assert (counts.kept, counts.facts["approve"], counts.facts["unread"]) == (10, 3, 7)
    assert {row["id"]: row["origin"]["reviewed_by"] for row in rows(step)} == {
        row.id: "Amna" if row.id in wanted else "" for row in ROWS
    }
    assert not (step.requests).exists()


def test_verdicts_are_applied(context: Callable[..., StepContext]) -> None:
    step = context()
    edit = verdict(1, "edit", output="بہتر جواب")
    told = [verdict(0), edit, verdict(2, "reject", reason="fact", note="غلط"), verdict(3, "reject")]
    counts = run(step, [*told, *(verdict(n) for n in range(4, 10))])
    assert (counts.rows_in, counts.kept) == (10, 8)
    assert dict(counts.dropped) == {"rejected_fact": 1, "rejected_other": 1}
    assert {key: counts.facts[key] for key in ("approve", "edit", "reject")} == {
        "approve": 7,
        "edit": 1,
        "reject": 2,
    }
    edited = rows(step)[1]
    assert (edited["instruction"], edited["output"]) == ("سوال 1", "بہتر جواب")
    assert edited["id"] != ROWS[1].id
    assert edited["origin"]["parents"] == [ROWS[1].id]
    assert edited["origin"]["reviewed_by"] == "Amna"
    assert [row["evidence"] for row in rows(step, "dropped")] == ["Amna: غلط", "Amna"]


def test_two_readers_are_two(context: Callable[..., StepContext]) -> None:
    step = context()
    one = [verdict(n) for n in range(10)]
    with pytest.raises(Waiting, match="10 of 10 rows wait for verdicts of 2 people"):
        run(step, [*one, *one], reviewers=2)
    assert run(step, [*one, *(verdict(n, reviewer="Bilal") for n in range(10))], reviewers=2).kept == 10
    assert rows(step)[0]["origin"]["reviewed_by"] == "Amna, Bilal"


def test_an_edit_that_makes_a_row_like_another_leaves_one(context: Callable[..., StepContext]) -> None:
    step = context()
    same = verdict(1, "edit", instruction=ROWS[0].instruction, output=ROWS[0].output)
    counts = run(step, [verdict(0), same, *(verdict(n) for n in range(2, 10))])
    assert (counts.kept, dict(counts.dropped)) == (9, {"duplicate": 1})


def test_a_row_on_which_reviewers_disagree_is_named_and_waits_for_a_lead(
    context: Callable[..., StepContext],
) -> None:
    step = context()
    everyone = [verdict(n) for n in range(10)]
    said = rf"row {ROWS[3].id}: Amna says approve \(.*:4\); Bilal says reject \(.*:11\)"
    with pytest.raises(Waiting, match=said) as waiting:
        run(step, [*everyone, verdict(3, "reject", "Bilal")])
    assert '"final": true' in waiting.value.hint
    assert "wait for one person's verdict" not in waiting.value.message
    assert [row["id"] for row in map(json.loads, step.requests.read_text().splitlines())] == [ROWS[3].id]
    lead = verdict(3, "edit", "Zehra", output="درست جواب", final=True)
    counts = run(step, [*everyone, verdict(3, "reject", "Bilal"), lead])
    assert (counts.kept, counts.facts["edit"]) == (10, 1)
    assert rows(step)[3]["output"] == "درست جواب"
    assert rows(step)[3]["origin"]["reviewed_by"] == "Amna, Bilal, Zehra"


def test_a_final_verdict_is_enough_whatever_number_was_asked_for(context: Callable[..., StepContext]) -> None:
    assert run(context(), [verdict(n, final=True) for n in range(10)], reviewers=3).kept == 10


def test_edits_that_differ_by_what_a_keyboard_adds_agree(context: Callable[..., StepContext]) -> None:
    edits = [verdict(0, "edit", output="بہتر"), verdict(0, "edit", "Bilal", output="بہتر \u200f\x00")]
    assert run(context(), [*edits, *(verdict(n) for n in range(1, 10))]).facts["edit"] == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [verdict(0), {"id": "0" * 16, "decision": "approve", "reviewer": "Amna"}],
            r"verdicts\.jsonl:2: no row",
        ),
        (
            [verdict(0, final=True), verdict(0, "reject", "Bilal", final=True)],
            r"verdicts\.jsonl:2: Bilal says reject, Amna says approve.*verdicts\.jsonl:1",
        ),
        ([verdict(0), verdict(0, "reject")], r"verdicts\.jsonl:2: "),
        ([verdict(0), "{half"], r"verdicts\.jsonl:2: not JSON"),
        ([verdict(0, "maybe")], r'verdicts\.jsonl:1: "decision"'),
        ([{"id": ROWS[0].id, "decision": "approve"}], r'verdicts\.jsonl:1: "reviewer"'),
        ([verdict(0, reviewer=" ")], r'verdicts\.jsonl:1: "reviewer" is empty'),
        ([verdict(0, "edit")], r"verdicts\.jsonl:1: an edit without a text"),
        ([verdict(0, "edit", output="")], r"verdicts\.jsonl:1: an edit may not empty"),
        ([verdict(0, "approve", output="x")], r"verdicts\.jsonl:1: approve with a new text"),
        ([verdict(0, "reject", reason="boring")], r"verdicts\.jsonl:1: no such reason: boring"),
    ],
)
def test_verdicts_that_do_not_fit_are_refused_with_their_line(
    context: Callable[..., StepContext], lines: list[Any], message: str
) -> None:
    with pytest.raises(ReviewError, match=message):
        run(context(), lines)


def test_a_named_file_is_read_wherever_it_lies(context: Callable[..., StepContext], tmp_path: Path) -> None:
    path = tmp_path / "ours.jsonl"
    path.write_text(json.dumps(verdict(0, "reject", reason="grammar")), encoding="utf-8")
    counts = run(context(), share=0.0, verdicts=str(path))
    assert dict(counts.dropped) == {"rejected_grammar": 1}


@settings(deadline=None, max_examples=40)
@cases(
    strategies.lists(strategies.sampled_from(["approve", "edit", "reject"]), min_size=10, max_size=10),
    strategies.data(),
)
def test_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, decisions: list[str], data: strategies.DataObject
) -> None:
    root = tmp_path_factory.mktemp("run")
    store.write_rows(root / "filter" / "examples.jsonl", ROWS)
    step = review_context(root)
    told = []
    for n, decision in enumerate(decisions):
        more = {"output": data.draw(strategies.sampled_from(["نیا", "جواب 1"]))} if decision == "edit" else {}
        more |= {"reason": data.draw(strategies.sampled_from(REASONS))} if decision == "reject" else {}
        told.append(verdict(n, decision, **more))
    counts = run(step, told)
    assert (
        counts.rows_in
        == 10
        == counts.kept + sum(counts.dropped.values())
        == len(rows(step)) + len(rows(step, "dropped"))
    )
    assert sum(counts.dropped.values()) >= decisions.count("reject")
