"""What the step `export` reports."""

from __future__ import annotations

from alif.records import FrozenModel

__all__ = ["ExportFacts"]


class ExportFacts(FrozenModel):
    """The exported model, and how far its logits are from those of base + adapter on random tokens."""

    base: str
    base_revision: str
    base_digest: str
    dtype: str
    parameters: int
    bytes: int
    """Of the whole model folder."""
    largest_logit: float
    merging_moved_logits_by: float
    """Largest difference of a logit after merging in float32."""
    export_moved_logits_by: float
    """The same after casting to `dtype`, saving and loading again."""
    same_next_token: float
    """Share of positions where the likeliest next token is the same."""
