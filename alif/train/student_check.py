"""What of a published base would stop a run's training; `preflight` asks before the first step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from alif.errors import AlifError, ModelError, RecipeError
from alif.settings import Recipe, Stage
from alif.student import adapter as adapters
from alif.student.chat_template import encode_answer
from alif.student.device import quiet_libraries
from alif.student.linear_layers import recurrent_layers
from alif.student.published import PublishedBase, open_published
from alif.student.vocabulary import check_extendable

__all__ = ["base_problems", "check_length"]


def base_problems(recipe: Recipe, *, offline: bool) -> list[AlifError]:
    """Return what of the published base of `recipe` would stop its training.

    Args:
        recipe: the recipe.
        offline: contact nobody; a hub id that is not on this machine is not looked at.
    """
    quiet_libraries()
    try:
        base = open_published(recipe.student, offline=offline)
    except AlifError as error:
        return [] if offline and "cannot be reached" in error.message else [error]
    found: list[AlifError] = []

    def collect(check: Callable[..., object], *arguments: object) -> None:
        try:
            check(*arguments)
        except AlifError as error:
            found.append(error)

    template = recipe.finetune.prompt_template
    for name, stage in (("pretrain", recipe.pretrain), ("finetune", recipe.finetune)):
        collect(check_length, base.name, base.config, name, stage)
    collect(encode_answer, "?", "", "!", template, base.tokenizer)
    if recipe.student.added_tokens:
        collect(check_extendable, base.tokenizer)
    collect(_check_layers, recipe, base)
    return found


def check_length(base: str, config: Any, name: str, stage: Stage) -> None:
    """Refuse rows in which a text could be longer than the base can read."""
    longest = getattr(config.get_text_config(), "max_position_embeddings", None)
    if longest is not None and stage.max_seq_length > longest:
        raise RecipeError(
            f"{name}.max_seq_length = {stage.max_seq_length}, but {base} reads at most {longest} tokens",
            f"Set {name}.max_seq_length to {longest} or less.",
        )


def _check_layers(recipe: Recipe, base: PublishedBase) -> None:
    """Refuse layers that the adapter does not train, and states that packing would hand on.

    Raises:
        ModelError: one of them.
    """
    layers = recurrent_layers(base.model)
    packed = [name for name in ("pretrain", "finetune") if getattr(recipe, name).packing == "packed"]
    if layers and packed:
        raise ModelError(
            f"{base.name}: packed texts would see each other, because its {layers} layers hand on a state",
            "Set " + " and ".join(f'{name}.packing = "padded"' for name in packed) + ", or another base.",
        )
    with torch.device("meta"):
        adapters.add_adapter(base.model, recipe.adapter)
