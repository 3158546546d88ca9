"""From a failure signature to its likely causes: what the run's own records say, and which key to turn.

    signature            share  cause                           record                   value  recipe key
    lookalike_letters    0.12   the tokenizer cuts words        base: tokens per word    5.9    student.…
    english_loss         0.04   too little replay in stage 2    blend: share of replay   0.0    blend.replay…

`suspected` says whether the record is on the bad side of what is usual; None where the run has no such
record. The causes are those of Alif, arXiv 2510.09051; the limits are the values of the shipped recipes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alif.facts.data_facts import BlendFacts, GenerateFacts, SeedsFacts
from alif.facts.training_facts import BaseFacts, PretrainFacts, TokenizerFertility
from alif.records import FrozenModel
from alif.report.snapshot import RunSnapshot

__all__ = ["FailureCause", "find_causes"]

MIN_SHARE = 0.01
"""Share of answers from which a signature is listed."""
ENGLISH_LOSS = "english_loss"
"""The source language was lost against the base, on any benchmark with a margin."""


class FailureCause(FrozenModel):
    """One likely cause of one failure signature."""

    signature: str
    system: str
    """The last stage that was measured."""
    share: float
    """Share of its answers; of `english_loss` the largest loss, in its metric's unit."""
    base_share: float | None
    """The same of the base's answers."""
    cause: str
    record: str
    value: float | None
    """What the run's own record says; None: there is none."""
    usual: str
    suspected: bool | None
    recipe_key: str


@dataclass(frozen=True)
class _Cause:
    signatures: tuple[str, ...]
    cause: str
    record: str
    read: Callable[[RunSnapshot], float | None]
    least: float | None
    """Below it the cause is suspected."""
    most: float | None
    """Above it the cause is suspected."""
    recipe_key: str


def find_causes(run: RunSnapshot) -> list[FailureCause]:
    """Return every likely cause of what the last stage's answers show, the frequent signatures first."""
    shares = {
        (score.stage, score.metric): score.value for score in run.scores if score.benchmark == "fidelity"
    }
    losses = [
        abs(row.difference)
        for row in run.differences
        if row.stage == run.last_stage and row.verdict == "lost" and row.language == run.source.code
    ]
    found = {name: share for (stage, name), share in shares.items() if stage == run.last_stage}
    found |= {ENGLISH_LOSS: max(losses)} if losses else {}
    rows = []
    for name in sorted(found, key=lambda name: -found[name]):
        for cause in CAUSES if name == ENGLISH_LOSS or found[name] >= MIN_SHARE else ():
            if name in cause.signatures:
                value = cause.read(run)
                low = value is not None and cause.least is not None and value < cause.least
                high = value is not None and cause.most is not None and value > cause.most
                usual = f"at least {cause.least:,}" if cause.most is None else f"at most {cause.most:,}"
                rows.append(
                    FailureCause(
                        signature=name,
                        system=run.last_stage,
                        share=round(found[name], 6),
                        base_share=shares.get(("base", name)),
                        cause=cause.cause,
                        record=cause.record,
                        value=None if value is None else round(value, 6),
                        usual=usual,
                        suspected=None if value is None else low or high,
                        recipe_key=cause.recipe_key,
                    )
                )
    return rows


def _tokenizer(run: RunSnapshot) -> TokenizerFertility | None:
    base = run.facts("base", BaseFacts)
    return None if base is None else (base.extended or base).tokenizer.get(run.target.code)


def _stage1(run: RunSnapshot) -> PretrainFacts | None:
    return run.facts("pretrain", PretrainFacts)


def _generate(run: RunSnapshot) -> GenerateFacts | None:
    return run.facts("generate", GenerateFacts)


def _stage2_replay(run: RunSnapshot) -> float | None:
    found = run.facts("blend", BlendFacts)
    drawn = {name: part.drawn for name, part in found.parts.items()} if found else {}
    return drawn.get("replay", 0) / sum(drawn.values()) if sum(drawn.values()) else None


def _fewest_seeds(run: RunSnapshot) -> float | None:
    found = run.facts("seeds", SeedsFacts)
    return min(found.tasks.values(), default=0) if found else None


def _divide(part: int, whole: int) -> float | None:
    return part / whole if whole else None


LETTERS = (
    "lookalike_letters", "foreign_script", "source_language_run", "wrong_language", "wrong_language_line",
    "wrong_script",
)  # fmt: skip
GENERIC = ("repetition", "generic", "generic_opening", "empty")
LOSS = (ENGLISH_LOSS, "taught_language")
CAUSES = (
    _Cause(LETTERS, "the tokenizer cuts words into pieces that many scripts share", "base: tokens per word",
           lambda run: found.tokens_per_word if (found := _tokenizer(run)) else None,
           None, 3.0, "student.added_tokens"),
    _Cause(LETTERS, "too little text of the language was read", "pretrain: tokens",
           lambda run: found.tokens if (found := _stage1(run)) else None, 50_000_000, None, "corpus.source"),
    _Cause(("broken_characters",), "tokens are only some bytes of a letter", "base: part_of_a_letter",
           lambda run: found.part_of_a_letter if (found := _tokenizer(run)) else None,
           None, 0.05, "student.added_tokens"),
    _Cause(LOSS, "too little of the source language in stage 2", "blend: share of replay", _stage2_replay,
           0.1, None, "blend.replay.rows"),
    _Cause(LOSS, "too little of the source language in stage 1", "pretrain: replay_share",
           lambda run: found.replay_share if (found := _stage1(run)) else None,
           0.05, None, "pretrain.replay"),
    _Cause(LOSS, "stage 1 went too far from the base", "recipe: pretrain.lr",
           lambda run: run.recipe.pretrain.lr, None, 1e-4, "pretrain.lr"),
    _Cause(LOSS, "stage 2 went too far from the base", "recipe: finetune.lr",
           lambda run: run.recipe.finetune.lr, None, 1e-4, "finetune.lr"),
    _Cause(GENERIC, "the teacher repeats itself", "generate: share of near_duplicate",
           lambda run: _divide(
               found.funnel.whole.dropped.get("near_duplicate", 0), found.funnel.whole.pieces
           ) if (found := _generate(run)) else None,
           None, 0.3, "generate.slots"),
    _Cause(GENERIC, "rows of one form passed the pool", "generate: rows with a near-duplicate",
           lambda run: _divide(
               found.near_duplicates.rows_with_a_near_duplicate, found.near_duplicates.rows
           ) if (found := _generate(run)) else None,
           None, 0.1, "pool.threshold"),
    _Cause(GENERIC, "too few seeds to vary", "seeds: fewest of a task", _fewest_seeds, 20, None,
           "seeds.source"),
    _Cause(("unfinished",), "answers were cut off at the limit", "recipe: evaluate.max_new_tokens",
           lambda run: run.recipe.evaluate.max_new_tokens, 256, None, "evaluate.max_new_tokens"),
    _Cause(("refusal",), "too few questions that look harmful and are not", "seeds: fewest of a task",
           _fewest_seeds, 20, None, "seeds.source"),
)  # fmt: skip
