"""Attention within each document of a packed row, at the cost of the documents and not of the row.

    row            ┃ Lahore is … ┃ Mangoes … ┃ filler ┃        cu_seq_lens  0, 214, 390, 512
    sdpa           a mask [row, row] derived from the positions: correct, but every pair of tokens is computed
    per document   each document's tokens attend to those before them; the other pairs are never computed

Both are reached through transformers' attention interface, so that the models stay the library's own. On CUDA
the second is PyTorch's variable-length attention, used where a probe finds that it gives what plain attention
gives, forward and backward; on a CPU it is a loop over the documents. Where the probe fails, it is the first,
or "eager" for classes that have no sdpa (Gemma 2, which caps its scores).
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

__all__ = [
    "PER_DOCUMENT", "SDPA", "attend_documents", "check_attention", "choose_attention",
    "per_document_attention", "register_attention", "varlen_attention",
]  # fmt: skip

PER_DOCUMENT, SDPA = "alif_per_document", "sdpa"
"""Names for `set_attn_implementation`."""

Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int, float], torch.Tensor]
"""(queries, keys, values [tokens, heads, width], boundaries [documents + 1], longest, scale) → as queries."""

KERNEL: Any = varlen_attn
"""PyTorch's variable-length kernel; parameters differ between its versions."""
_PARAMETERS = frozenset(inspect.signature(KERNEL).parameters)

TOLERANCE = {torch.bfloat16: 3e-2, torch.float16: 4e-3}
"""Most difference from plain attention in float32, of outputs and gradients near 1: four units in the last
place."""


def per_document_attention(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bounds: torch.Tensor,
    longest: int,
    scale: float,
) -> torch.Tensor:
    """Attend in a loop over the documents: the reference, and what CPUs use."""
    outputs = []
    for start, end in itertools.pairwise(bounds.tolist()):
        q, k, v = (part[start:end].transpose(0, 1).unsqueeze(0) for part in (queries, keys, values))
        grouped = q.shape[1] != k.shape[1]
        output = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale, enable_gqa=grouped)
        outputs.append(output.squeeze(0).transpose(0, 1))
    return torch.cat(outputs)


def varlen_attention(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bounds: torch.Tensor,
    longest: int,
    scale: float,
) -> torch.Tensor:
    """Call PyTorch's variable-length kernel with the parameters of the installed version.

    Source: torch.nn.attention.varlen; 2.10 takes is_causal, later ones window_size, some take enable_gqa.
    """
    options: dict[str, Any] = (
        {"window_size": (-1, 0)} if "window_size" in _PARAMETERS else {"is_causal": True}
    )
    groups = queries.shape[1] // keys.shape[1]
    if groups > 1 and "enable_gqa" in _PARAMETERS:
        options["enable_gqa"] = True
    elif groups > 1:
        keys, values = (part.repeat_interleave(groups, dim=1) for part in (keys, values))
    if "scale" in _PARAMETERS:
        options["scale"] = scale
    else:
        queries = queries * (scale * queries.shape[-1] ** 0.5)
    output: torch.Tensor = KERNEL(queries, keys, values, bounds, bounds, longest, longest, **options)
    return output


def choose_attention(config: Any, device: torch.device, dtype: torch.dtype) -> str:
    """Return the attention to train a loaded model with: per document where it is proven, else its own."""
    kinds = set(getattr(config, "layer_types", None) or ())
    windowed = getattr(config, "sliding_window", None) and (not kinds or "sliding_attention" in kinds)
    if windowed or getattr(config, "attn_logit_softcapping", None) or getattr(config, "attention_dropout", 0):
        return str(config._attn_implementation)
    if device.type != "cpu" and not check_attention(varlen_attention, device, dtype):
        return str(config._attn_implementation)
    register_attention()
    return PER_DOCUMENT


@functools.cache
def check_attention(kernel: Kernel, device: torch.device, dtype: torch.dtype) -> bool:
    """Tell whether `kernel` gives on `device` what plain attention gives, output and gradients."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((70, 4, 64), (70, 2, 64), (70, 2, 64))
    inputs = [torch.randn(shape, generator=generator).to(dtype).float() for shape in shapes]
    bounds = torch.tensor([0, 33, 69, 70], dtype=torch.int32)

    def run(kernel: Kernel, device: torch.device, dtype: torch.dtype) -> list[torch.Tensor]:
        parts = [part.to(device, dtype).requires_grad_() for part in inputs]
        output = kernel(parts[0], parts[1], parts[2], bounds.to(device), 36, 0.125)
        return [output, *torch.autograd.grad(output.square().sum(), parts)]

    try:
        found = run(kernel, device, dtype)
    except (ImportError, RuntimeError, NotImplementedError, TypeError, ValueError, AssertionError):
        return False
    expected = run(per_document_attention, torch.device("cpu"), torch.float32)
    limit = TOLERANCE.get(dtype, 1e-4)
    return all(
        bool(((one.float().cpu() - other).abs() <= limit * (1 + other.abs())).all())
        for one, other in zip(found, expected, strict=True)
    )


@functools.cache
def register_attention() -> None:
    """Make PER_DOCUMENT known to transformers, for this process."""

    def padding_mask(*args: Any, **options: Any) -> torch.Tensor | None:
        return None if options.get("attention_mask") is None else sdpa_mask(*args, **options)

    AttentionInterface.register(PER_DOCUMENT, attend_documents)
    AttentionMaskInterface.register(PER_DOCUMENT, padding_mask)  # packed rows have boundaries instead


def attend_documents(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attend over queries [rows, heads, length, width]; without boundaries a row is one text."""
    bounds = options.get("cu_seq_lens_q")
    if bounds is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    rows, _, length, width = query.shape
    # under autocast the rotary angles have made queries and keys float32; sdpa would cast them back itself
    flat = [part.to(value.dtype).transpose(1, 2).flatten(0, 1) for part in (query, key, value)]
    kernel = varlen_attention if query.device.type == "cuda" else per_document_attention
    scale = options.get("scaling") or width**-0.5
    output = kernel(flat[0], flat[1], flat[2], bounds, int(options["max_length_q"]), scale)
    return output.reshape(rows, length, *output.shape[1:]), None
