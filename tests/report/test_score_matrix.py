"""The comparison matrix: main metrics, bars on one axis, colours only where a difference is sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.facts.evaluation_facts import Comparison, EvaluateFacts
from alif.report import score_matrix
from alif.report.score_matrix import build_matrix
from alif.report.snapshot import read_run
from tests import made_up


def make_difference(**fields: object) -> Comparison:
    known = {
        "stage": "finetune", "against": "base", "benchmark": "test", "metric": "accepted", "language": "ur",
        "difference": 0.041, "low": 0.012, "high": 0.07, "p": 0.001, "p_holm": 0.004, "detectable": 0.05,
        "n": 420, "verdict": "better",
    }  # fmt: skip
    return Comparison.model_validate(known | fields)


@pytest.mark.parametrize(
    ("fields", "tone"),
    [
        ({}, "good"),
        ({"difference": -0.041, "low": -0.07, "high": -0.012, "verdict": "worse"}, "bad"),
        ({"benchmark": "fidelity", "metric": "repetition", "verdict": "worse"}, "bad"),
        ({"metric": "bits_per_byte", "difference": -2.0, "low": -2.1, "high": -1.9}, "good"),
        ({"metric": "choice_unreadable"}, "bad"),
        ({"p_holm": 0.05}, "open"),  # sure alone, not in its family
        ({"low": -0.001}, "open"),
        ({"low": 0.0}, "open"),
        ({"n": 1}, "open"),
        ({"verdict": "not measurable"}, "open"),
    ],
)
def test_a_difference_is_coloured_only_where_it_is_sure(fields: dict[str, object], tone: str) -> None:
    assert score_matrix.find_tone(make_difference(**fields)) == tone


def test_shares_are_percent_and_their_differences_points() -> None:
    assert score_matrix.format_score(0.1304, "accepted", "test") == "13.0 %"
    assert score_matrix.format_score(0.004, "repetition", "fidelity") == "0.4 %"
    assert score_matrix.format_score(22.14, "chrf++", "test") == "22.1"
    change = make_difference(low=-0.012)
    assert score_matrix.describe_difference(change) == "+4.1 points, 95 % CI −1.2 to 7.0"
    bits = make_difference(metric="bits_per_byte", difference=-2.0, low=-2.1, high=-1.9)
    assert score_matrix.describe_difference(bits) == "−2.000 bits per byte, 95 % CI −2.100 to −1.900"


def test_each_benchmark_is_a_column_with_its_provenance(tmp_path: Path) -> None:
    matrix = build_matrix([read_run(made_up.build(tmp_path))])
    shown = [(one.title, one.metric, one.language) for one in matrix.columns]
    assert ("Test questions", "chrf++", "ur") in shown
    assert not any(one.benchmark == "fidelity" or "/" in one.benchmark for one in matrix.columns)
    test = next(one for one in matrix.columns if one.benchmark == "test")
    assert (test.provenance, test.licence, test.shots, test.n) == ("native", "MIT", 0, 84)
    assert [row.title for row in matrix.rows] == ["base", "stage 1", "stage 2"]
    base, *_ = matrix.rows
    assert all(cell.change == "" and cell.words == "" for cell in base.cells)
    places = [end for row in matrix.rows for cell in row.cells for end in cell.bar]
    assert min(places) == 0
    assert max(places) == 100
    grey = next(one for one in matrix.columns if one.benchmark == "arc_easy")
    assert grey.detectable == "5.0 points"
    last = matrix.rows[-1].cells[matrix.columns.index(grey)]
    assert (last.words, last.tone) == ("not measurable: the base is at chance", "open")
    assert "smallest detectable difference 5.0 points; n = 150" in last.note


def test_what_a_system_cannot_answer_is_said_in_words(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    path = root / "evaluate" / "scores.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    asked = [row | {"stage": "gpt"} for row in rows if (row["stage"], row["benchmark"]) == ("base", "test")]
    store.write_rows(path, [*rows, *asked])
    record = store.read_json(root / "evaluate" / "step.json")
    facts = EvaluateFacts.model_validate(record["counts"]["facts"]).model_dump(mode="json")
    facts["systems"].append({"name": "gpt", "model": "gpt", "digest": "", "not_measurable": ["heldout"]})
    record["counts"]["facts"] = facts
    store.write_json(root / "evaluate" / "step.json", record)
    matrix = build_matrix([read_run(root)])
    cells = dict(zip([one.benchmark for one in matrix.columns], matrix.rows[-1].cells, strict=True))
    assert cells["heldout"].words == "not measurable: it gives no log-probabilities"
    assert cells["arc_easy"].words == "not measured"
    assert cells["test"].note == "no paired difference from the base"


def test_runs_are_rows_of_one_matrix(tmp_path: Path) -> None:
    runs = [read_run(made_up.build(tmp_path, name)) for name in ("small", "other")]
    matrix = build_matrix(runs)
    assert [row.title for row in matrix.rows][::3] == ["small · base", "other · base"]
    assert len({len(row.cells) for row in matrix.rows}) == 1
