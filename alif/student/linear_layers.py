"""The layers of a base that an adapter is put on, found by what the model is and not by a list of names.

    model.layers.0   LlamaDecoderLayer    a block: member of an outermost list of modules
      self_attn      LlamaAttention       "attention": its linear layers, one for each of q, k, v or fused
      mlp            LlamaMLP             "mlp": every other linear layer of the block
      mamba          FalconH1Mixer        hands a state from token to token: stays frozen

PEFT is given the shortest ending of a name that no other module has: q_proj for Llama, but self_attn.out_proj
where a convolution has an out_proj too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D

from alif.errors import ModelError
from alif.settings import Adapter

__all__ = ["LINEAR_KINDS", "embedding_names", "embedding_weights", "find_linear_layers", "recurrent_layers"]

LINEAR_KINDS = ("attention", "mlp")
LINEAR = (torch.nn.Linear, Conv1D)
"""The second is GPT-2's, whose weight is transposed."""
RECURRENT = ("A_log", "conv1d", "conv", "time_mix")
"""Attributes of layers that hand a state, or a window of a convolution, from token to token."""
SHOWN = 8
"""Layers named in a refusal."""

DENSE_BASE = 'Set adapter.targets = ["attention", "embeddings"], or choose a dense base.'
OTHER_BASE = "Choose a decoder made of blocks of attention and MLP (Llama, Qwen, Gemma …)."

BlockLayer = tuple[str, torch.nn.Module, str]
"""Name, a layer that holds a matrix, and its kind."""


def recurrent_layers(model: torch.nn.Module) -> str:
    """Return the class of a layer that hands a state from token to token, or ""."""
    return next((type(one).__name__ for one in model.modules() if _is_recurrent(one)), "")


def find_linear_layers(model: torch.nn.Module, adapter: Adapter) -> list[str]:
    """Return names for PEFT of the linear layers of the adapter's kinds in the blocks that it names.

    Raises:
        ModelError: a kind has none, or has matrices of another form, as experts are.
        RecipeError: there is no such block.
    """
    kinds = [kind for kind in LINEAR_KINDS if kind in adapter.targets]
    lists: dict[str, torch.nn.ModuleList] = {}  # outermost ones
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.ModuleList) and not name.startswith(tuple(lists)):
            lists[f"{name}."] = module
    chosen = adapter.select_layers(max(map(len, lists.values()), default=0))
    layers = [
        layer
        for name, blocks in lists.items()
        for number, block in enumerate(blocks)
        if number in chosen
        for layer in _block_layers(block, f"{name}{number}", "mlp")
    ]
    for kind in kinds:
        of_kind = [(name, layer) for name, layer, its_kind in layers if its_kind == kind]
        other = [(name, layer) for name, layer in of_kind if not isinstance(layer, LINEAR)]
        if other:
            name, layer = max(other, key=lambda one: sum(weight.numel() for weight in one[1].parameters()))
            raise ModelError(
                f'adapter.targets: "{kind}" of this base is a mixture of experts or another form that the '
                f"adapter does not train ({name}, {type(layer).__name__})",
                DENSE_BASE if kind == "mlp" else OTHER_BASE,
            )
        if not of_kind:
            where = f"its layers {adapter.layers}" if adapter.layers else "repeated blocks"
            names = dict.fromkeys(
                f"{name.rpartition('.')[2]} ({type(one).__name__})" for name, one, _ in layers
            )
            raise ModelError(
                f'adapter.targets: this base has no linear layers of "{kind}" in {where}; '
                f"it has {', '.join(list(names)[:SHOWN]) or 'none at all'}",
                OTHER_BASE,
            )
    return _shortest_endings(model, [name for name, _, kind in layers if kind in kinds])


def embedding_names(model: Any) -> list[str]:
    """Return names for PEFT of the input embeddings and of the output head.

    Raises:
        ModelError: it has no head.
    """
    layers = (model.get_input_embeddings(), model.get_output_embeddings())
    names = [name for layer in layers for name, module in model.named_modules() if module is layer]
    if len(names) < len(layers):
        raise ModelError("this base has no output head over its tokens", "Choose a causal language model.")
    return _shortest_endings(model, names)


def embedding_weights(model: Any) -> set[torch.nn.Parameter]:
    """Return the parameters of input embeddings and output head, originals and trained copies."""
    layers = (model.get_input_embeddings(), model.get_output_embeddings())
    return {weight for layer in layers if layer is not None for weight in layer.parameters()}


def _is_recurrent(module: torch.nn.Module) -> bool:
    return any(hasattr(module, name) for name in RECURRENT)


def _block_layers(module: torch.nn.Module, name: str, kind: str) -> Iterator[BlockLayer]:
    """Yield what holds a matrix inside `module`, which is of `kind`, but no norms and no recurrent layers."""
    for key, child in module.named_children():
        path, described = f"{name}.{key}", f"{key} {type(child).__name__}".lower()
        if "norm" in described or _is_recurrent(child):
            continue
        own = "attention" if "attention" in described or "attn" in described else kind
        matrices = any(weight.ndim > 1 for weight in child.parameters(recurse=False))
        is_list = isinstance(child, torch.nn.ModuleList)  # of experts
        if (matrices or is_list) and not isinstance(child, torch.nn.Embedding):  # of positions
            yield path, child, own
        yield from _block_layers(child, path, own)


def _shortest_endings(model: torch.nn.Module, names: Collection[str]) -> list[str]:
    """Return the shortest ending of each name that no module outside of `names` has."""
    others = [other for other, _ in model.named_modules() if other not in names]
    found: list[str] = []
    for name in names:
        parts = name.split(".")
        endings = [".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]
        found.append(next(one for one in endings if not any(other.endswith(one) for other in others)))
    return list(dict.fromkeys(found))
