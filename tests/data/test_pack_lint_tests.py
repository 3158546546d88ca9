"""The test set of a pack: rows that nothing can mark, and keys that refuse their own answer, are named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.data.pack_lint_tests import lint_test_set
from alif.language.pack import load_pack, shipped_packs

WRONG = "wrong test.jsonl:1: "
GOOD = {
    "task": "qa",
    "instruction": "پاکستان کا دارالحکومت؟",
    "output": "اسلام آباد",
    "accept": ["اسلام آباد"],
    "author": "Ada",
    "reviewed_by": "Ada",
}


def lint(folder: Path, row: dict[str, Any]) -> list[str]:
    copy = shutil.copytree(load_pack("ur").folder, folder / "ur", ignore=shutil.ignore_patterns("demo"))
    store.write_rows(copy / "test.jsonl", [row])
    found = lint_test_set(load_pack(copy))
    return [f"{one.kind} {Path(one.where).name}: {one.what}" for one in found]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"accept": []}, f"{WRONG}is marked by nothing"),
        ({"rubric": ["ا", "ب", "ج"]}, f"{WRONG}is marked by accept and rubric"),
        ({"accept": "کراچی"}, f"{WRONG}accept, refuse, rubric or references is no list"),
        ({"accept": ["کراچی"]}, f"{WRONG}its own output is not accepted"),
        ({"output": "اسلام آباد، پہلے کراچی", "refuse": ["کراچی"]}, f"{WRONG}its own output is not accepted"),
        ({"refuse": ["اسلام آباد"]}, f"{WRONG}اسلام آباد is both accepted and refused"),
        ({"accept": [], "rubric": ["ا", "ب"]}, f"{WRONG}the rubric has 2 points"),
        (
            {"accept": [], "references": ["کراچی", "لاہور"]},
            f"{WRONG}the first of its references is not its output",
        ),
        ({"reviewed_by": ""}, "doubtful test.jsonl: 1 test questions not reviewed by a native speaker"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_place(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    assert lint(tmp_path, GOOD | change) == [expected]


def test_a_good_row_is_fine(tmp_path: Path) -> None:
    assert lint(tmp_path, GOOD) == []


@pytest.mark.parametrize("name", [name for name in shipped_packs() if load_pack(name).tasks])
def test_every_row_that_ships_can_be_marked(name: str) -> None:
    assert [one for one in lint_test_set(load_pack(name)) if one.kind == "wrong"] == []
