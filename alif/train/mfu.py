"""What is needed to tell which part of a GPU's peak a training reaches: the model's sizes, its texts' length, and the peak."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from alif.cost.flops import LayerSizes
from alif.cost.gpus import GPUS
from alif.student.adapter import EMBEDDINGS, count_weights, unwrap
from alif.train.packing import PackedDataset

__all__ = ["linear_sizes", "peak_flops", "mean_document_length"]


def linear_sizes(model: Any) -> LayerSizes:
    """Return what decides the work of a token in `model`, a causal one of Llama's shape, with or without an adapter."""
    bare = unwrap(model)
    config = bare.config
    layers = [(name, weight) for name, weight in bare.named_parameters() if weight.ndim == 2]
    linear = [weight for name, weight in layers if not _of_vocabulary(name)]
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return LayerSizes(
        linear=sum(count_weights(weight) for weight in linear),
        trained=sum(count_weights(weight) for weight in linear if weight.requires_grad),
        head=config.vocab_size * config.hidden_size,
        head_trained=any(weight.requires_grad for name, weight in layers if _of_vocabulary(name)),
        queries=config.num_attention_heads * width * config.num_hidden_layers,
    )


def _of_vocabulary(name: str) -> bool:
    return any(part in name for part in EMBEDDINGS)


def mean_document_length(packs: PackedDataset) -> float:
    """Return the mean length of the text that a token stands in."""
    lengths: list[int] = []
    for positions, used in zip(packs.positions[:200], packs.used[:200], strict=True):
        starts = np.flatnonzero(positions[:used] == 0)
        lengths += np.diff([*starts, used]).tolist()
    sizes = np.array(lengths, dtype=float)
    return float((sizes**2).sum() / max(sizes.sum(), 1))


def peak_flops(device: torch.device) -> float | None:
    """Return the 16-bit operations a second that the maker tells of this GPU, or None where it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device).upper()
    return next((gpu.peak_tflops * 1e12 for gpu in GPUS.values() if gpu.name.upper() in name), None)
