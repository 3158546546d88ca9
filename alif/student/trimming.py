"""Trimming: after a stage only the largest changes of the embedding copies are kept.

A copy's weight is compared with the base's own. Most changes are far smaller than the few that carry the new
language, and taking them back costs little of it and returns the base's vectors where they hardly moved.
Source: arXiv 2306.01708 (TIES), whose share is of all weights: here it is of those that changed, because the
tokens of other languages never do in the input embeddings.

LoRA is left alone: its change is a product of two matrices, of which no single weight can be taken back.
`adapter.layers` keeps whole layers of the base instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from alif.student import distributed
from alif.student.adapter import unwrap

__all__ = ["largest_changes", "revert_small_changes"]


@torch.no_grad()
def revert_small_changes(model: Any, share: float) -> int:
    """Keep `share` of the changed weights of each copied matrix, the others are the base's again.

    The base is what the adapter was put on: with `finetune.init_from = "merged"` and for DPO it is the model
    of the stage before. Returns how many weights were reverted.
    """
    bare, reverted = unwrap(model), 0
    layers = (bare.get_input_embeddings(), bare.get_output_embeddings()) if share < 1 else ()
    trained = {  # by weight: tied copies are one
        weight: layer.original_module.get_parameter(name)
        for layer in layers
        if hasattr(layer, "modules_to_save")
        for name, weight in layer.modules_to_save["default"].named_parameters()
    }
    for weight, original in trained.items():
        own = distributed.gather_tensor(weight.detach())
        base = distributed.gather_tensor(original.detach()).to(own)
        sizes = (own.float() - base.float()).abs().cpu().numpy()
        is_kept = largest_changes(sizes, share)
        reverted += int(np.count_nonzero(sizes)) - int(is_kept.sum())
        kept = torch.where(torch.from_numpy(is_kept).to(own.device), own, base)
        weight.copy_(distributed.shard_like(kept, weight))
    return reverted


def largest_changes(sizes: npt.NDArray[np.float32], share: float) -> npt.NDArray[np.bool_]:
    """Return which of `sizes` are the largest: `share` of those above 0; of equal ones the first."""
    count = round(share * np.count_nonzero(sizes))
    if not count:
        return np.zeros(sizes.shape, dtype=bool)
    smallest = np.partition(sizes, sizes.size - count, axis=None)[sizes.size - count]
    is_kept: npt.NDArray[np.bool_] = sizes > smallest
    equal = np.flatnonzero(sizes == smallest)
    is_kept.flat[equal[: count - int(is_kept.sum())]] = True
    return is_kept
