"""Several runs on one page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alif import store
from alif.commands.results import compare_with_first
from alif.evaluate.run_comparison import ITEMS, ItemValues
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


def test_runs_are_tested_against_the_first_item_by_item(with_replay: Path) -> None:
    other = made_up.build(with_replay.parent, "other", replay=0)
    for run, right in ((with_replay, 3), (other, 2)):
        row = ItemValues(
            benchmark="test",
            metric="accepted",
            language="ur",
            signature="x",
            share=True,
            ids=tuple(map(str, range(84))),
            amounts=tuple(float(number % right == 0) for number in range(84)),
            sizes=(1.0,) * 84,
            groups=(0,) * 84,
            clusters=tuple(range(84)),
        )
        store.write_rows(run / "evaluate" / "finetune" / "test" / ITEMS, [row])
    tested = compare_with_first([with_replay, other])
    path = report.write_report([with_replay, other], tested)
    (row,) = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["run_against_run"]
    assert (row["stage"], row["against"], row["n"], row["difference"]) == ("other", "small", 84, 0.166667)
    assert row["verdict"] == ("better" if row["p_holm"] < 0.05 else "cannot tell")
    page = path.read_text(encoding="utf-8")
    (shown,) = comparison.describe_tests(tested)
    assert f'<span class="change {shown.tone}">{shown.difference}</span>' in page
    assert (shown.difference, shown.interval[:8]) == ("+16.7 points", "95 % CI ")
    assert f"| {shown.difference}, {shown.interval} | {shown.verdict} |" in path.with_suffix(".md").read_text(
        encoding="utf-8"
    )


def test_nothing_is_said_where_only_one_kind_was_run(with_replay: Path) -> None:
    other = made_up.build(with_replay.parent, "other")
    half = made_up.build(with_replay.parent, "half", until="corpus", replay=0)
    assert comparison.replay_effect([read_run(with_replay), read_run(other)]) == ""
    assert comparison.replay_effect([read_run(with_replay), read_run(half)]) == ""
    assert report.write_report([with_replay, half]).is_file()
