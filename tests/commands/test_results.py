"""Report, data set, chat and server of a run, as commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif.cli import run_command
from tests.commands.conftest import SMALL


def test_a_report_and_a_data_set_are_written_where_the_command_says(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("blend", "demo", *SMALL)
    assert document("report", "demo")["run"] == "demo"
    assert run_command(["report", "demo"]) == 0
    assert capsys.readouterr().out.strip() == "runs/demo/report.html"
    assert Path("runs/demo/report.html").is_file()


def test_a_run_without_a_model_is_a_sentence(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("seeds", "demo")
    for command in (["chat", "demo", "?"], ["serve", "demo", "--port", "0"]):
        assert run_command(command) == 1
        assert "Traceback" not in capsys.readouterr().err
