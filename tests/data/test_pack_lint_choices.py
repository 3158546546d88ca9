"""Multiple-choice questions of a pack: those that cannot be asked, or are asked twice, are named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.data.pack_lint_choices import lint_choices
from alif.language.pack import load_pack

GOOD = {"id": "a", "question": "Water is", "choices": ["wet", "dry"], "gold": 0, "reviewed_by": "Ada"}
NEEDS = "needs question, choices and gold, the number of the right one from 0"


def lint(folder: Path, *rows: dict[str, Any]) -> list[str]:
    copy = shutil.copytree(load_pack("en").folder, folder / "en", ignore=shutil.ignore_patterns("demo"))
    (copy / "choices.jsonl").unlink()
    if rows:
        store.write_rows(copy / "choices.jsonl", rows)
    found = lint_choices(load_pack(copy))
    return [f"{one.kind} {Path(one.where).name}: {one.what}".replace(f"{copy}/", "") for one in found]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"question": ""}, f"wrong choices.jsonl:2: {NEEDS}"),
        ({"question": "Ice is", "choices": ["cold"]}, f"wrong choices.jsonl:2: {NEEDS}"),
        ({"question": "Ice is", "choices": ["cold", ""]}, f"wrong choices.jsonl:2: {NEEDS}"),
        ({"question": "Ice is", "gold": 2}, f"wrong choices.jsonl:2: {NEEDS}"),
        ({"question": "Ice is", "gold": True}, f"wrong choices.jsonl:2: {NEEDS}"),
        ({"question": "WATER is"}, "wrong choices.jsonl:2: the question is also in choices.jsonl:1"),
        ({"question": "Ice is", "choices": ["wet", "WET"]}, "wrong choices.jsonl:2: a choice occurs twice"),
        ({"question": "Ice is", "id": "a"}, "wrong choices.jsonl:2: the id is also in choices.jsonl:1"),
        (
            {"question": "Ice is", "reviewed_by": ""},
            "doubtful choices.jsonl: 1 questions not reviewed by a native speaker",
        ),
    ],
)
def test_each_fault_is_named_with_its_place(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    assert lint(tmp_path, GOOD, GOOD | {"id": "b"} | change) == [expected]


def test_good_questions_and_a_pack_without_any_are_fine(tmp_path: Path) -> None:
    assert lint(tmp_path / "with", GOOD, GOOD | {"id": "b", "question": "Ice is"}) == []
    assert lint(tmp_path / "without") == []
