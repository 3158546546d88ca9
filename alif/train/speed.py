"""How much arithmetic a token costs, and what part of a GPU's peak a rate of tokens is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from alif.student.adapter import causal, size
from alif.train.gpus import GPUS
from alif.train.packs import Packs

__all__ = ["flop_a_token", "peak", "text"]


def flop_a_token(model: Any, labelled: float, text: float) -> float:
    """Return the floating-point operations of a token, there and back, of `model` as it is wrapped for training.

    Forward 2 a weight, back 2 for its input and 2 more where it is trained itself; the embeddings look up and cost nothing.

    Args:
        model: a causal model of Llama's shape, with or without an adapter.
        labelled: part of the tokens that carry loss, and cost a product with the head.
        text: tokens of the text that a token stands in, on average.
    """
    bare = causal(model)
    config = bare.config
    frozen = trained = 0
    for name, weight in bare.named_parameters():
        if weight.ndim != 2 or "embed_tokens" in name or "lm_head" in name:
            continue
        if weight.requires_grad:
            trained += size(weight)
        else:
            frozen += size(weight)
    head = config.vocab_size * config.hidden_size
    with_head = any(p.requires_grad for n, p in bare.named_parameters() if "lm_head" in n or "embed_tokens" in n)
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    attention = 2 * config.num_attention_heads * width * text * config.num_hidden_layers  # forward; half of the text is seen
    return float(4 * frozen + 6 * trained + (6 if with_head else 4) * head * labelled + 3 * attention)


def text(packs: Packs) -> float:
    """Return the mean length of the text that a token stands in."""
    lengths: list[int] = []
    for positions, used in zip(packs.positions[:200], packs.used[:200], strict=True):
        starts = np.flatnonzero(positions[:used] == 0)
        lengths += np.diff([*starts, used]).tolist()
    sizes = np.array(lengths, dtype=float)
    return float((sizes**2).sum() / max(sizes.sum(), 1))


def peak(device: torch.device) -> float | None:
    """Return the 16-bit operations a second that the maker tells of this GPU, or None where it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device).upper()
    return next((gpu.peak_tflops * 1e12 for gpu in GPUS.values() if gpu.name.upper() in name), None)
