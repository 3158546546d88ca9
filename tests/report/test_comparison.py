"""Several runs on one page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alif.report import comparison
from alif.report import page as report
from alif.report.snapshot import read_run
from tests import made_up


@pytest.fixture
def with_replay(tmp_path: Path) -> Path:
    return made_up.build(tmp_path, "small")


def test_the_page_lies_beside_the_runs(with_replay: Path) -> None:
    without = made_up.build(with_replay.parent, "small-no-replay", english_after=2.9, replay=0)
    path = report.write_report([with_replay, without])
    assert path == with_replay.parent / "report-small-small-no-replay.html"
    found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert found["runs"] == ["small", "small-no-replay"]
    assert found["differing"] == {"replay.rows": [60, 0]}
    assert {score["run"] for score in found["scores"]} == {"small", "small-no-replay"}
    assert [one["run"] for one in found["reports"]] == found["runs"]
    page = path.read_text(encoding="utf-8")
    assert found["replay"] in page
    assert page.count("<script") == 1
    assert found["matrix"]["rows"][0]["title"] == "small · base"
    assert "small-no-replay · stage 2 |" in path.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (2.9, "with replay less English was lost"),
        (2.2, "with replay more English was lost"),
        (2.33, "do not tell the two apart"),
    ],
)
def test_what_replay_did_is_said_by_the_intervals(with_replay: Path, after: float, told: str) -> None:
    without = made_up.build(with_replay.parent, "small-no-replay", english_after=after, replay=0)
    for order in ([with_replay, without], [without, with_replay]):
        sentence = comparison.replay_effect([read_run(run) for run in order])
        assert told in sentence
        assert "With 60 rows of replay (small)" in sentence
        assert "+9.5 %" in sentence


def test_nothing_is_said_where_only_one_kind_was_run(with_replay: Path) -> None:
    other = made_up.build(with_replay.parent, "other")
    half = made_up.build(with_replay.parent, "half", until="corpus", replay=0)
    assert comparison.replay_effect([read_run(with_replay), read_run(other)]) == ""
    assert comparison.replay_effect([read_run(with_replay), read_run(half)]) == ""
    assert report.write_report([with_replay, half]).is_file()
