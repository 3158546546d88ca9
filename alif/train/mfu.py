"""Model FLOP utilisation: the sizes of a loaded model, the length of its texts, and the peak of its GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from alif import console
from alif.cost.flops import LayerSizes, flops_per_token
from alif.cost.gpus import GPUS
from alif.student.adapter import count_weights, unwrap
from alif.student.linear_layers import embedding_weights
from alif.train.packing import PackedDataset

__all__ = ["linear_sizes", "mean_document_length", "model_flops", "peak_flops"]


def linear_sizes(model: Any) -> LayerSizes:
    """Return the sizes that decide the FLOPs per token of `model`, a dense causal one."""
    bare = unwrap(model)
    config = bare.config.get_text_config()
    vocabulary = embedding_weights(bare)
    linear = [weight for weight in bare.parameters() if weight.ndim > 1 and weight not in vocabulary]
    if any(weight.ndim > 2 for weight in linear):
        raise ValueError("not every weight of experts and convolutions is used for each token")
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return LayerSizes(
        linear=sum(count_weights(weight) for weight in linear),
        trained=sum(count_weights(weight) for weight in linear if weight.requires_grad),
        head=config.vocab_size * config.hidden_size,
        head_trained=any(weight.requires_grad for weight in vocabulary),
        queries=config.num_attention_heads * width * config.num_hidden_layers,
    )


def model_flops(model: Any, labelled: float, length: float) -> float | None:
    """Return the FLOPs per token, or None for an architecture that is not counted here."""
    try:
        return flops_per_token(linear_sizes(model), labelled, length)
    except Exception as error:  # whatever the config raises: a statistic stops no training
        console.log(f"no share of the GPU's peak for this architecture ({type(error).__name__})")
        return None


def mean_document_length(dataset: PackedDataset) -> float:
    """Return the mean, over tokens, of the length of the document that a token belongs to."""
    lengths: list[int] = []
    for positions, used in zip(dataset.positions[:200], dataset.used[:200], strict=True):
        starts = np.flatnonzero(positions[:used] == 0)
        lengths += np.diff([*starts, used]).tolist()
    sizes = np.array(lengths, dtype=float)
    return float((sizes**2).sum() / max(sizes.sum(), 1))


def peak_flops(device: torch.device) -> float | None:
    """Return the 16-bit FLOP/s that the maker of this GPU states, or None where it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device).upper()
    return next((gpu.peak_tflops * 1e12 for gpu in GPUS.values() if gpu.name.upper() in name), None)
