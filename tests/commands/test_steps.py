"""Running steps: one alone with what it needs, stored replies parsed again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.cli import run_command
from alif.language.replies import item_format
from tests.commands.conftest import SMALL


def test_a_step_alone_is_done_with_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run_command(
            [
                "generate",
                "demo",
                "--json",
                "--set",
                "generate.target_rows=14",
                "--set",
                "generate.requests_per_round=2",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    states = {step["name"]: step["state"] for step in found["steps"]}
    assert (states["seeds"], states["generate"], states["translate"]) == ("done", "done", "todo")
    assert run_command(["show", "demo", "generate", "--json", "-n", "3"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 3
    assert all(row["origin"]["kind"] == "teacher" for row in rows)


def test_stored_replies_are_read_again_and_later_steps_say_so(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_command(["generate", "demo", "--reparse"]) == 1
    assert "generate is not done yet" in capsys.readouterr().err
    document("filter", "demo", *SMALL)
    assert run_command(["generate", "demo", "--reparse"]) == 0
    assert "The same rows as before." in capsys.readouterr().err
    document("filter", "demo")
    read = item_format.read_items
    monkeypatch.setattr(item_format, "read_items", lambda *asked: read(*asked)[1:])
    assert run_command(["generate", "demo", "--reparse"]) == 0
    assert "Rows have changed" in capsys.readouterr().err
    assert run_command(["filter", "demo"]) == 1
    assert "filter was built with another generate" in capsys.readouterr().err
    assert sorted(path.name for path in Path("runs/demo/runtime/generate").glob("before-*")) == [
        "before-1",
        "before-2",
    ]


def test_what_is_read_again_is_in_the_mirror_too(
    document: Callable[..., Any], empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ["--set", f'runtime.backup="{empty_folder}/mirror"']
    document("generate", "demo", *SMALL, *there)
    here, copy = Path("runs/demo/generate"), Path("mirror/demo/generate")
    before = store.sha256_tree(copy)
    read = item_format.read_items
    monkeypatch.setattr(item_format, "read_items", lambda *asked: read(*asked)[1:])
    document("generate", "demo", "--reparse")
    assert store.sha256_tree(here) == store.sha256_tree(copy) != before
