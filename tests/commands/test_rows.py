"""`alif show`: rows as they are, each with its ancestry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.cli import run_command


def test_rows_and_dropped_rows_are_shown_with_origin_and_reason(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("generate", "demo", "--set", "generate.target_rows=105")
    rows = document("show", "demo", "generate", "-n", "3")
    assert len(rows) == 3
    assert all(row["origin"]["kind"] == "teacher" for row in rows)
    assert run_command(["show", "demo", "generate", "--dropped", "-n", "999"]) == 0
    shown = capsys.readouterr().out
    assert "reason near_duplicate" in shown
    assert "ROUGE-L " in shown
    assert "\u2067" in shown  # right-to-left text is isolated


def test_what_is_not_there_is_a_sentence(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("seeds", "demo")
    assert run_command(["show", "demo", "baking"]) == 1
    assert "baking: no such step" in capsys.readouterr().err
    assert run_command(["show", "demo", "filter"]) == 1
    assert "filter/examples.jsonl: no such file" in capsys.readouterr().err


def test_a_pair_is_shown_with_both_answers(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("seeds", "demo")
    pair = {"instruction": "What is ice?", "output": "Frozen water.", "rejected": "A kind of fire."}
    store.write_rows(Path("runs/demo/pairs/examples.jsonl"), [pair])
    assert run_command(["show", "demo", "pairs"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Frozen water.") < shown.index("rejected") < shown.index("A kind of fire.")
