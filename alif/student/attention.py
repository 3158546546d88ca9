"""Attention inside each text of a packed row, and nowhere else, at the price of the texts and not of the row.

    row            ┃ Lahore is … ┃ Mangoes … ┃ filler ┃        cu_seq_lens  0, 214, 390, 512
    sdpa           a mask [row, row] worked out from the positions: right everywhere, but every pair of tokens is paid for
    by text        each text's tokens see those before them; the other pairs never exist

Both ways are reached through transformers' attention interface, so that the models stay the library's own. On CUDA the second
is PyTorch's variable-length attention, used where a probe finds that it gives what plain attention gives, forwards and
backwards; on a CPU it is a loop over the texts. Where the probe fails, sdpa goes on.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface

try:
    from torch.nn.attention import varlen as _pytorchs
except ImportError:  # before 2.10; the probe finds out
    _pytorchs = None  # type: ignore[assignment]

__all__ = [
    "PER_DOCUMENT",
    "SDPA",
    "check_attention",
    "choose_attention",
    "per_document_attention",
    "varlen_attention",
]

PER_DOCUMENT, SDPA = "alif_by_text", "sdpa"
"""Names for `set_attn_implementation`."""

Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int, float], torch.Tensor]
"""(queries, keys, values [tokens, heads, width], boundaries [texts + 1], longest text, scale) -> [tokens, heads, width]."""

KERNEL: Any = getattr(_pytorchs, "varlen_attn", None)
"""PyTorch's kernel for texts of any length, looked up once: the compiler would warn of a look-up that is cached."""
_TAKES = frozenset(inspect.signature(KERNEL).parameters if KERNEL else ())

TOLERANCE = {torch.bfloat16: 3e-2, torch.float16: 4e-3}
"""Most difference from plain attention in float32, of outputs and gradients near 1: four steps of the last bit."""


def per_document_attention(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bounds: torch.Tensor,
    longest: int,
    scale: float,
) -> torch.Tensor:
    """Do what `varlen` does in a loop over the texts: the reference, and the way of CPUs."""
    found = []
    ends: list[int] = bounds.tolist()
    for start, end in itertools.pairwise(ends):
        q, k, v = (part[start:end].transpose(0, 1).unsqueeze(0) for part in (queries, keys, values))
        seen = scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
        )
        found.append(seen.squeeze(0).transpose(0, 1))
    return torch.cat(found)


def varlen_attention(
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    bounds: torch.Tensor,
    longest: int,
    scale: float,
) -> torch.Tensor:
    """Call PyTorch's own kernel for texts of any length, as the version at hand wants to be called.

    Source: torch.nn.attention.varlen; 2.10 takes is_causal, later ones window_size, and some share keys among heads themselves.
    """
    causal: dict[str, Any] = {"window_size": (-1, 0)} if "window_size" in _TAKES else {"is_causal": True}
    groups = queries.shape[1] // keys.shape[1]
    if groups > 1 and "enable_gqa" in _TAKES:
        causal["enable_gqa"] = True
    elif groups > 1:
        keys, values = (part.repeat_interleave(groups, dim=1) for part in (keys, values))
    if "scale" in _TAKES:
        causal["scale"] = scale
    else:
        queries = queries * (scale * queries.shape[-1] ** 0.5)
    found: torch.Tensor = KERNEL(queries, keys, values, bounds, bounds, longest, longest, **causal)
    return found


def choose_attention(config: Any, device: torch.device, dtype: torch.dtype) -> str:
    """Return the attention to train a model of `config` with: by text where it is proven, sdpa elsewhere."""
    kinds = set(getattr(config, "layer_types", None) or ())
    windowed = getattr(config, "sliding_window", None) and (not kinds or "sliding_attention" in kinds)
    if windowed or getattr(config, "attn_logit_softcapping", None) or getattr(config, "attention_dropout", 0):
        return SDPA
    return PER_DOCUMENT if device.type == "cpu" or check_attention(varlen_attention, device, dtype) else SDPA


@functools.cache
def check_attention(kernel: Kernel, device: torch.device, dtype: torch.dtype) -> bool:
    """Tell whether `kernel` gives on `device` what plain attention gives, output and gradients, on three texts."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((70, 4, 64), (70, 2, 64), (70, 2, 64))
    given = [torch.randn(shape, generator=generator).to(dtype).float() for shape in shapes]
    bounds = torch.tensor([0, 33, 69, 70], dtype=torch.int32)

    def run(kernel: Kernel, device: torch.device, dtype: torch.dtype) -> list[torch.Tensor]:
        parts = [part.to(device, dtype).requires_grad_() for part in given]
        seen = kernel(parts[0], parts[1], parts[2], bounds.to(device), 36, 0.125)
        return [seen, *torch.autograd.grad(seen.square().sum(), parts)]

    try:
        tried = run(kernel, device, dtype)
    except (ImportError, RuntimeError, NotImplementedError, TypeError, ValueError, AssertionError):
        return False
    plain = run(per_document_attention, torch.device("cpu"), torch.float32)
    limit = TOLERANCE.get(dtype, 1e-4)
    return all(
        bool(((one.float().cpu() - other).abs() <= limit * (1 + other.abs())).all())
        for one, other in zip(tried, plain, strict=True)
    )


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **given: Any,
) -> tuple[torch.Tensor, None]:
    """Attend over queries [rows, heads, length, width]; without boundaries a row is one text, as in generation."""
    bounds = given.get("cu_seq_lens_q")
    if bounds is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **given)
    rows, _, length, width = query.shape
    same = (
        value.dtype
    )  # under autocast the angles have made float32 of queries and keys; sdpa would cast them back itself
    flat = [part.to(same).transpose(1, 2).flatten(0, 1) for part in (query, key, value)]
    kernel = varlen_attention if query.device.type == "cuda" else per_document_attention
    scale = given.get("scaling") or width**-0.5
    seen = kernel(flat[0], flat[1], flat[2], bounds, int(given["max_length_q"]), scale)
    return seen.reshape(rows, length, *seen.shape[1:]), None


def _no_mask(*args: Any, **given: Any) -> None:
    """Say that there is no mask: the boundaries tell everything."""


AttentionInterface.register(PER_DOCUMENT, _attend)
AttentionMaskInterface.register(PER_DOCUMENT, _no_mask)
