"""Cross-entropy over the labelled tokens only, in chunks.

Prompts and padding cost no product with the head, and the logits [tokens, vocabulary] are never held at once:
for 16,384 tokens of Llama-3 they would take 8.4 GB.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from alif.student.adapter import output_head, unwrap
from alif.train.packing import IGNORE

__all__ = ["ChunkedLossModel", "labelled_loss"]

CHUNK = {"cpu": 256, "cuda": 4096}
"""Labelled tokens at once. On a CPU PyTorch's own choice was slower; on a GPU Llama-3's logits of 4,096 are 2
GB."""


class ChunkedLossModel(torch.nn.Module):
    """A causal model that returns its loss over a batch's labelled tokens, for the Trainer."""

    accepts_loss_kwargs = True
    """The Trainer passes the number of labelled tokens in the whole accumulation window."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

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
        return {"loss": labelled_loss(states, weight.to(states.dtype), bias, labels) / num_items_in_batch}


def labelled_loss(
    states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, labels: torch.Tensor
) -> torch.Tensor:
    """Return the summed cross-entropy in nats of every labelled token, predicted from the state before it.

    Args:
        states: [rows, length, width], the last hidden states.
        weight: [vocabulary, width] of the head.
        bias: [vocabulary] or None.
        labels: [rows, length], IGNORE where there is no loss.
    """
    targets = labels[:, 1:].reshape(-1)
    labelled = (targets != IGNORE).nonzero().squeeze(-1)
    chosen = states[:, :-1].reshape(-1, states.shape[-1]).index_select(0, labelled)
    return _loss(chosen, weight, bias, targets.index_select(0, labelled))


def _chunked(
    states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor
) -> torch.Tensor:
    """Do what PyTorch's fused loss does: logits of a chunk are recomputed in the backward pass."""

    def chunk_loss(states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = functional.linear(states, weight, bias).float()
        return functional.cross_entropy(logits, targets, reduction="sum")

    size = CHUNK[states.device.type]
    total = states.new_zeros((), dtype=torch.float32)
    for some, aims in zip(torch.split(states, size), torch.split(targets, size), strict=True):
        total = total + checkpoint(chunk_loss, some, aims, use_reentrant=False)
    return total


def _fused(
    states: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor
) -> torch.Tensor:
    options = torch.nn.LinearCrossEntropyOptions(batch_chunk_size=CHUNK[states.device.type])
    loss: torch.Tensor = functional.linear_cross_entropy(
        states, weight, targets, linear_bias=bias, reduction="sum", options=options
    )
    return loss


_loss = _fused if hasattr(functional, "linear_cross_entropy") else _chunked
"""In PyTorch since 2.13."""
