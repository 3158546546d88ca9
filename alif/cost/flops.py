"""How much arithmetic a token costs in training: one formula for the plan, which has only shapes, and for the model itself.

Forward 2 FLOP a weight; back 2 for its input, and 2 more where it is trained itself. Embeddings are looked up and cost nothing,
but they train, so the way back goes through all blocks. Llama-3.1-8B, rank 128: 34.0 GFLOP, with recomputing 48.9.
"""

from __future__ import annotations

from dataclasses import dataclass

from alif.cost import architecture
from alif.cost.architecture import ModelShape
from alif.settings import Adapter

__all__ = ["LayerSizes", "flops_per_token", "sizes_of"]


@dataclass(frozen=True)
class LayerSizes:
    """What of a model decides the work of a token."""

    linear: int
    """Weights of all linear layers of all blocks, LoRA's among them."""
    trained: int
    """Of these, what is trained itself."""
    head: int
    head_trained: bool
    queries: int
    """Width of all queries of a token, of all blocks together."""


def sizes_of(shape: ModelShape, adapter: Adapter) -> LayerSizes:
    """Return the sizes of a base with an adapter on it, from shapes alone."""
    own = architecture.count_trained(shape, adapter)
    queries = shape.queries * shape.num_hidden_layers
    return LayerSizes(shape.blocks + own.lora, own.lora, shape.matrix, bool(own.copies), queries)


def flops_per_token(sizes: LayerSizes, labelled: float, text: float, *, recompute: bool = False) -> float:
    """Return the floating-point operations of one token, there and back.

    Args:
        sizes: the model as it is trained.
        labelled: part of the tokens that carry loss, and cost a product with the head.
        text: tokens of the text that a token stands in, on average.
        recompute: whether the blocks are computed again on the way back.

    Source: the way back of attention costs 2.5 times the way there, its scores are made again: FlashAttention-2, arXiv
    2307.08691, section 4.1.
    """
    attention = 2 * sizes.queries * text  # scores and sums over half of the text, causal
    forward = 2 * sizes.linear + attention
    back = 2 * (sizes.linear + sizes.trained) + 2.5 * attention
    head = (6 if sizes.head_trained else 4) * sizes.head * labelled
    return forward + back + head + (forward if recompute else 0.0)
