"""The browser of answers: what is shown of a question, disagreements, judges' verdicts in both orders."""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.report.answer_browser import compare_answers, list_answers
from alif.report.snapshot import read_run
from tests import made_up


def test_the_sample_is_shown_with_all_systems(tmp_path: Path) -> None:
    run = read_run(made_up.build(tmp_path))
    items = list_answers(run)
    assert len(items) == 6 < len(run.answers) + 1
    assert [side.title for side in items[0].sides] == ["base", "stage 1", "stage 2"]
    assert items[0].checks == ["repetition"]
    assert items[0].differ == []
    assert items[0].sides[0].score == "chrF++ 4.250"
    assert items[0].sides[0].found == [("repetition", "")]


def test_systems_that_disagree_can_be_found(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    path = root / "evaluate" / "answers.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    rows[0]["marks"] = {
        name: marks | {"accepted": name != "base"} for name, marks in rows[0]["marks"].items()
    }
    store.write_rows(path, rows)
    first, second, *_ = list_answers(read_run(root))
    assert (first.differ, second.differ) == (["systems"], [])
    assert [side.score for side in first.sides] == ["wrong", "right", "right"]


def test_both_orders_of_a_judge_are_shown(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    call = {"id": "t0", "task": "qa", "judge": "strict", "model": "m", "request": "r"}
    calls = [
        call | {"a": "base", "b": "finetune", "verdict": "A", "reason": "<b>clear</b>"},
        call | {"a": "finetune", "b": "base", "verdict": "A"},
        call | {"a": "finetune", "points": [True, False, True]},
        call | {"a": "base", "b": "pretrain", "failure": "cut_off"},
        call | {"a": "pretrain", "b": "base", "verdict": "tie"},
    ]
    store.write_rows(root / "judge" / "verdicts.jsonl", calls)
    first, second, *_ = list_answers(read_run(root))
    assert [(one.first, one.second, one.verdict) for one in first.verdicts] == [
        ("base", "stage 2", "base"),
        ("stage 2", "base", "stage 2"),
        ("stage 2", "", "2 of 3 points"),
        ("base", "stage 1", "no verdict: cut off"),
        ("stage 1", "base", "tie"),
    ]
    assert first.differ == ["judge"]
    assert not second.verdicts


def test_runs_are_compared_on_what_all_were_asked(tmp_path: Path) -> None:
    roots = [made_up.build(tmp_path, name) for name in ("small", "other")]
    path = roots[1] / "evaluate" / "answers.jsonl"
    store.write_rows(path, [row for _, row in store.read_rows(path)][1:])
    items = compare_answers([read_run(root) for root in roots])
    assert [item.row.id for item in items] == ["t1", "t2", "t3", "t4", "t5"]
    assert [side.title for side in items[0].sides] == ["small", "other"]
