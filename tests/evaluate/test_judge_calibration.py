"""Judges against people, against each other, and against what is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.evaluate.judge_calibration import (
    Labels,
    calibrate_judges,
    describe_status,
    measure_agreement,
    rank_systems,
    read_people,
    unite_people,
)
from alif.facts.judge_facts import Calibration, JudgesAgreement

PAIR = ("new", "base")


def labels(*values: float) -> Labels:
    return {(PAIR, str(number)): value for number, value in enumerate(values)}


def test_people_may_have_seen_the_answers_in_either_order(tmp_path: Path) -> None:
    path = tmp_path / "human.jsonl"
    rows = [
        {"id": "1", "a": "base", "b": "new", "verdict": "b", "annotator": "x"},
        {"id": "1", "a": "new", "b": "base", "verdict": "tie", "annotator": "y"},
        {"id": "2", "a": "new", "b": "base", "verdict": "b", "annotator": "x"},
        {"id": "3", "a": "new", "b": "other", "verdict": "b", "annotator": "z"},
    ]
    store.write_rows(path, rows)
    people, unused = read_people({f"human/{path}": path, "pack/ur": tmp_path}, [PAIR])
    assert people == {"x": {(PAIR, "1"): 1.0, (PAIR, "2"): 0.0}, "y": {(PAIR, "1"): 0.5}}
    assert unused == 1
    assert unite_people(people) == {(PAIR, "1"): 0.5, (PAIR, "2"): 0.0}
    assert read_people({}, [PAIR]) == ({}, 0)


def test_agreement_is_of_what_two_have_read() -> None:
    found = measure_agreement({"x": labels(1, 0, 1, 0.5), "y": labels(1, 0, 0), "z": {(PAIR, "9"): 1.0}})
    assert found is not None
    assert found.n == 3
    assert found.kappa["x, y"] == pytest.approx(0.4)
    assert found.kappa["x, z"] is None
    assert measure_agreement({"x": labels(1)}) is None


def test_a_judge_that_nobody_checks_is_not_calibrated() -> None:
    assert calibrate_judges({"j": labels(1, 0)}, {}) == []
    (found,) = calibrate_judges({"j": labels(1, 1, 0, 0)}, labels(1, 1, 1, 1))
    assert (found.sensitivity, found.specificity, found.corrected) == (0.5, None, {})


@pytest.mark.parametrize(
    ("kappa", "n", "calibrated", "words"),
    [
        (None, 0, False, "Uncalibrated, do not rank: no person"),
        (
            0.8,
            40,
            False,
            "Uncalibrated, do not rank: j against people on 40 pairs of answers: kappa 0.80; at least",
        ),
        (0.2, 200, False, "Do not rank: j against people on 200 pairs of answers: kappa 0.20, below 0.4."),
        (None, 200, False, "Do not rank: j against people on 200 pairs of answers: one verdict throughout"),
        (0.6, 200, True, "Calibrated: j against people on 200 pairs of answers: kappa 0.60."),
    ],
)
def test_the_status_says_whether_to_rank(kappa: float | None, n: int, calibrated: bool, words: str) -> None:
    one = Calibration(judge="j", n=n, kappa=kappa, ac1=None, sensitivity=None, specificity=None, corrected={})
    found = describe_status([one] if n else [], None)
    assert found[0] is calibrated
    assert found[1].startswith(words)


def test_people_among_each_other_stand_beside_the_judge() -> None:
    one = Calibration(judge="panel", n=150, kappa=0.5, ac1=0.5, sensitivity=1, specificity=1, corrected={})
    people = JudgesAgreement(n=150, alpha=0.7, kappa={"x, y": 0.71, "x, z": None})
    assert describe_status([one], people)[1].endswith("kappa 0.50; people among each other: 0.71.")


def test_no_ranks_without_rates() -> None:
    assert rank_systems([], [], "ur") == []
