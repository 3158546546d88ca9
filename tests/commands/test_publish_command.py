"""alif publish: a dry run lists every file; conflicts, names and wrong addresses are sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alif import store
from alif.cli import run_command
from tests.commands.test_shipping import run
from tests.release.conftest import context, exported, tiny_run

__all__ = ["context", "exported", "run", "tiny_run"]
DRY = ["publish", "tiny", "--dry-run", "--json", "--to"]


def test_a_dry_run_lists_every_file_with_size_and_digest(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*DRY, "org/Urdu"]) == 0
    found = json.loads(capsys.readouterr().out)
    files = {file["path"]: file for file in found["files"]}
    assert {"README.md", "DATA.md", "CITATION.cff", "model.safetensors", "space/app.py"} <= set(files)
    assert all(file["bytes"] >= 0 and len(file["sha256"]) == 64 for file in files.values())
    assert not [path for path in files if "ledger" in path]
    assert found["licences"]
    assert found["address"] == ""


def test_rows_that_forbid_the_licence_stop_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row for _, row in store.read_rows(run / "blend" / "examples.jsonl")]
    rows[0]["origin"]["licence"] = "CC BY-NC 4.0"
    store.write_rows(run / "blend" / "examples.jsonl", rows)
    assert run_command([*DRY, "org/Urdu", "--licence", "apache-2.0"]) == 1
    said = capsys.readouterr()
    assert "CC BY-NC 4.0 allows no commercial use" in " ".join(said.err.split())
    assert said.out == ""
    assert run_command([*DRY, "org/Urdu", "--licence", "cc-by-nc-4.0"]) == 0


def test_a_reviewers_name_in_a_file_stops_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row for _, row in store.read_rows(run / "seeds" / "examples.jsonl")]
    rows[0]["origin"]["reviewed_by"] = "Sara Khan"
    store.write_rows(run / "seeds" / "examples.jsonl", rows)
    assert run_command([*DRY, "org/Urdu"]) == 0, "the cards name nobody"
    (run / "export" / "model" / "notes.txt").write_text("Thanks to Sara Khan.")
    assert run_command([*DRY, "org/Urdu"]) == 1
    assert "notes.txt: the name Sara Khan" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["Urdu", "a/b/c", "/Urdu", "org/", "org/has space", "../x"])
def test_an_address_that_is_none_is_a_sentence(
    run: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*DRY, to]) == 1
    assert "not OWNER/NAME" in capsys.readouterr().err
