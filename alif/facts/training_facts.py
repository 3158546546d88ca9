"""What the steps that make weights report: base, pretrain, finetune, prefer, merge."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from alif.records import FrozenModel

__all__ = [
    "BaseFacts", "FertilityFacts", "FinetuneFacts", "GgufSource", "MergeFacts", "PreferFacts",
    "PretrainFacts", "StageFacts",
    "TokenizerFertility", "TrainingFacts",
]  # fmt: skip


class TokenizerFertility(FrozenModel):
    """How many tokens a tokenizer needs for text of one language."""

    tokens: int
    words: int
    tokens_per_word: float
    bytes_per_token: float
    unknown: float
    """Share of tokens that are the unknown token, 0..1."""
    part_of_a_letter: float
    """Share of tokens that are only some bytes of a character, 0..1."""


class FertilityFacts(FrozenModel):
    """A tokenizer in both languages, by language code."""

    tokenizer: Mapping[str, TokenizerFertility]
    tokenizer_cost: float | None
    """Tokens per word of the taught language over those of the source language; None: no text of the
    latter."""


class TrainingFacts(FrozenModel):
    """A training that is done. Losses are nats per labelled token; None: nothing was trained."""

    steps: int
    tokens: int
    """Tokens seen, padding not counted."""
    first_loss: float | None
    last_loss: float | None
    """Mean of the last tenth of the steps."""


class GgufSource(FrozenModel):
    """The GGUF file that a base was dequantized from."""

    file: str
    digest: str
    """SHA-256."""
    licence: str
    """As the file states it; "" if it does not."""
    tensor_types: dict[str, int]
    """Tensors by GGUF's type: {"Q4_1": 210, "F32": 61}."""
    rounded_to: str
    """The most frequent type that holds rounded weights; "" if none does."""
    pre_tokenizer: str
    """llama.cpp's name of how the tokenizer splits text before BPE: "llama-bpe", "qwen2"; "" if none."""


class BaseFacts(FertilityFacts):
    """What the step `base` reports: what base.json says, and the fertility of the base's own tokenizer."""

    base: str
    revision: str
    parameters: int
    digest: str
    quantise: str
    gguf: GgufSource | None = None
    vocabulary: int | None = None
    """Tokens of a tokenizer that was made or extended here."""
    extended: FertilityFacts | None = None
    """The tokenizer with added tokens."""
    training: TrainingFacts | None = None
    """Of the tiny base."""


class StageFacts(TrainingFacts):
    """What both stages report."""

    trainable: int
    parameters: int
    """Base and adapter together."""
    trainable_percent: float
    rows: int
    """Packed rows."""
    fill: float
    """Share of tokens in packed rows that are not padding, 0..1."""
    labelled: int
    """Tokens that carry loss, in one epoch."""
    reverted: int = Field(0, exclude_if=lambda weights: not weights)
    """Weights of the embedding copies that got the base's value back (`embedding_keep_share`)."""


class PretrainFacts(StageFacts):
    """What the step `pretrain` reports."""

    replay_documents: int
    replay_share: float
    """Share of the stage's tokens that are text of the source language, 0..1."""
    replay_first: float | None = Field(None, exclude_if=lambda share: share is None)
    """That share in the first tenth of the stage, where `pretrain.replay_end` is set."""
    replay_last: float | None = Field(None, exclude_if=lambda share: share is None)
    """In its last tenth."""


class PreferFacts(StageFacts):
    """What the step `prefer` reports."""

    loss: str
    """"orpo" or "dpo"."""
    pairs: int
    first_margin: float | None
    """Of the first optimizer step: see `CurvePoint`."""
    last_margin: float | None
    """Mean of the last tenth of the steps."""
    preferred: float | None
    """Share of their pairs whose margin is above 0, 0..1."""


class MergeFacts(FrozenModel):
    """What the step `merge` reports."""

    instruct: str = ""
    """Folder or hub id of the base's instruct sibling; "" without one."""
    instruct_digest: str = ""
    weights: Mapping[str, tuple[float, float]] = {}
    """(w1, w2) of each merged model, by its name."""


class FinetuneFacts(StageFacts):
    """What the step `finetune` reports."""

    template: str
    """The prompt template in use: "alpaca" or "chat"."""
