"""What a study has found: every point by every metric against the reference, the frontier, a recommendation.

Siblings are asked the same items, so differences are paired item by item and seed by seed. The tests of one
metric over all points are one family (Holm). What the base knew before is a question of non-inferiority to
the reference, with a margin of one point for shares and 2 % for bits per byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alif import store
from alif.ablate import frontier
from alif.ablate.frontier import Choice
from alif.ablate.grid import GridRun, StudyRun
from alif.ablate.measured_items import (
    AlignedMetric,
    Key,
    MeasuredItems,
    choose_tuned,
    describe_tuning,
    measured_system,
)
from alif.ablate.seed_pooling import compare_seeds, pool_seeds, resample_seeds
from alif.ablate.study import show_value
from alif.evaluate import heldout, paired_tests, question_sets
from alif.evaluate.compare import MetricValues, judge_change
from alif.evaluate.stats import Bootstrap, Estimate
from alif.facts.evaluation_facts import Comparison
from alif.language import pack as packs
from alif.records import Score

__all__ = [
    "Analysis", "Effect", "Tradeoff", "analyse_study", "compare_points", "find_saturation", "weigh_languages",
]  # fmt: skip

HELDOUT, BITS = "heldout", "bits_per_byte"


@dataclass(frozen=True)
class Effect:
    """A point by one metric."""

    point: str
    benchmark: str
    metric: str
    language: str
    seeds: Mapping[int, float]
    """The value of each training seed."""
    mean: Estimate
    change: Comparison | None
    """From the reference; None of the reference itself."""


@dataclass(frozen=True)
class Tradeoff:
    """A point between both languages, in bits per byte of held-out text saved against the reference."""

    point: str
    gained: Estimate
    kept: Estimate
    seeds: Sequence[tuple[float, float]]
    """(kept, gained) of each training seed."""
    frontier: float
    """Probability that it is on the frontier."""
    best: float
    """Probability that it is the best."""


@dataclass(frozen=True)
class Analysis:
    """All that a study has found."""

    languages: tuple[str, str]
    """Codes of the taught and of the source language."""
    scores: Sequence[tuple[GridRun, Score]]
    effects: Sequence[Effect]
    tradeoffs: Sequence[Tradeoff]
    choice: Choice | None
    saturation: str
    """In words; empty where the study does not ask."""
    tuned: Mapping[str, str]
    """What was chosen for each point on its validation rows, in words."""


def analyse_study(found: StudyRun) -> Analysis:
    """Compare the siblings that are measured; others are left out."""
    bootstrap = Bootstrap(found.recipe.evaluate.bootstrap_samples, found.recipe.evaluate.seed)
    language = found.recipe.language
    codes = packs.load_pack(language.pack).code, packs.load_pack(language.source).code
    measured = [one for one in found.siblings if one.run.record("evaluate")]
    chosen = choose_tuned(found.study, measured, codes[0])
    items = MeasuredItems(chosen)
    effects: dict[Key, list[Effect]] = {}
    for key in items.metrics():
        effects[key] = compare_points(found, items.align(key), key, codes[1], bootstrap)
    taught, known = ((HELDOUT, BITS, code) for code in codes)
    tradeoffs, choice = weigh_languages(found, items, effects, (taught, known), bootstrap)
    scores = [
        (one, score)
        for one in measured
        for score in store.read_models(one.run.folder("evaluate") / "scores.jsonl", Score)
        if score.stage == measured_system(one.recipe) and "/" not in score.benchmark
    ]
    saturation = find_saturation(found, effects.get(taught, [])) if found.study.saturation else ""
    return Analysis(
        languages=codes,
        scores=scores,
        effects=[one for key in effects for one in effects[key]],
        tradeoffs=tradeoffs,
        choice=choice,
        saturation=saturation,
        tuned={one.point: describe_tuning(found.study, one) for one in chosen if found.study.tune},
    )


def compare_points(
    found: StudyRun, aligned: AlignedMetric, key: Key, source_language: str, bootstrap: Bootstrap
) -> list[Effect]:
    """Return every point by one metric, the tests of its differences from the reference adjusted together."""
    reference = aligned.points.get(found.reference, {})
    changes = {}
    for label, seeds in aligned.points.items():
        common = [seed for seed in seeds if seed in reference]
        if label != found.reference and common:
            after, before = ([one[seed] for seed in common] for one in (seeds, reference))
            changes[label] = compare_seeds(after, before, bootstrap)
    adjusted = dict(zip(changes, paired_tests.holm_adjust([one.p for one in changes.values()]), strict=True))
    family = f"{', '.join(key)}: {len(changes)} tests"
    denied = bool(changes) and _is_base_at_chance(found, key)
    effects = []
    for label, seeds in aligned.points.items():
        mean, comparison = pool_seeds(list(seeds.values()), bootstrap), None
        if change := changes.get(label):
            before_it = next(iter(reference.values()))
            margin = None
            if key[2] == source_language:
                margin = _margin(before_it, mean.value - change.value)
            verdict = judge_change(before_it, change, margin, adjusted[label])
            comparison = Comparison(
                stage=label,
                against=found.reference,
                benchmark=key[0],
                metric=key[1],
                language=key[2],
                difference=change.value,
                low=change.low,
                high=change.high,
                p=change.p,
                p_holm=adjusted[label],
                family=family,
                detectable=change.detectable,
                n=change.n,
                margin=margin,
                verdict="not measurable" if denied else verdict,
            )
        effects.append(
            Effect(label, *key, {seed: one.items.value for seed, one in seeds.items()}, mean, comparison)
        )
    return effects


def _margin(values: MetricValues, reference: float) -> float | None:
    """Return how much worse than the reference still counts as kept; None where no margin is agreed on."""
    if values.share:
        return question_sets.RETENTION_MARGIN
    return heldout.RETENTION_MARGIN * reference if values.metric.endswith(BITS) else None


def _is_base_at_chance(found: StudyRun, key: Key) -> bool:
    """Tell whether there is nothing to keep, as the reference's own evaluation has it."""
    paths = (one.run.folder("evaluate") / "differences.jsonl" for one in found.points[found.reference])
    rows = (row for path in paths if path.is_file() for row in store.read_models(path, Comparison))
    found_so = ((row.benchmark, row.metric, row.language) for row in rows if row.verdict == "not measurable")
    return key in found_so


