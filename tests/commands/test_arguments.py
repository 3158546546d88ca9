"""Names of runs and recipes, and what is said where there is none."""

from __future__ import annotations

import pytest

from alif.commands.arguments import load_recipe, open_run
from alif.errors import RecipeError


def test_a_recipe_gives_the_run_of_its_name() -> None:
    run, recipe = load_recipe("demo", ['name="mine"'])
    assert (run.name, recipe.name) == ("mine", "mine")
    assert not run.root.exists()


def test_a_run_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(RecipeError, match="runs/demo: no such run"):
        open_run("demo")


def test_a_run_comes_with_the_recipe_that_it_keeps() -> None:
    run, recipe = load_recipe("demo", ["generate.target_rows=7"])
    run.write_header(recipe)
    assert open_run("demo") == (run, recipe)
