"""What `alif new` leaves for a linguist is named until it is done."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alif.data.pack_lint_unfinished import lint_unfinished
from alif.language.pack import load_pack, shipped_packs


@pytest.mark.parametrize("name", shipped_packs())
def test_nothing_of_the_shipped_packs_is_unfinished(name: str) -> None:
    assert not [*lint_unfinished(load_pack(name), load_pack("en"))]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("pack.toml", 'licence = "MIT"', "", "pack.toml: licence"),
        ("tasks/sentiment.toml", 'labels = ["chanya", "hasi", ', 'labels = [] # ["', "labels"),
        ("tasks/translation.toml", "own = [", "own = [] # [", "into.own"),
        ("pack.toml", 'choice_nouns = ["chaguo", "kipengele", ', "choice_nouns = [", "choices.choice_nouns"),
        ("pack.toml", 'code = "sw"', 'code = "sw" # Mend: the code', "pack.toml:"),
    ],
)
def test_each_is_named_with_its_place(tmp_path: Path, file: str, old: str, new: str, expected: str) -> None:
    folder = shutil.copytree(load_pack("sw").folder, tmp_path / "sw")
    told = (folder / file).read_text(encoding="utf-8")
    assert old in told
    (folder / file).write_text(told.replace(old, new, 1), encoding="utf-8")
    found = [one.where for one in lint_unfinished(load_pack(folder), load_pack("en"))]
    assert len(found) == 1
    assert expected in found[0]
