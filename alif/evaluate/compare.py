"""Scores with intervals, and paired differences with a verdict.

    MetricValues ─▶ Score            one system:   value, low, high, n
    two MetricValues ─▶ Comparison   two systems:  difference, low, high, p, smallest detectable difference, verdict

Verdicts: `better`, `worse`, `cannot tell`; where a loss has a margin (what the base could do before): `retained`, `lost`,
`cannot tell`; `not measurable` where the base is at chance, because there is nothing to retain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alif.evaluate import stats
from alif.evaluate.items import Bootstrap, Items
from alif.records import FrozenModel, Score

__all__ = ["Comparison", "MetricValues", "compare_metrics", "score_metric"]

DIGITS = 6
"""Decimal places in files: the last digits of a float sum depend on the machine."""
FAMILY_ERROR_RATE = 0.05
"""Chance, over a whole family of differences, to call one better or worse that is neither."""

Verdict = Literal["better", "worse", "retained", "lost", "cannot tell", "not measurable"]


@dataclass(frozen=True)
class MetricValues:
    """One metric of one system, item by item."""

    benchmark: str
    """Overall rows have a plain name ("heldout"); parts have the part after a slash ("heldout/radio_talks")."""
    metric: str
    language: str
    items: Items
    signature: str
    lower_is_better: bool = False
    share: bool = False
    """Whether each item is 0 or 1."""
    margin: float | None = None
    """How much worse still counts as retained: in the metric's unit, or with `relative` as a share of the base's value."""
    relative: bool = False
    chance: float | None = None
    """The value that guessing would reach."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.benchmark, self.metric, self.language


class Comparison(FrozenModel):
    """A system against another on the same items."""

    stage: str
    """The later system's name."""
    against: str
    benchmark: str
    metric: str
    language: str
    difference: float
    """Later minus earlier, in the metric's own unit."""
    low: float
    high: float
    p: float
    """Two-sided; exact McNemar test for shares, random signs otherwise."""
    p_holm: float
    """Adjusted for the family: the system's overall rows of this benchmark, or all its parts."""
    detectable: float
    """Smallest true difference that so many items show with 80 % chance."""
    n: int
    margin: float | None = None
    """How much worse still counts as retained, in the metric's own unit."""
    verdict: Verdict


def score_metric(system: str, values: MetricValues, bootstrap: Bootstrap) -> Score:
    """Return the score of one system on one metric."""
    items = values.items
    if values.share:
        found, method = stats.wilson_interval(int(items.amounts.sum()), len(items)), "Wilson"
    else:
        found = stats.bootstrap_interval(items, bootstrap)
        method = f"bootstrap over items within groups, {bootstrap.resamples} resamples, seed {bootstrap.seed}"
    return Score(
        stage=system,
        benchmark=values.benchmark,
        metric=values.metric,
        language=values.language,
        value=round(found.value, DIGITS),
        low=round(found.low, DIGITS),
        high=round(found.high, DIGITS),
        n=found.n,
        signature=f"{values.signature}|interval:95 % {method}",
    )


def compare_metrics(
    system: str,
    after: Sequence[MetricValues],
    against: str,
    before: Sequence[MetricValues],
    bootstrap: Bootstrap,
) -> list[Comparison]:
    """Return the paired differences of `system` from `against`, metric by metric, with p adjusted within each family."""
    differences: list[stats.Difference] = []
    families: dict[tuple[str, bool], list[int]] = {}
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if new.key != old.key:
            raise ValueError(f"{new.key} compared with {old.key}")
        differences.append(
            stats.paired_share(new.items, old.items)
            if new.share
            else stats.paired_bootstrap(new.items, old.items, bootstrap)
        )
        name, part, _ = new.benchmark.partition("/")
        families.setdefault((name, bool(part)), []).append(index)
    adjusted: dict[int, float] = {}
    for family in families.values():
        adjusted |= zip(family, stats.holm_adjust([differences[index].p for index in family]), strict=True)
    found = []
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        change, margin = differences[index], new.margin
        if margin is not None and new.relative:
            margin *= old.items.value
        found.append(
            Comparison(
                stage=system,
                against=against,
                benchmark=new.benchmark,
                metric=new.metric,
                language=new.language,
                difference=round(change.value, DIGITS),
                low=round(change.low, DIGITS),
                high=round(change.high, DIGITS),
                p=round(change.p, DIGITS),
                p_holm=round(adjusted[index], DIGITS),
                detectable=round(change.detectable, DIGITS),
                n=change.n,
                margin=None if margin is None else round(margin, DIGITS),
                verdict=_judge(old, change, margin, adjusted[index]),
            )
        )
    return found


def _judge(before: MetricValues, change: stats.Difference, margin: float | None, p_holm: float) -> Verdict:
    """Return the verdict on a change from `before`; `margin` is in the metric's unit."""
    items = before.items
    if before.chance is not None:
        if stats.wilson_interval(int(items.amounts.sum()), len(items)).low <= before.chance:
            return "not measurable"
    low, high = (
        (change.low, change.high) if before.lower_is_better else (-change.high, -change.low)
    )  # how much worse
    if change.n < 2:
        return "cannot tell"
    if margin is not None:
        return stats.judge_retention(low, high, margin)
    if p_holm >= FAMILY_ERROR_RATE or low <= 0 <= high:
        return "cannot tell"
    return "worse" if low > 0 else "better"
