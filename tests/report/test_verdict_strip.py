"""The verdict strip: what came of a run, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.report.snapshot import read_run
from alif.report.verdict_strip import StripPart, verdict_strip
from tests import made_up


def strip_of(root: Path) -> dict[str, StripPart]:
    return {part.label: part for part in verdict_strip(read_run(root))}


def test_the_strip_says_what_the_numbers_say(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    strip, n = strip_of(root), len(read_run(root).answers)
    assert strip["Urdu"].verdict == "better"
    assert strip["Urdu"].numbers.startswith("+11.0, 95 % CI 11.0 to 11.0; test questions; of 3 Urdu")
    assert (strip["English"].verdict, strip["English"].tone) == ("lost", "bad")
    least = 100 * n / (n + 1.959964**2)  # Wilson's lower end where all are right
    shown = ("100.0 %", f"95 % CI {least:.1f} to 100.0, of {n} answers")
    assert strip["language fidelity"][1:3] == shown
    assert "repetition" not in strip  # no such score in this run
    assert strip["judge"].verdict == "none was asked"


@pytest.mark.parametrize("until", ["seeds", "finetune"])
def test_nothing_is_claimed_before_it_is_measured(tmp_path: Path, until: str) -> None:
    strip = strip_of(made_up.build(tmp_path, until=until))
    assert {part.verdict for part in strip.values()} == {"not measured", "none was asked"}


@pytest.mark.parametrize(
    ("calibrated", "said", "numbers"),
    [(True, "calibrated", "strict κ = 0.61"), (False, "uncalibrated, do not rank", "")],
)
def test_a_judge_is_trusted_as_far_as_people_agree(
    tmp_path: Path, calibrated: bool, said: str, numbers: str
) -> None:
    root = made_up.build(tmp_path)
    write_judge(root, calibrated)
    assert strip_of(root)["judge"][1:3] == (said, numbers)


def write_judge(root: Path, calibrated: bool) -> None:
    one: dict[str, Any] = {
        "judge": "strict", "n": 80, "kappa": 0.61, "ac1": 0.6, "sensitivity": 0.9, "specificity": 0.8,
        "corrected": {},
    }  # fmt: skip
    made_up.write_step(root, "judge", None)
    record = store.read_json(root / "judge" / "step.json")
    record["counts"]["facts"] = {
        "questions": 84, "prompt_language": "en", "prompts": {}, "most_chars": 4000, "cut": {}, "judges": [],
        "pairs": [], "rubric": [], "ranks": [], "families": [], "teachers": {},
        "trust": {"agreement": None, "people": None, "human": 0, "human_unused": 0,
                  "calibration": [one] if calibrated else [], "calibrated": calibrated, "status": ""},
    }  # fmt: skip
    store.write_json(root / "judge" / "step.json", record)
