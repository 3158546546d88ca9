"""`alif campaign RUN plan.toml`: the plan is frozen and its power said, before anybody judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.cli import run_command
from tests.desk.campaigns.made_campaign import write_plan


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    store.write_text(tmp_path / "runs/small/recipe.toml", 'extends = "demo"\nname = "small"\n')
    return write_plan(tmp_path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run_command(["campaign", "small", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_plan_is_frozen_then_kept_then_amended(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = told(capsys, str(plan))
    assert (first["done"], first["judgements"]) == ("frozen", 36)
    assert told(capsys, str(plan)) == {**first, "done": "kept"}
    plan.write_text(plan.read_text("utf-8") + "bar = 0.7\n", encoding="utf-8")
    assert told(capsys, str(plan))["done"] == "amended"
    assert told(capsys, str(plan))["sha256"] == first["sha256"]


def test_what_it_can_show_is_said(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["campaign", "small", str(plan)]) == 0
    said = capsys.readouterr().out
    assert "36 judgements" in said
    assert "exactly at the bar" in said
    ab = plan.with_name("ab.toml")
    text = plan.read_text("utf-8").replace('"audit"', '"ab"').replace('"first"', '"second"')
    ab.write_text(text, encoding="utf-8")
    assert run_command(["campaign", "small", str(ab)]) == 0
    assert "of the decisive votes" in capsys.readouterr().out


def test_a_plan_that_cannot_be_used_is_told(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan.write_text(plan.read_text("utf-8").replace("n = 12", "n = 13"), encoding="utf-8")
    assert run_command(["campaign", "small", str(plan)]) == 1
    assert "13" in capsys.readouterr().err
    assert run_command(["campaign", "small", "nowhere.toml"]) == 1
    assert run_command(["campaign", "none", str(plan)]) == 1
