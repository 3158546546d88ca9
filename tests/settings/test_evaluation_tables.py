"""Recipe tables of the evaluation: names of systems are folders."""

from __future__ import annotations

import pytest

from alif.errors import RecipeError
from alif.recipe import validate_recipe


@pytest.mark.parametrize("name", ["base", "pretrain", "finetune", "..", "a/b"])
def test_a_system_named_like_a_stage_or_like_no_folder_is_refused(name: str) -> None:
    with pytest.raises(RecipeError, match="system"):
        validate_recipe({"name": "r", "system": {name: {"model": "m"}}}, "r.toml")


def test_a_system_is_a_folder_a_hub_id_or_an_endpoint() -> None:
    systems = {"published": {"model": "a/b"}, "gpt": {"model": "m", "base_url": "http://pc:1/v1"}}
    recipe = validate_recipe({"name": "r", "system": systems}, "r.toml")
    assert {name: bool(system.base_url) for name, system in recipe.system.items()} == {
        "published": False,
        "gpt": True,
    }
