"""What the step `export` and each form of the exported model report."""

from __future__ import annotations

from alif.records import FrozenModel

__all__ = ["ExportFacts", "FormChecks", "FormFacts"]


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


class FormChecks(FrozenModel):
    """What was compared when a form was made, and what made it."""

    same_next_token: float | None = None
    """Share of positions of random tokens where the likeliest next token is the merged model's."""
    split: str = ""
    """llama.cpp's name of how the tokenizer splits text."""
    same_texts: int | None = None
    """Texts of the run to which llama.cpp gives the same tokens; None: not installed, not compared."""
    texts: int = 0
    calibrated_on: int = 0
    """Texts of the run on which the importance of weights was measured."""
    made_by: str = ""
    """The tools, with versions."""


class FormFacts(FormChecks):
    """form.json: a form of the exported model, and what it was made of."""

    form: str
    """"adapter", "bnb4", or "gguf" with the quantization: "gguf-q4_k_m"."""
    run: str
    base: str
    base_revision: str
    base_digest: str
    """SHA-256 of the weights that an adapter belongs to; else what the run recorded of its base."""
    model_digest: str
    """SHA-256 of the merged model's weights: a form of another merge is out of date."""
    bytes: int
    """Of the whole folder."""
