"""Scores with intervals, and paired differences with a verdict.

    MetricValues ─▶ Score            one system:   value, low, high, n
    two MetricValues ─▶ Comparison   two systems:  difference, low, high, p, smallest detectable, verdict

Verdicts: `better`, `worse`, `cannot tell`; where a loss has a margin (what the base could do before):
`retained`, `lost`, `cannot tell`; `not measurable` where the base is at chance, because there is nothing to
retain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from alif.evaluate import paired_tests, stats
from alif.evaluate.paired_tests import Difference
from alif.evaluate.stats import Bootstrap, Items
from alif.facts.evaluation_facts import Comparison, Verdict
from alif.records import Score

__all__ = ["MetricValues", "Pairing", "compare_metrics", "compare_pairings", "judge_change", "score_metric"]

DIGITS = 6
"""Decimal places in files: the last digits of a float sum depend on the machine."""
FAMILY_ERROR_RATE = 0.05
"""Chance, over a whole family of differences, to call one better or worse that is neither."""

Found = TypeVar("Found", bound=stats.Estimate)


@dataclass(frozen=True)
class MetricValues:
    """One metric of one system, item by item."""

    benchmark: str
    """Overall rows have a plain name ("heldout"), parts the part after a slash ("heldout/radio_talks")."""
    metric: str
    language: str
    items: Items
    signature: str
    lower_is_better: bool = False
    share: bool = False
    """Whether each item is 0 or 1."""
    margin: float | None = None
    """How much worse still counts as retained, in the metric's unit; `relative`: as a share of the base's."""
    relative: bool = False
    chance: float | None = None
    """The value that guessing would reach."""
    ids: Sequence[str] = ()
    """Of the items, where they are not all of the benchmark's in its order."""
    shots: int = 0
    """Examples before each question."""
    wording: int = 0
    """The one prompt wording that it is of, from 1, where there are several."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.benchmark, self.metric, self.language

    def select(self, kept: NDArray[np.bool_]) -> MetricValues:
        """Return the metric of the items that are `kept`, a mask of shape (n,)."""
        ids = [id for id, one in zip(self.ids, kept, strict=False) if one]
        return replace(self, items=self.items.select(kept), ids=ids)


def score_metric(system: str, values: MetricValues, bootstrap: Bootstrap) -> Score:
    """Return the score of one system on one metric."""
    if values.share:
        found, method = stats.wilson_interval(values.items), "Wilson"
    else:
        found = stats.bootstrap_interval(values.items, bootstrap)
        method = f"bootstrap over items within groups, {bootstrap.resamples} resamples, seed {bootstrap.seed}"
    clusters = len(values.items.collapse())
    method += f", {clusters} clusters" if clusters < len(values.items) else ""
    found = _round(found)
    return Score(
        stage=system,
        benchmark=values.benchmark,
        metric=values.metric,
        language=values.language,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        signature=f"{values.signature}|interval:95 % {method}",
        shots=values.shots,
        wording=values.wording,
    )


@dataclass(frozen=True)
class Pairing:
    """Two systems by one metric on the same items, and the tests that its p is adjusted with."""

    system: str
    after: MetricValues
    against: str
    before: MetricValues
    family: str
    """In words, without the number of its tests."""


def compare_metrics(
    system: str,
    after: Sequence[MetricValues],
    against: str,
    before: Sequence[MetricValues],
    bootstrap: Bootstrap,
) -> list[Comparison]:
    """Return the paired differences of `system` from `against`, metric by metric.

    The p values of a family are adjusted together: the metrics of one benchmark as a whole, or those of all
    its parts.
    """
    pairings = []
    for old, new in zip(before, after, strict=True):
        name, part, _ = new.benchmark.partition("/")
        family = f"{system} against {against}, {name}, {'all parts' if part else 'as a whole'}"
        pairings.append(Pairing(system, new, against, old, family))
    return compare_pairings(pairings, bootstrap)


def compare_pairings(pairings: Sequence[Pairing], bootstrap: Bootstrap) -> list[Comparison]:
    """Return the paired difference of each, its p adjusted by Holm for its family, which the row states."""
    changes: list[Difference] = []
    families: dict[str, list[int]] = {}
    for index, one in enumerate(pairings):
        if one.after.key != one.before.key:
            raise ValueError(f"{one.after.key} compared with {one.before.key}")
        shares = one.after.share and one.before.share
        test = paired_tests.paired_share if shares else paired_tests.paired_bootstrap
        changes.append(test(one.after.items, one.before.items, bootstrap))
        families.setdefault(one.family, []).append(index)
    adjusted: dict[int, float] = {}
    for family in families.values():
        adjusted |= zip(family, paired_tests.holm_adjust([changes[index].p for index in family]), strict=True)
    comparisons = []
    for index, one in enumerate(pairings):
        old, new, found = one.before, one.after, _round(changes[index])
        margin = new.margin
        if margin is not None and new.relative:
            margin *= old.items.value
        comparisons.append(
            Comparison(
                stage=one.system,
                against=one.against,
                benchmark=new.benchmark,
                metric=new.metric,
                language=new.language,
                difference=found.value,
                low=found.low,
                high=found.high,
                p=found.p,
                p_holm=round(adjusted[index], DIGITS),
                family=f"{one.family}: {len(families[one.family])} tests",
                detectable=found.detectable,
                n=found.n,
                margin=None if margin is None else round(margin, DIGITS),
                verdict=judge_change(old, changes[index], margin, adjusted[index]),
            )
        )
    return comparisons


def judge_change(before: MetricValues, change: Difference, margin: float | None, p_holm: float) -> Verdict:
    """Return the verdict on a change from `before`; `margin` is in the metric's unit."""
    if before.chance is not None and stats.wilson_interval(before.items).low <= before.chance:
        return "not measurable"
    low, high = (change.low, change.high) if before.lower_is_better else (-change.high, -change.low)
    if change.n < 2:
        return "cannot tell"
    if margin is not None:  # low and high say how much worse
        return paired_tests.judge_retention(low, high, margin)
    if p_holm >= FAMILY_ERROR_RATE or low <= 0 <= high:
        return "cannot tell"
    return "worse" if low > 0 else "better"


def _round(found: Found) -> Found:
    return replace(
        found, **{field.name: round(getattr(found, field.name), DIGITS) for field in fields(found)}
    )
