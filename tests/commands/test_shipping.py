"""alif export --to, alif merge-adapter: one document, and sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alif.cli import run_command
from tests import made_up
from tests.release.conftest import context, exported, tiny_run

__all__ = ["context", "exported", "tiny_run"]


@pytest.fixture
def run(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that is exported, as the commands find it."""
    made_up.write_step(exported, "export", None, 0)
    (tmp_path / "runs").mkdir()
    exported.rename(tmp_path / "runs" / "tiny")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs" / "tiny"


def test_an_adapter_is_exported_and_merged_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["export", "tiny", "--to", "adapter", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["form"], found["folder"]) == ("adapter", "runs/tiny/export/adapter")
    assert run_command(["merge-adapter", found["folder"], "merged", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": "merged"}
    assert Path("merged/config.json").is_file()
    assert run_command(["merge-adapter", found["folder"], "again", "--base", "runs/tiny/base/model"]) == 1
    assert "not the base of this adapter" in capsys.readouterr().err


def test_what_cannot_be_exported_is_a_sentence(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["export", "tiny", "--to", "gguf", "--llama-cpp", "nowhere"]) == 1
    assert "nowhere: no convert_hf_to_gguf.py" in capsys.readouterr().err
    assert run_command(["export", "tiny", "--to", "gguf", "--llama-python", "nowhere/python"]) == 1
    assert "nowhere/python: cannot be run" in capsys.readouterr().err
    assert run_command(["export", "tiny", "--to", "onnx"]) == 2
