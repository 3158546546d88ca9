"""The contamination card of the step `evaluate`: which benchmark items stand in what was trained on."""

from __future__ import annotations

from alif.records import FrozenModel

__all__ = ["BenchmarkOverlap", "ContaminationCard", "ItemOverlap", "ScoreWithoutHits"]


class ItemOverlap(FrozenModel):
    """An item that shares words with a training text: one line of contamination.jsonl."""

    benchmark: str
    item: str
    """Its id."""
    ngram: int
    """How many words in a row are shared: 8 or 13."""
    whole: bool
    """Whether the item's prompt has fewer words than that, and is a whole prompt or line of the text."""
    texts: int
    """Training texts that share words with it."""
    place: str
    """The first of them: its file and id, "blend/examples.jsonl#5b0f…"."""
    evidence: str
    """The shared words, as the pack folds them."""


class BenchmarkOverlap(FrozenModel):
    """How many items of a benchmark share words with the training texts."""

    benchmark: str
    ngram: int
    n: int
    """Items that were looked for."""
    short: int
    """Of these, items whose prompt has fewer words: matched as a whole too."""
    hits: int


class ScoreWithoutHits(FrozenModel):
    """A score with and without the items that share words with the training texts."""

    stage: str
    """The system's name."""
    benchmark: str
    metric: str
    language: str
    ngram: int
    value: float
    """Of all items."""
    n: int
    clean: float
    """Without hits, with its 95 % interval."""
    low: float
    high: float
    clean_n: int
    change: float
    """clean - value, with the interval of resamples that both share."""
    change_low: float
    change_high: float
    gain: float | None = None
    """Of a later stage: the paired difference from the base on the items without hits, with its interval."""
    gain_low: float | None = None
    gain_high: float | None = None


class ContaminationCard(FrozenModel):
    """What was looked for, in what, and what it changes."""

    rows: int
    """Training rows, and pairs of answers, that were read."""
    documents: int
    """Training documents that were read."""
    benchmarks: tuple[BenchmarkOverlap, ...]
    scores: tuple[ScoreWithoutHits, ...]
    """Of benchmarks with hits, where items without hits are left."""
