"""What seeds, generate, translate, filter, replay, corpus and blend report."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from alif.records import FrozenModel

__all__ = [
    "BackTranslationFacts", "BlendFacts", "BlendPartFacts", "CorpusFacts", "CoverageFacts", "CoverageGap",
    "FilterFacts", "FunnelCounts", "FunnelFacts", "GenerateFacts", "NearDuplicateFacts", "NearDuplicatePair",
    "PairsFacts", "RepeatedPhrase", "ReplayFacts", "SeedsFacts", "SourceFacts", "TaskOutcome",
    "TranslateFacts",
]  # fmt: skip


class SeedsFacts(FrozenModel):
    """What the step `seeds` reports."""

    tasks: Mapping[str, int]
    """Accepted seeds by task, in the pack's order."""
    reviewed: int
    """Seeds whose `reviewed_by` is set."""


class FunnelCounts(FrozenModel):
    """What became of some requests and of the pieces of their replies: pieces == accepted + sum(dropped)."""

    requests: int
    pieces: int
    parsed: int
    accepted: int
    tokens_in: int
    tokens_out: int
    dropped: Mapping[str, int]
    """By reason, in alphabetical order."""
    usd: float
    """Price of the replies when they were sent for, also where a sibling run has paid it."""
    usd_per_accepted: float | None


class FunnelFacts(FrozenModel):
    """The funnel as a whole and by each of `records.FUNNEL_GROUPS`."""

    whole: FunnelCounts
    tasks: Mapping[str, FunnelCounts]
    teachers: Mapping[str, FunnelCounts]
    strategies: Mapping[str, FunnelCounts]


class RepeatedPhrase(FrozenModel):
    """A wording that many refused rows of a saturated task share."""

    words: str
    rows: int
    of: int
    """Refused rows of the task."""


class NearDuplicatePair(FrozenModel):
    """Two accepted rows of similar form: cosine similarity, ids and instructions."""

    similarity: float
    ids: tuple[str, str]
    instructions: tuple[str, str]


class NearDuplicateFacts(FrozenModel):
    """Near-duplicates in a sample of accepted rows that word order hides from ROUGE-L; not dropped."""

    method: str
    rows: int
    """Size of the sample."""
    threshold: float
    rows_with_a_near_duplicate: int
    pairs: int
    nearest: tuple[NearDuplicatePair, ...]


class CoverageGap(FrozenModel):
    """A cell of task and topic with far fewer rows than expected."""

    task: str
    topic: str
    rows: int
    expected: float


class CoverageFacts(FrozenModel):
    """What the accepted rows are about: {task: {value: rows}} along three axes, and the gaps."""

    topics: Mapping[str, Mapping[str, int]]
    difficulties: Mapping[str, Mapping[str, int]]
    registers: Mapping[str, Mapping[str, int]]
    rows: int
    cells: int
    """Cells of the grid task × topic × difficulty × register."""
    empty: int
    gaps: tuple[CoverageGap, ...]


class GenerateFacts(FrozenModel):
    """What the step `generate` reports."""

    rounds: int
    saturated: tuple[str, ...]
    """Tasks that were given up: their teachers brought next to nothing new."""
    targets: Mapping[str, int]
    funnel: FunnelFacts
    format_deviations: Mapping[str, int]
    """Accepted deviations from the reply format, by kind."""
    prompts: Mapping[str, tuple[str, ...]]
    """Digests of the prompts that were sent, by task and strategy."""
    repeated_phrases: Mapping[str, tuple[RepeatedPhrase, ...]]
    """By saturated task."""
    near_duplicates: NearDuplicateFacts
    coverage: CoverageFacts


class BackTranslationFacts(FrozenModel):
    """What another model made of the translations in the source language."""

    rows: int
    """Rows whose back-translation could be read."""
    unread: int
    """Rows without one; they are kept."""
    chrf: float
    """Mean of their chrF++ with the original, 0..100."""
    flagged: int
    """Rows below `flagged_below`: kept, and named in back_translations.jsonl."""
    flagged_below: float


class TranslateFacts(FrozenModel):
    """What the step `translate` reports."""

    requested: int
    available: int
    sentences: int
    """Sampled items that are sentences, not whole rows."""
    prompts: Mapping[str, tuple[str, ...]]
    rewritten: int = Field(0, exclude_if=lambda rows: not rows)
    """Rows that were rewritten and answered anew."""
    not_rewritten: Mapping[str, int] = Field({}, exclude_if=lambda reasons: not reasons)
    """Rows that stay as they were translated, by what was wrong with the rewritten one."""
    back_translation: BackTranslationFacts | None = Field(None, exclude_if=lambda facts: facts is None)


class TaskOutcome(FrozenModel):
    """Kept and dropped rows of a task."""

    kept: int
    dropped: int


class FilterFacts(FrozenModel):
    """What the step `filter` reports."""

    tasks: Mapping[str, TaskOutcome]


class ReplayFacts(FrozenModel):
    """What the step `replay` reports."""

    requested: int
    available: int
    strata: Mapping[str, int]
    """Rows drawn from each stratum of source and answer length."""


class SourceFacts(FrozenModel):
    """One source of the corpus."""

    documents: int
    characters: int
    held_out: int
    held_out_characters: int
    truncated: int
    """Documents that were cut to `corpus.LARGEST_SHARE` of the source's cap."""
    lookalikes: int = 0
    """Documents with letters that look right and are another language's: ي for ی. They stay as they are."""
    repairs: Mapping[str, int] = Field({}, exclude_if=lambda repairs: not repairs)
    """Documents by what was repaired in them: an encoding, `mojibake`, `visual_order` …"""


class CorpusFacts(FrozenModel):
    """What the step `corpus` reports."""

    held_out: int
    sources: Mapping[str, SourceFacts]
    """By "language source", such as "ur iqbal_urdu"."""


class BlendPartFacts(FrozenModel):
    """One part of the mixture."""

    requested: int
    """0: all."""
    share: float = 0.0
    """Share of the tokens that the recipe asks for; 0: rows were asked for."""
    repeat: int = 1
    """How often each row to train on is there."""
    available: int
    dropped: int
    drawn: int
    validation: int
    tokens: int = 0
    """Of the rows to train on, repeats included: about as many as Llama-3's tokenizer makes of them."""
    validation_tokens: int = 0
    licences: Mapping[str, int] = {}
    """Rows that were drawn, by their licence."""


class PairsFacts(FrozenModel):
    """What the step `pairs` reports."""

    reviewed: int
    """Pairs whose chosen answer a person wrote or accepted."""
    benchmark_prompts: int
    """Prompts of benchmarks that pairs were compared with."""


class BlendFacts(FrozenModel):
    """What the step `blend` reports."""

    parts: Mapping[str, BlendPartFacts]
    held_out: int
    benchmark_prompts: int
    """Prompts of benchmarks that rows were compared with."""
    contaminated: Mapping[str, int] = {}
    """Dropped rows by the benchmark that they give away."""
