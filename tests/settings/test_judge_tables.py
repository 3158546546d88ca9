"""The judges' tables in a recipe."""

from __future__ import annotations

import pytest

from alif import recipe as recipes
from alif.errors import RecipeError
from alif.recipe import shipped_recipes


def load(*lines: str) -> object:
    return recipes.load_recipe(shipped_recipes()["demo"], lines)


def test_a_judge_is_deterministic_and_the_majority_has_a_name_of_its_own() -> None:
    recipe = recipes.load_recipe(shipped_recipes()["demo"], ['judge.gpt.model="gpt-4.1"'])
    assert recipe.judge["gpt"].temperature == 0
    assert recipe.systems() == ["base", "pretrain", "finetune"]
    with pytest.raises(RecipeError, match="called panel"):
        load('judge.panel.model="gpt-4.1"')
    with pytest.raises(RecipeError, match="no such key"):
        load('judge.gpt.model="gpt-4.1"', "judge.gpt.weight=2")


def test_pairs_are_two_names() -> None:
    with pytest.raises(RecipeError, match=r"judging\.pairs"):
        load('judging.pairs=[["finetune"]]')
    with pytest.raises(RecipeError, match=r"judging\.prompt_language"):
        load('judging.prompt_language="klingon"')
