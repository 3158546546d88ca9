"""`alif plan`: one document, or tables for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alif.cli import run_command


def test_a_plan_is_printed_and_is_one_document(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = document("plan", "urdu-8b", "--gpu", "h200")["plan"]
    assert plan["gpu"] == "h200"
    assert [stage["stage"] for stage in plan["stages"]] == ["pretrain", "finetune"]
    assert run_command(["plan", "urdu-8b", "--gpu", "t4"]) == 0
    table = capsys.readouterr().out
    assert "does not fit" in table
    assert "--set" in table


def test_an_unknown_gpu_is_a_sentence_and_no_gpu_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["plan", "urdu-8b", "--gpu", "abacus"]) == 1
    assert "abacus" in capsys.readouterr().err
    assert run_command(["plan", "urdu-8b"]) == 2
