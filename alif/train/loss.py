"""Cross-entropy over the labelled tokens only, in chunks.

Prompts and padding cost no product with the head, and the logits [tokens, vocabulary] are never held at once:
for 16,384 tokens of Llama-3 they would take 8.4 GB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from alif.student.adapter import output_head, unwrap
from alif.train.packing import IGNORE

__all__ = [
    "UNCHANGED",
    "ChunkedLossModel",
    "LogitTransform",
    "labelled_loss",
    "possible_transforms",
    "token_losses",
]

CHUNK = {"cpu": 256, "cuda": 4096}
"""Labelled tokens at once. On a CPU PyTorch's own choice was slower; on a GPU Llama-3's logits of 4,096 are 2
GB."""


@dataclass(frozen=True)
class LogitTransform:
    """What a model does to its logits after the head; to nearly all it does nothing."""

    scale: float = 1.0
    softcap: float | None = None
    """Logits are c * tanh(logits / c)."""


UNCHANGED = LogitTransform()

SCALES = {
    "logits_scaling": (-1, 1), "logit_scale": (1,), "lm_head_multiplier": (1,), "output_multiplier": (1,),
}  # fmt: skip
"""Keys of config.json that scale logits, and the powers in which models use them: Granite divides by
`logits_scaling`, HyperCLOVA X multiplies by it. The others are Cohere's, Falcon-H1's and Muse's."""


def possible_transforms(config: Any) -> Iterator[LogitTransform]:
    """Yield what a model of `config` may do to its logits; `probe` finds the one that it does."""
    text = config.get_text_config()
    values = {key: value for key in SCALES if (value := getattr(text, key, None)) not in (None, 0, 1)}
    scales = [float(value) ** power for key, value in values.items() for power in SCALES[key]]
    cap = getattr(text, "final_logit_softcapping", None)
    for scale, softcap in product([*scales, 1.0], [cap, None] if cap else [None]):
        yield LogitTransform(scale, softcap)


class ChunkedLossModel(torch.nn.Module):
    """A causal model that returns its loss over a batch's labelled tokens, for the Trainer."""

    accepts_loss_kwargs = True
    """The Trainer passes the number of labelled tokens in the whole accumulation window."""

    def __init__(self, model: torch.nn.Module, transform: LogitTransform = UNCHANGED) -> None:
        super().__init__()
        self.model, self.transform = model, transform

    def forward(
        self,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor,
        num_items_in_batch: torch.Tensor | int = 1,
        **bounds: Any,
    ) -> dict[str, torch.Tensor]:
        """Return {"loss"}: summed loss of a batch [rows, length] over `num_items_in_batch`."""
        bare = unwrap(self.model)
        inputs = {"input_ids": input_ids, "position_ids": position_ids, "use_cache": False, **bounds}
        states = bare.base_model(**inputs).last_hidden_state
        weight, bias = output_head(bare)
        loss = labelled_loss(states, weight.to(states.dtype), bias, labels, self.transform)
        return {"loss": loss / num_items_in_batch}


def labelled_loss(
    states: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    labels: torch.Tensor,
    transform: LogitTransform = UNCHANGED,
) -> torch.Tensor:
    """Return the summed cross-entropy in nats of every labelled token, predicted from the state before it.

    Args:
        states: [rows, length, width], the last hidden states.
        weight: [vocabulary, width] of the head.
        bias: [vocabulary] or None.
        labels: [rows, length], IGNORE where there is no loss.
        transform: what the model does to its logits after the head.
    """
    targets = labels[:, 1:].reshape(-1)
    labelled = (targets != IGNORE).nonzero().squeeze(-1)
    chosen = states[:, :-1].reshape(-1, states.shape[-1]).index_select(0, labelled)
    targets = targets.index_select(0, labelled)
    if transform.softcap or not hasattr(functional, "linear_cross_entropy"):  # in PyTorch since 2.13
        zero = states.new_zeros((), dtype=torch.float32)
        return sum(_chunk_losses(chosen, weight, bias, targets, transform, "sum"), zero)
    chosen, bias = _scale(chosen, bias, transform)
    options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=CHUNK[states.device.type])
    loss: torch.Tensor = functional.linear_cross_entropy(
        chosen, weight, targets, linear_bias=bias, reduction="sum", options=options
    )
    return loss


def token_losses(
    states: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    transform: LogitTransform = UNCHANGED,
) -> torch.Tensor:
    """Return the cross-entropy in nats of each of the `targets` [tokens], from `states` [tokens, width]."""
    return torch.cat(list(_chunk_losses(states, weight, bias, targets, transform, "none")))


def _scale(
    states: torch.Tensor, bias: torch.Tensor | None, transform: LogitTransform
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Scale logits before the head: its product with the states, and its bias."""
    if transform.scale == 1:
        return states, bias
    return states * transform.scale, None if bias is None else bias * transform.scale


def _chunk_losses(
    states: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    transform: LogitTransform,
    reduction: str,
) -> Iterator[torch.Tensor]:
    """Yield what PyTorch's fused loss sums: logits of a chunk are recomputed in the backward pass."""
    states, bias = _scale(states, bias, transform)
    softcap, size = transform.softcap, CHUNK[states.device.type]

    def chunk_loss(states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = functional.linear(states, weight, bias).float()
        if softcap:
            logits = softcap * torch.tanh(logits / softcap)
        return functional.cross_entropy(logits, targets, reduction=reduction)

    for some, aims in zip(torch.split(states, size), torch.split(targets, size), strict=True):
        yield checkpoint(chunk_loss, some, aims, use_reentrant=False)
