"""`alif ls`."""

from __future__ import annotations

import json

import pytest

from alif.cli import run_command


def test_ls_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["ls", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"packs", "recipes", "runs"} == set(found)
    assert found["runs"] == []
    assert run_command(["seeds", "demo"]) == 0
    capsys.readouterr()
    assert run_command(["ls"]) == 0
    table = capsys.readouterr().out
    assert "1 of 13 steps done" in table  # those that the recipe asks for
    assert "not reviewed by a native speaker" in table
    urdu = next(one for one in found["packs"] if one["tasks"])
    assert urdu["seeds"] >= 50
