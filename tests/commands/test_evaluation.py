"""`alif evaluate`: the self-test's exit code, one pair of a run, COMET that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alif import store
from alif.cli import run_command
from alif.evaluate import metrics
from alif.records import Score
from tests import made_up

SELF_TEST = ["evaluate", "demo", "--self-test", "--set", "evaluate.questions=16"]


def test_the_self_test_passes_and_makes_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command([*SELF_TEST, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"], found["passed"]) == ("demo", True)
    assert {"benchmark", "answers", "metric", "extractor", "value", "wanted", "passed", "example"} == set(
        found["checks"][0]
    )
    assert list(tmp_path.iterdir()) == []


def test_the_self_test_names_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(metrics.text, "final_answer", lambda value, *_: value[:1])
    assert run_command([*SELF_TEST, "--json"]) == 1
    printed = capsys.readouterr()
    assert not json.loads(printed.out)["passed"]
    assert "accepted" in printed.err
    assert "final answer" in printed.err


def test_one_pair_of_a_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = made_up.build(tmp_path / "runs")
    score = Score(
        stage="base", benchmark="test", metric="accepted", language="ur", value=0.5, low=0.4, high=0.6, n=90,
        signature="x",
    )  # fmt: skip
    store.write_rows(root / "evaluate" / "base" / "test" / "scores.jsonl", [score])
    store.write_json(root / "evaluate" / "base" / "test" / "corpus.json", {"chrf++": 31.5})
    monkeypatch.chdir(tmp_path)
    assert run_command(["evaluate", root.name, "--system", "base", "--benchmark", "test", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["run"], found["system"], found["benchmark"]) == (root.name, "base", "test")
    assert [(one["metric"], one["value"]) for one in found["scores"]] == [("accepted", 0.5)]
    assert found["corpus"] == {"chrf++": 31.5}
    assert run_command(["evaluate", root.name, "--system", "base", "--benchmark", "test"]) == 0
    assert "accepted" in capsys.readouterr().out


def test_a_system_needs_a_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["evaluate", "demo", "--system", "base"]) == 1
