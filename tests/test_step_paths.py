"""Which files a step declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.language.pack import load_pack
from alif.recipe import validate_recipe
from alif.settings import Recipe
from alif.step_paths import blend_paths, evaluate_paths


def recipe(**benchmarks: object) -> Recipe:
    return validate_recipe({"name": "r", "language": {"source": "en"}, "benchmarks": benchmarks}, "test")


def test_questions_of_the_packs_are_declared_where_they_are_read(tmp_path: Path) -> None:
    label, path = "pack/en/choices.jsonl", load_pack("en").folder / "choices.jsonl"
    for declare in (blend_paths, evaluate_paths):
        asked = declare(recipe(multiple_choice=["pack"]), tmp_path)
        assert asked[label] == path
        assert declare(recipe(), tmp_path) == {name: one for name, one in asked.items() if name != label}


@pytest.mark.parametrize("test", [["pack"], []])
def test_the_test_set_is_declared_only_where_it_is_asked(test: list[str], tmp_path: Path) -> None:
    declared = evaluate_paths(recipe(test=test), tmp_path)
    assert ("pack/ur/test.jsonl" in declared) == bool(test)
