"""Fixtures for the commands: an empty working directory, and a command's JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif.cli import run_command

SMALL = (
    *("--set", "generate.target_rows=35"),
    *("--set", "generate.requests_per_round=7"),
    *("--set", "translate.rows=4"),
)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs a command with --json and gives its document."""

    def run(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert run_command([*arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run
