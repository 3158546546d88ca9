"""What is trained on top of a frozen base: LoRA, and full float32 copies of embeddings and head.

"LoRA on the embeddings" in the paper is not LoRA: only full copies give its 14.72 % (see `count_parameters`).
LoRA on the head does not train at all in libraries with a fused loss, and on a tied base LoRA on the
embeddings is merged twice. So there is one form for them, `modules_to_save`, tied again where the base is
tied. The copies are float32, because at a learning rate of 1e-5 only 14 to 38 % of bfloat16 weights can move
at all.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from alif import store
from alif.errors import ModelError, RecipeError
from alif.records import EXTRA_STAGES, STAGES
from alif.settings import Adapter
from alif.student import weights
from alif.student.linear_layers import LINEAR_KINDS, embedding_names, find_linear_layers

__all__ = [
    "TrainableShare", "add_adapter", "combine_adapters", "count_parameters", "count_weights",
    "latest_adapter", "load_adapter", "output_head", "save_adapter", "trainable_parameters", "unwrap",
    "weigh_adapter",
]  # fmt: skip

COPY_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
"""PEFT's own names, so that PEFT can open what we save."""

PeftSettings = dict[str, Any]
"""adapter_config.json."""


@dataclass(frozen=True)
class TrainableShare:
    """How much of a wrapped model is trained."""

    trainable: int
    total: int
    """Base and adapter together, frozen originals of copied matrices included: the paper's way of
    counting."""

    @property
    def percent(self) -> float:
        return 100 * self.trainable / self.total


def count_parameters(model: torch.nn.Module) -> TrainableShare:
    """Count trainable and all parameters.

    Llama-3.1-8B with rank 128 has 1,386,217,472, which are 14.72 % of base + adapter. Source: arXiv
    2510.09051.
    """
    sizes = [(count_weights(parameter), parameter.requires_grad) for parameter in model.parameters()]
    return TrainableShare(
        sum(size for size, is_trained in sizes if is_trained), sum(size for size, _ in sizes)
    )


def trainable_parameters(model: torch.nn.Module | None) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Yield what is trained, by name; a tied matrix once."""
    named = model.named_parameters() if model is not None else ()
    return ((name, parameter) for name, parameter in named if parameter.requires_grad)


def count_weights(parameter: torch.Tensor) -> int:
    """Return how many weights a parameter holds; bitsandbytes keeps two of 4 bits in a byte."""
    packed: Any = getattr(parameter, "quant_state", None)
    return int(packed.shape.numel() if packed is not None else parameter.numel())


def add_adapter(model: PreTrainedModel, adapter: Adapter) -> PeftModel:
    """Freeze `model` and add a new adapter, the same for the same seed; it changes no output yet.

    Raises:
        ModelError: the base has no linear layers of a kind that the recipe names, or no output head.
        RecipeError: nothing but embeddings is named, or layers that the base does not have.
    """
    if not set(LINEAR_KINDS) & set(adapter.targets):
        raise RecipeError(
            'adapter.targets needs "attention" or "mlp"', "Embeddings alone are not an adapter."
        )
    targets = find_linear_layers(model, adapter)
    copies = embedding_names(model) if "embeddings" in adapter.targets else None
    if copies and _is_tied(model) and not {"embed_tokens", "lm_head"} & set(copies):
        raise ModelError(
            f"embeddings and head of this base are one matrix, and by their names ({', '.join(copies)}) PEFT "
            "does not tie their copies",
            'Set adapter.targets = ["attention", "mlp"], or choose another base.',
        )
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=adapter.rank,
        lora_alpha=adapter.alpha,
        use_rslora=adapter.rslora,
        lora_dropout=adapter.dropout,
        target_modules=targets,
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in model.modules()),
        modules_to_save=copies,
        ensure_weight_tying=copies is not None and _is_tied(model),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(adapter.seed)
        return _attach(model, config, COPY_DTYPES[adapter.embedding_dtype])


def save_adapter(model: PeftModel, folder: Path, base: str) -> None:
    """Write the adapter of the base named `base` in PEFT's format, the same bytes for the same weights."""
    config = model.peft_config["default"].to_dict()
    config |= {"base_model_name_or_path": base, "inference_mode": True}
    if config["ensure_weight_tying"] and "embed_tokens" not in config["modules_to_save"]:
        config["modules_to_save"] += embedding_names(unwrap(model))[1:]  # by lm_head PEFT knows them again
    weights.write_weights(folder / WEIGHTS, get_peft_model_state_dict(model, save_embedding_layers=False))

    def plain(value: object) -> object:
        if isinstance(value, set | frozenset):
            return sorted(value)
        return value.value if isinstance(value, Enum) else json.loads(json.dumps(value))

    store.write_json(folder / CONFIG, {key: plain(config[key]) for key in sorted(config)})


