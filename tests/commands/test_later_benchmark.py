"""`alif decontaminate`: a benchmark that comes later is compared with what a finished run was trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.cli import run_command


@pytest.fixture
def blended(document: Callable[..., Any]) -> list[dict[str, Any]]:
    document("blend", "demo", "--set", "generate.target_rows=70")
    held = {row["id"] for _, row in store.read_rows(Path("runs/demo/blend/held_out.jsonl"))}
    rows = [row for _, row in store.read_rows(Path("runs/demo/blend/examples.jsonl"))]
    return [row for row in rows if row["id"] not in held]


def ask(questions: list[dict[str, Any]]) -> str:
    Path("later.jsonl").write_text(
        "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in questions), encoding="utf-8"
    )
    return "later.jsonl"


def test_rows_that_give_a_question_away_are_shown_and_nothing_changes(
    blended: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    row = blended[0]
    asked = f"{row['instruction']}\n{row['input']}".strip()
    file = ask(
        [{"question": asked, "final": "7"}, {"question": "Is this asked anywhere at all?", "final": "no"}]
    )
    before = {path: path.read_bytes() for path in Path("runs").rglob("*.json*")}
    assert run_command(["decontaminate", "demo", "--benchmark", file, "--json"]) == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found["questions"], found["documents"]) == (2, 0)
    assert row["id"] in [one["id"] for one in found["matches"]]
    assert found["matches"][0]["nearest"]["id"] == "later.jsonl#1"
    assert "1 of its 2 questions stand in" in captured.err
    assert run_command(["decontaminate", "demo", "--benchmark", file]) == 1
    assert "2 questions, compared with" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in Path("runs").rglob("*.json*")} == before


def test_a_benchmark_without_a_match_ends_well_and_says_what_is_not_found(
    blended: list[dict[str, Any]], document: Callable[..., Any]
) -> None:
    found = document(
        "decontaminate", "demo", "--benchmark", ask([{"prompt": "Nobody asks this, or does one?"}])
    )
    assert found["matches"] == []
    assert found["rows"] == len(blended)
    assert "not found" in found["undetected"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("nothing.jsonl", "nothing.jsonl: no benchmark of runs/demo/recipe.toml, and no file"),
        ("empty.jsonl", "empty.jsonl: none of 1 rows has a question"),
    ],
)
def test_what_is_no_benchmark_is_a_sentence(
    blended: list[dict[str, Any]], file: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.jsonl").write_text('{"colour": "red"}\n', encoding="utf-8")
    assert run_command(["decontaminate", "demo", "--benchmark", file]) == 1
    assert said in capsys.readouterr().err


def test_a_run_without_rows_is_a_sentence(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("seeds", "demo")
    assert run_command(["decontaminate", "demo", "--benchmark", ask([{"question": "?"}])]) == 1
    assert "neither blend nor corpus is done" in capsys.readouterr().err
