"""FLOPs of one token in training: one formula for the plan, which has only shapes, and for the loaded model.

Forward 2 FLOP per weight; backward 2 for its input, and 2 more where it is trained itself. Embeddings are
looked up and cost nothing, but they are trained, so the backward pass goes through all blocks. Llama-3.1-8B
with rank 128: 34.0 GFLOP per token, with gradient checkpointing 48.9.
"""

from __future__ import annotations

from dataclasses import dataclass

from alif.cost import architecture
from alif.cost.architecture import ModelShape
from alif.settings import Adapter

__all__ = ["LayerSizes", "flops_per_token", "sizes_of"]


@dataclass(frozen=True)
class LayerSizes:
    """The sizes that decide the FLOPs per token."""

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


def flops_per_token(
    sizes: LayerSizes, labelled: float, length: float, *, gradient_checkpointing: bool = False
) -> float:
    """Return the FLOPs of one token, forward and backward.

    Args:
        sizes: the model as it is trained.
        labelled: share of the tokens that carry loss, and cost a product with the head.
        length: mean length of the text that a token belongs to.
        gradient_checkpointing: whether the blocks are recomputed in the backward pass.

    Source: the backward pass of attention costs 2.5 times the forward pass, its scores are recomputed:
    FlashAttention-2, arXiv 2307.08691, section 4.1.
    """
    attention = 2 * sizes.queries * length  # scores and sums over half of the text, causal
    forward = 2 * sizes.linear + attention
    backward = 2 * (sizes.linear + sizes.trained) + 2.5 * attention
    head = (6 if sizes.head_trained else 4) * sizes.head * labelled
    return forward + backward + head + (forward if gradient_checkpointing else 0.0)