def load_adapter(model: PreTrainedModel, folder: Path) -> PeftModel:
    """Put a saved adapter on `model`, trainable: LoRA in float32, full copies as they were saved.

    Raises:
        ModelError: no whole adapter, one for another base, or LoRA that cannot be trained or merged.
    """
    settings = store.read_json(folder / CONFIG)
    targets = settings.get("target_modules")
    names = [targets] if isinstance(targets, str) else list(targets or ())
    modules = {name.rpartition(".")[2] for name in names}
    embeddings, head = (name.rpartition(".")[2] for name in embedding_names(model))
    problem = ""  # of forms that other tools make
    if head in modules:
        problem = f"{head}: it gets no gradient from a fused loss, which does not read what LoRA adds"
    elif embeddings in modules and _is_tied(model):
        problem = f"{embeddings}: embeddings and head are one matrix; it changes both and is merged twice"
    if problem:
        raise ModelError(
            f"{folder}: LoRA on {problem}",
            "Train full copies of embeddings and head instead: "
            'adapter.targets = ["attention", "mlp", "embeddings"].',
        )
    config = LoraConfig(**{**settings, "base_model_name_or_path": None, "inference_mode": False})
    state = weights.read_weights(folder / WEIGHTS)
    copies = next((saved.dtype for name, saved in state.items() if "lora_" not in name), torch.float32)
    wrapped = _attach(model, config, copies)
    try:
        result: Any = set_peft_model_state_dict(wrapped, state)
    except RuntimeError as error:
        raise ModelError(
            f"{folder}: the adapter has other shapes than the base", "It belongs to another base."
        ) from error
    lost = [name for name in result.missing_keys if "lora_" in name or "modules_to_save" in name]
    if lost or result.unexpected_keys:
        raise ModelError(
            f"{folder}: the adapter does not fit the base ({(lost + result.unexpected_keys)[0]})",
            "It belongs to another base.",
        )
    return wrapped


def latest_adapter(folders: Mapping[str, Path]) -> Path | None:
    """Return the adapter of the last stage that has one, of `folders` by stage."""
    found = (folders[stage] / "adapter" for stage in reversed((*STAGES, *EXTRA_STAGES)) if stage in folders)
    return next(filter(Path.is_dir, found), None)


def combine_adapters(before: Path, after: Path) -> None:
    """Turn the adapter in `after`, trained on base + `before` merged, into one for the base alone.

    Two low-rank changes are one whose rank is the sum of theirs: B1 A1 + B2 A2 = [B1 B2] [A1; A2]. Full
    copies are those of `after`.
    """
    one, two = (store.read_json(folder / CONFIG) for folder in (before, after))
    first, second = weights.read_weights(before / WEIGHTS), weights.read_weights(after / WEIGHTS)
    rank = one["r"] + two["r"]

    def scale(settings: PeftSettings, rank: int) -> float:
        return float(settings["lora_alpha"] / (rank**0.5 if settings["use_rslora"] else rank))

    scales = [scale(settings, settings["r"]) / scale(two, rank) for settings in (one, two)]
    combined = dict(second)
    for name in second:
        if ".lora_A." in name:
            combined[name] = torch.cat([first[name], second[name]], dim=0)
        elif ".lora_B." in name:
            combined[name] = torch.cat([first[name] * scales[0], second[name] * scales[1]], dim=1)
    weights.write_weights(after / WEIGHTS, combined)
    store.write_json(after / CONFIG, {**two, "r": rank})


def weigh_adapter(
    source: Path, folder: Path, weight: float, weigh_copy: Callable[[str, torch.Tensor], torch.Tensor]
) -> None:
    """Write the adapter in `source` to `folder`, its LoRA times `weight`, its full copies by `weigh_copy`.

    `weigh_copy` takes the parameter's name in the bare model and the copy in float32.
    """
    state = weights.read_weights(source / WEIGHTS)
    for name, tensor in state.items():
        if ".lora_B." in name:
            state[name] = tensor * weight
        elif ".lora_A." not in name:
            copy = weigh_copy(name.removeprefix("base_model.model."), tensor.float())
            state[name] = copy.to(tensor.dtype)
    weights.write_weights(folder / WEIGHTS, state)
    store.write_json(folder / CONFIG, store.read_json(source / CONFIG))


def unwrap(model: Any) -> Any:
    """Return the causal model itself, with or without an adapter on it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def output_head(model: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return weight [vocabulary, width] and bias of the output head in use, trained copy or original."""
    layer = model.get_output_embeddings()
    if (copies := getattr(layer, "modules_to_save", None)) is not None:
        layer = layer.original_module if layer.disable_adapters else copies["default"]
    return layer.weight, getattr(layer, "bias", None)


def _is_tied(model: Any) -> bool:
    return bool(model.get_output_embeddings().weight is model.get_input_embeddings().weight)


def _attach(model: PreTrainedModel, config: LoraConfig, copies: torch.dtype) -> PeftModel:
    """Wrap `model`: LoRA in float32, full copies in `copies`; the residual stream keeps the base's dtype."""
    dtype = model.dtype
    with warnings.catch_warnings():
        # PEFT 0.21 on transformers 5.23
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        wrapped = get_peft_model(model, config)
    for name, parameter in wrapped.named_parameters():
        if parameter.requires_grad:  # before weights are loaded, which would be rounded otherwise
            parameter.data = parameter.data.to(copies if "modules_to_save" in name else torch.float32)
    if dtype != copies or dtype != torch.float32:
        bare: Any = model
        bare.get_input_embeddings().register_forward_hook(lambda layer, inputs, output: output.to(dtype))
        weight, _ = output_head(bare)
        bare.get_output_embeddings().register_forward_pre_hook(
            lambda layer, inputs: (inputs[0].to(weight.dtype),)
        )
    return wrapped
