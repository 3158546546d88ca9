"""What several GPUs ask of a recipe is told before anything is spent."""

from __future__ import annotations

import pytest

from alif import recipe as recipes
from alif.cost import batch_layout
from alif.errors import RecipeError
from alif.settings import Pretrain, Runtime


@pytest.mark.parametrize("gpus", [1, 2, 4])
def test_the_papers_recipe_goes_on_as_many_gpus_as_the_readme_says(gpus):
    assert not problems("urdu-8b", f"runtime.gpus={gpus}")


def test_a_step_that_cannot_be_shared_is_a_problem_of_the_recipe():
    assert problems("urdu-8b", "runtime.gpus=8") == [
        "pretrain.batch_size = 12 is not a multiple of micro_batch_size = 1 on 8 GPUs",
        "finetune.batch_size = 4 is not a multiple of micro_batch_size = 1 on 8 GPUs",
    ]


def test_an_optimiser_in_8_bits_is_not_shared_out():
    stage = Pretrain(optimizer="adamw_8bit")
    batch_layout.check_batch_layout("pretrain", stage, Runtime(gpus=4), "none")
    batch_layout.check_batch_layout(
        "pretrain", stage, Runtime(fsdp=True), "none"
    )  # nothing is shared out on one
    with pytest.raises(RecipeError, match=r'pretrain.optimizer = "adamw_8bit" does not go with runtime.fsdp'):
        batch_layout.check_batch_layout("pretrain", stage, Runtime(gpus=4, fsdp=True), "none")


def test_a_base_in_4_bits_and_float16_are_not_shared_out():
    shared = Runtime(gpus=4, fsdp=True)
    batch_layout.check_batch_layout("pretrain", Pretrain(), shared, "none")
    batch_layout.check_batch_layout("pretrain", Pretrain(), Runtime(gpus=4), "4bit", bfloat16=False)
    with pytest.raises(RecipeError, match=r"runtime.fsdp = true does not go with a base in 4 bits"):
        batch_layout.check_batch_layout("pretrain", Pretrain(), shared, "4bit")
    with pytest.raises(RecipeError, match=r"runtime.fsdp = true does not go with float16"):
        batch_layout.check_batch_layout("pretrain", Pretrain(), shared, "none", bfloat16=False)


def problems(name: str, *sets: str) -> list[str]:
    recipe = recipes.load_recipe(recipes.shipped_recipes()[name], sets)
    found = []
    for stage, settings in (("pretrain", recipe.pretrain), ("finetune", recipe.finetune)):
        try:
            batch_layout.check_batch_layout(stage, settings, recipe.runtime, recipe.student.quantization)
        except RecipeError as error:
            found.append(error.message)
    return found