def weigh_languages(
    found: StudyRun,
    items: MeasuredItems,
    effects: Mapping[Key, Sequence[Effect]],
    keys: tuple[Key, Key],
    bootstrap: Bootstrap,
) -> tuple[list[Tradeoff], Choice | None]:
    """Return each point between both languages, taught and source, and how likely it is to be the best."""
    taught, known = (items.align(key) for key in keys)
    by_label = [{one.point: one for one in effects.get(key, ())} for key in keys]
    labels = [label for label in found.study.points() if all(label in one for one in by_label)]
    if found.reference not in labels or taught.base is None or known.base is None:
        return [], None
    draws = []
    for base, points in ((taught.base, taught.points), (known.base, known.points)):
        of_base = resample_seeds([base], bootstrap)
        draws.append(
            {label: of_base - resample_seeds(list(points[label].values()), bootstrap) for label in labels}
        )
    gained, kept = draws
    choice = frontier.choose_point(gained, kept, heldout.RETENTION_MARGIN * known.base.items.value)
    shares = frontier.frontier_shares(gained, kept)
    tradeoffs = []
    for label in labels:
        saved, seeds = [], []
        for one, reference in ((of[label], of[found.reference]) for of in by_label):
            change = one.change
            ends = (-change.difference, -change.high, -change.low) if change else (0.0, 0.0, 0.0)
            saved.append(Estimate(*ends, one.mean.n))
            seeds.append(
                [reference.seeds[seed] - one.seeds[seed] for seed in one.seeds if seed in reference.seeds]
            )
        pairs = list(zip(seeds[1], seeds[0], strict=True))
        tradeoffs.append(Tradeoff(label, saved[0], saved[1], pairs, shares[label], choice.probability[label]))
    return tradeoffs, choice


def find_saturation(found: StudyRun, effects: Sequence[Effect]) -> str:
    """Say which is the smallest value of a key that is not inferior to the reference by these effects."""
    key, points = found.study.saturation, found.study.points()
    reference = points[found.reference]
    kept: dict[float, bool] = {}
    for one in effects:
        settings = points[one.point]
        value = settings.get(key)
        if not isinstance(value, int | float) or {**settings, key: None} != {**reference, key: None}:
            continue
        if change := one.change:
            margin = heldout.RETENTION_MARGIN * (one.mean.value - change.difference)
            kept[value] = paired_tests.judge_retention(change.low, change.high, margin) == "retained"
    at = reference.get(key)
    smaller = [value for value, good in sorted(kept.items()) if good and value < float(str(at))]
    told = f"not inferior to {show_value(at)} on held-out text of the taught language (margin 2 %)"
    if not kept:
        return f"{key}: no other value was measured."
    if not smaller:
        return f"{key}: no smaller value is shown to be {told}."
    return f"{key} saturates at {smaller[0]:g} here: the smallest value that is {told}."
