"""The model types whose parameters can be counted from config.json alone, and what each leaves out of it.

A config that says nothing of `tie_word_embeddings` means true in Gemma and Cohere and false in Llama; other
types have experts, recurrent layers or layers of several shapes. A number for a model that is not there is
worse than none, so what is not in this list is refused.

Source: the configuration and modelling files of transformers 5.23; a test compares each with its own count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["MODEL_TYPES", "UNCOUNTED_KEYS", "ModelType"]


@dataclass(frozen=True)
class ModelType:
    """How a type differs from Llama."""

    norms: int = 2
    """Norms of the model's width in a layer."""
    qk_norm: str = ""
    """Norms on queries and keys: "head" for one head's width each, "all" for that of all heads."""
    qkv_bias: bool = False
    fused: bool = False
    """Queries, keys and values are one layer, and gate and up one."""
    tied: bool = False
    """What `tie_word_embeddings` is where config.json says nothing."""
    head_dim: int | None = None
    """Of config.json that says nothing; None: width / heads."""


MODEL_TYPES: Mapping[str, ModelType] = {
    "llama": ModelType(),
    "mistral": ModelType(),
    "granite": ModelType(),
    "phi3": ModelType(fused=True),
    "smollm3": ModelType(tied=True),
    "ernie4_5": ModelType(tied=True, head_dim=128),
    "qwen2": ModelType(qkv_bias=True),
    "seed_oss": ModelType(qkv_bias=True, head_dim=128),
    "qwen3": ModelType(qk_norm="head", head_dim=128),
    "exaone4": ModelType(qk_norm="head"),
    "olmo2": ModelType(qk_norm="all"),
    "olmo3": ModelType(qk_norm="all"),
    "gemma": ModelType(tied=True, head_dim=256),
    "gemma2": ModelType(norms=4, tied=True, head_dim=256),
    "gemma3_text": ModelType(norms=4, qk_norm="head", tied=True, head_dim=256),
    "cohere": ModelType(norms=1, tied=True),
    "cohere2": ModelType(norms=1, tied=True),
    "hyperclovax": ModelType(norms=4),
}

UNCOUNTED_KEYS = ("num_experts", "num_local_experts", "n_routed_experts", "mamba_d_ssm")
"""Keys of config.json by which a model has more than the layers counted here."""
