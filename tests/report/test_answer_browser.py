"""The browser of answers: what is shown of a question, disagreements, judges' verdicts in both orders."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from alif import store
from alif.report import page as report
from alif.report.answer_browser import compare_answers, describe_sample, list_answers
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


def benchmark_rows(count: int, name: str = "mgsm", letters: int = 20) -> list[dict[str, object]]:
    marks = {"accepted": True, "exact_match": True, "chrf++": 0.0, "faults": [], "finished": True}
    text = "جواب " * (letters // 5)
    return [
        {
            "id": f"t{number}",  # the same as of a test question: ids are the benchmark's own
            "benchmark": name,
            "task": "",
            "language": "ur",
            "instruction": "دو اور دو؟",
            "input": "",
            "reference": "4",
            "sample": True,
            "answers": {"base": text, "finetune": text},
            "marks": {"base": marks | {"accepted": False}, "finetune": marks},
        }
        for number in range(count)
    ]


def test_answers_to_every_benchmark_are_shown_and_by_which_rule(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    store.write_rows(root / "evaluate" / "benchmark_answers.jsonl", benchmark_rows(2))
    call = {"id": "t0", "task": "qa", "judge": "strict", "a": "base", "b": "finetune", "verdict": "A"}
    store.write_rows(root / "judge" / "verdicts.jsonl", [call])
    run = read_run(root)
    items = list_answers(run)
    assert [item.benchmark for item in items] == ["test"] * 6 + ["mgsm"] * 2
    assert (items[6].differ, [side.score for side in items[6].sides]) == (["systems"], ["wrong", "right"])
    assert [len(item.verdicts) for item in items] == [1, 0, 0, 0, 0, 0, 0, 0]
    rule = describe_sample(run, items)
    assert rule.startswith("Questions of each benchmark, drawn by the hash of their ids")
    assert rule.endswith("test 6 of 84, mgsm 2 of 2.")
    page = report.write_report([root]).read_text(encoding="utf-8")
    assert rule in page
    assert 'data-benchmark="mgsm"' in page


def test_a_page_holds_equally_many_of_each_benchmark(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    rows = [row for name in ("mgsm", "xnli") for row in benchmark_rows(400, name, 2900)]
    store.write_rows(root / "evaluate" / "benchmark_answers.jsonl", rows)
    run = read_run(root)
    items = list_answers(run)
    counts = Counter(item.benchmark for item in items)
    assert counts["test"] == 6
    assert 100 < counts["mgsm"] < 400
    assert abs(counts["mgsm"] - counts["xnli"]) <= 1
    assert f"{806 - len(items)} more would make the page larger than 5 MB" in describe_sample(run, items)
    assert report.write_report([root]).stat().st_size < 5_000_000


def test_what_judges_said_of_the_compared_answers_stands_beside_them(tmp_path: Path) -> None:
    roots = [made_up.build(tmp_path, name) for name in ("small", "other")]
    for root, verdict in zip(roots, ("A", "B"), strict=True):
        call = {"id": "t1", "task": "qa", "judge": "strict", "verdict": verdict}
        calls = [call | {"a": "finetune", "b": "base"}, call | {"a": "base", "b": "finetune"}]
        calls.append(call | {"a": "pretrain", "b": "base"})  # an answer that is not on the page
        store.write_rows(root / "judge" / "verdicts.jsonl", calls)
    items = compare_answers([read_run(root) for root in roots])
    assert [(one.first, one.second, one.verdict) for one in items[1].verdicts] == [
        ("small", "small · base", "small"),
        ("small · base", "small", "small · base"),
        ("other", "other · base", "other · base"),
        ("other · base", "other", "other"),
    ]
    assert items[1].differ == ["judge"]
    assert not items[0].verdicts


def test_runs_are_compared_on_what_all_were_asked(tmp_path: Path) -> None:
    roots = [made_up.build(tmp_path, name) for name in ("small", "other")]
    path = roots[1] / "evaluate" / "answers.jsonl"
    store.write_rows(path, [row for _, row in store.read_rows(path)][1:])
    items = compare_answers([read_run(root) for root in roots])
    assert [item.row.id for item in items] == ["t1", "t2", "t3", "t4", "t5"]
    assert [side.title for side in items[0].sides] == ["small", "other"]
