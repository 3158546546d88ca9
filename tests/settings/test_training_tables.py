"""Weights of the step merge: names, pairs, and what cannot be meant."""

from __future__ import annotations

import pytest

from alif import recipe as recipes
from alif.errors import RecipeError

DEMO = recipes.shipped_recipes()["demo"]


def load(*sets: str) -> recipes.Recipe:
    return recipes.load_recipe(DEMO, list(sets))


def test_nothing_is_merged_unless_the_recipe_asks() -> None:
    assert load().merge.pairs() == {}
    assert "merge" not in recipes.dump_recipe(load())


def test_merged_models_are_named_by_their_weights() -> None:
    assert load("merge.weights=[0.4, 0.75, 1]").merge.pairs() == {
        "merge-0.4": (0.4, 0.0), "merge-0.75": (0.75, 0.0), "merge-1": (1.0, 0.0),
    }  # fmt: skip
    sibling = 'merge.instruct="x/y"'
    assert load("merge.weights=[0.4, 0.6]", sibling).merge.pairs() == {
        "merge-0.4-0.6": (0.4, 0.6), "merge-0.6-0.4": (0.6, 0.4),
    }  # fmt: skip
    paired = load("merge.weights=[1, 1]", sibling, "merge.instruct_weights=[1, 0.5]")
    assert list(paired.merge.pairs()) == ["merge-1-1", "merge-1-0.5"]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["merge.weights=[1.2]"], r"merge\.weights\.0: input should be less than or equal to 1"),
        (["merge.weights=[-0.1]"], "greater than or equal to 0"),
        (["merge.weights=[0.5, 0.5]"], "same weights stand there twice"),
        (["merge.weights=[0.5, 0.5001]"], "same weights stand there twice"),
        (['merge.instruct="x/y"'], "without weights"),
        (["merge.instruct_weights=[0.5]"], "needs instruct"),
        (["merge.weights=[0.5]", "merge.instruct_weights=[0.5]"], "needs instruct"),
        (
            ["merge.weights=[0.5, 0.6]", 'merge.instruct="x/y"', "merge.instruct_weights=[0.5]"],
            "one number for each",
        ),
        (
            ["merge.weights=[0.5]", 'merge.instruct="x/y"', "merge.instruct_weights=[1.5]"],
            "less than or equal to 1",
        ),
        (['export.stage="merge-../x"'], r"export\.stage"),
        (['export.stage="pretrain"'], r"export\.stage"),
    ],
)
def test_what_cannot_be_meant_is_refused(sets: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(*sets)


def test_a_setting_that_is_not_used_is_in_no_identity() -> None:
    """So what was exported before the key existed is still current."""
    assert "export.stage" not in recipes.identity_settings("export", load().export)
    chosen = load("merge.weights=[0.6]", 'export.stage="merge-0.6"').export
    assert recipes.identity_settings("export", chosen)["export.stage"] == "merge-0.6"
