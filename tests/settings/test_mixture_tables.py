"""The tables of the mixture: an amount is said once, and a wording has a place for the instruction."""

from __future__ import annotations

from typing import Any

import pytest

from alif.errors import RecipeError
from alif.recipe import validate_recipe
from alif.settings import Part, Recipe


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"rows": 10, "share": 0.2}, r"blend\.more: rows and share both say how much is drawn"),
        ({"share": 1.0}, r"blend\.more\.share"),
        ({"repeat": 0}, r"blend\.more\.repeat"),
        ({"wordings": ["Answer in Urdu."]}, r"blend\.more\.wordings\.0"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(part: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        validate_recipe({"name": "r", "blend": {"more": part}}, "mine.toml")


def test_keys_that_are_not_set_leave_no_trace_in_a_steps_identity() -> None:
    assert Part().model_dump(mode="json") == {"source": [], "rows": 0, "licence": ""}


def test_a_share_of_replay_is_the_share_of_its_part() -> None:
    recipe = Recipe.model_validate({"name": "r", "replay": {"share": 0.2}})
    assert recipe.replay_part["replay"].share == 0.2
    assert Recipe(name="r").replay_part == {}
