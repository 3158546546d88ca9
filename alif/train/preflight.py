"""What would stop a run's training, found before its first step: the teacher is paid before a base is opened.

`alif check` names all of it by what is on this machine; `alif run` refuses the first of it, and looks a hub
id up for that. Torch is loaded for a published base only.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from alif.cost.batch_layout import check_batch_layout
from alif.errors import AlifError, MissingExtra, ModelError, RecipeError
from alif.settings import Recipe
from alif.train.tracker import check_tracker

__all__ = ["student_problems"]


def check_reference(recipe: Recipe) -> None:
    """Refuse DPO on a base in 4 bits: merging stage 2's adapter would round it, and so the reference.

    Raises:
        RecipeError: it is asked for.
    """
    if recipe.pairs.source and recipe.prefer.loss == "dpo" and recipe.student.quantization == "4bit":
        raise RecipeError(
            'prefer.loss = "dpo" does not go with student.quantization = "4bit", which rounds its reference',
            'Set prefer.loss to "orpo", which needs no reference, or student.quantization to "none".',
        )


def check_protection(recipe: Recipe) -> None:
    """Refuse to trim embedding copies that are not made, and layers that the tiny base does not have.

    Raises:
        RecipeError: one of them.
    """
    for name, stage in recipe.stages().items():
        if stage.embedding_keep_share < 1 and "embeddings" not in recipe.adapter.targets:
            raise RecipeError(
                f"{name}.embedding_keep_share = {stage.embedding_keep_share}, but adapter.targets has no "
                '"embeddings": there are no copies to take changes back from',
                'Set it to 1, or add "embeddings" to adapter.targets. To protect layers there is '
                "adapter.layers.",
            )
    if recipe.student.base == "tiny":
        recipe.adapter.select_layers(recipe.tiny.layers)


def student_problems(recipe: Recipe, *, offline: bool, with_base: bool = True) -> list[AlifError]:
    """Return what would stop the training of `recipe`.

    Args:
        recipe: the recipe.
        offline: contact nobody; a hub id that is not on this machine is not looked at.
        with_base: look at the base too; not where a run has recorded it already.
    """
    found: list[AlifError] = []

    def collect(check: Callable[..., object], *arguments: object) -> None:
        try:
            check(*arguments)
        except AlifError as error:
            found.append(error)

    for name, stage in recipe.stages().items():
        collect(check_batch_layout, name, stage, recipe.runtime, recipe.student.quantization)
    collect(check_reference, recipe)
    collect(check_protection, recipe)
    collect(check_tracker, recipe.runtime)
    if recipe.export.stage not in ("", *(made := recipe.merge.pairs())):
        problem = f'export.stage = "{recipe.export.stage}": this recipe makes no such model'
        makes = ", ".join(made) or "no merged model"
        found.append(RecipeError(problem, f"It makes {makes}; merge.weights makes others."))
    if recipe.merge.instruct and find_spec("torch"):
        found += import_module("alif.train.student_check").sibling_problems(recipe, offline=offline)
    if not with_base:
        return found
    if recipe.student.base == "tiny":
        if recipe.finetune.prompt_template == "chat":
            problem = 'finetune.prompt_template = "chat", but the tiny base has no chat template'
            found.append(ModelError(problem, 'Use "auto" or "alpaca", or an instruct base.'))
    elif find_spec("torch"):
        found += import_module("alif.train.student_check").base_problems(recipe, offline=offline)
    elif not offline:
        found.append(MissingExtra("training", "train"))
    return found
