"""What of a published base would stop a run's training; `preflight` asks before the first step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from alif.errors import AlifError, ModelError, RecipeError
from alif.settings import Recipe, Stage
from alif.student import adapter as adapters
from alif.student import sibling as siblings
from alif.student.chat_template import choose_template, encode_answer
from alif.student.device import DeviceConfig, quiet_libraries
from alif.student.linear_layers import find_linear_layers, recurrent_layers
from alif.student.published import PublishedBase, open_published
from alif.student.vocabulary import check_extendable
from alif.train.probe import choose_training_form

__all__ = [
    "base_problems", "check_length", "describe_training", "prove_training", "sibling_problems",
    "training_problems",
]  # fmt: skip


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
    return training_problems(recipe, base)


def training_problems(recipe: Recipe, base: PublishedBase) -> list[AlifError]:
    """Return what of an opened base would stop the training of `recipe`."""
    found: list[AlifError] = []

    def collect(check: Callable[..., object], *arguments: object) -> None:
        try:
            check(*arguments)
        except AlifError as error:
            found.append(error)

    template = recipe.finetune.prompt_template
    for name, stage in recipe.stages().items():
        collect(check_length, base.name, base.config, name, stage)
    collect(encode_answer, "?", "", "!", template, base.tokenizer)
    if recipe.student.added_tokens:
        collect(check_extendable, base.tokenizer)
    collect(_check_layers, recipe, base)
    return found


def describe_training(recipe: Recipe, base: PublishedBase) -> str:
    """Return how an opened base is trained here: layers, template, end of an answer, new tokens.

    It comes before `training_problems`, which puts an adapter on the model.

    Raises:
        ModelError: a layer that the adapter does not train, or a template that cannot be used.
    """
    template, tokenizer = recipe.finetune.prompt_template, base.tokenizer
    layers, where = find_linear_layers(base.model, recipe.adapter), ""
    if recipe.adapter.layers:  # the same names in each of them
        layers = list(dict.fromkeys(name.rpartition(".")[2] for name in layers))
        where = f" of layers {recipe.adapter.layers}"
    end = encode_answer("?", "", "!", template, tokenizer)[-1]
    why = "" if getattr(tokenizer, "chat_template", None) else ", as it has no chat template"
    has_chat = choose_template(template, tokenizer) == "chat"
    parts = [
        f"LoRA on {', '.join(layers) or 'no layer'}{where}",
        "prompts in its chat template" if has_chat else f"prompts under Alpaca's headings{why}",
        f"an answer ends with {tokenizer.convert_ids_to_tokens(end)}",
    ]
    try:
        check_extendable(tokenizer)
        parts.append("new tokens can be added")
    except ModelError:
        parts.append("no tokens can be added: its tokenizer is no byte-pair encoding over words")
    return "; ".join(parts)


def prove_training(recipe: Recipe, model: Any, device: DeviceConfig) -> None:
    """Put the recipe's adapter on a loaded base, and prove that both stages train the base's own loss.

    Raises:
        ModelError: they do not, or packed texts would see each other.
    """
    wrapped = adapters.add_adapter(model, recipe.adapter)
    for stage in (recipe.pretrain, recipe.finetune):
        choose_training_form(wrapped, stage, device)


def sibling_problems(recipe: Recipe, *, offline: bool) -> list[AlifError]:
    """Return what of the base's instruct sibling would stop the step merge; arguments as above."""
    quiet_libraries()
    try:
        sibling = siblings.open_sibling(recipe.merge, offline=offline)
        base = None if recipe.student.base == "tiny" else open_published(recipe.student, offline=offline)
    except AlifError as error:
        is_base = "merge.instruct" not in error.message  # said by `base_problems`
        return [] if is_base or (offline and "cannot be reached" in error.message) else [error]
    try:
        if base is not None:  # the tiny one is compared when it is made
            siblings.check_sibling(base, sibling, extended=False)
        if base and base.folder and sibling.folder:
            ours, theirs = (siblings.open_tensors(str(one), "", one) for one in (base.folder, sibling.folder))
            siblings.check_related(ours, theirs, base.model)
    except AlifError as error:
        return [error]
    return []


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
    packed = [name for name, stage in recipe.stages().items() if stage.packing == "packed"]
    if layers and packed:
        raise ModelError(
            f"{base.name}: packed texts would see each other, because its {layers} layers hand on a state",
            "Set " + " and ".join(f'{name}.packing = "padded"' for name in packed) + ", or another base.",
        )
    with torch.device("meta"):
        adapters.add_adapter(base.model, recipe.adapter)
