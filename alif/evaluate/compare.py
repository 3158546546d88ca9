"""From what was measured to what may be said: scores with intervals, paired differences to the base, verdicts.

    Measured ─▶ Score            one stage:   value, low, high, n
    two Measured ─▶ Comparison   two stages:  difference, low, high, p, the smallest difference that n items show, a verdict

Verdicts: `better`, `worse`, `cannot tell`; for what the base could do before, `retained`, `lost`, `cannot tell`; and
`not measurable` where the base is at chance, because nothing can be kept that was not there.
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
"""Digits after the point in files: the last digits of a sum depend on the machine."""
FALSE_ALARM = 0.05
"""Chance, over a whole family of differences, to call one better or worse that is neither."""

Verdict = Literal["better", "worse", "retained", "lost", "cannot tell", "not measurable"]


@dataclass(frozen=True)
class MetricValues:
    """One metric of one stage, item by item."""

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
    """How much worse it may become and still count as retained, as a share of the base's value (`relative`) or as it is."""
    relative: bool = False
    chance: float | None = None
    """What guessing would reach."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.benchmark, self.metric, self.language

    def estimate(self, by: Bootstrap) -> stats.Estimate:
        """Return the value with its interval: Wilson's for a share, bootstrap otherwise."""
        return stats.wilson_of(self.items) if self.share else stats.bootstrap_interval(self.items, by)


class Comparison(FrozenModel):
    """A stage against the base on the same items."""

    stage: str
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
    """Adjusted for the family: the stage's overall rows of this benchmark, or all its parts."""
    detectable: float
    """Smallest true difference that so many items show with 80 % chance."""
    n: int
    margin: float | None = None
    """How much worse still counts as retained, in the metric's own unit."""
    verdict: Verdict


def score_metric(stage: str, measured: MetricValues, by: Bootstrap) -> Score:
    """Return the score of one stage."""
    found = measured.estimate(by)
    interval = (
        "Wilson"
        if measured.share
        else f"bootstrap over items within groups, {by.resamples} resamples, seed {by.seed}"
    )
    return Score(
        stage=stage,
        benchmark=measured.benchmark,
        metric=measured.metric,
        language=measured.language,
        value=round(found.value, DIGITS),
        low=round(found.low, DIGITS),
        high=round(found.high, DIGITS),
        n=found.n,
        signature=f"{measured.signature}|interval:95 % {interval}",
    )


def compare_metrics(
    stage: str, after: Sequence[MetricValues], against: str, before: Sequence[MetricValues], by: Bootstrap
) -> list[Comparison]:
    """Return the paired differences of a stage to an earlier one, metric by metric."""
    pairs = [_Pair.of(old, new, by) for old, new in zip(before, after, strict=True)]
    families: dict[tuple[str, bool], list[int]] = {}
    for index, pair in enumerate(pairs):
        name, part, _ = pair.new.benchmark.partition("/")
        families.setdefault((name, bool(part)), []).append(index)
    adjusted: dict[int, float] = {}
    for family in families.values():
        adjusted |= zip(family, stats.holm_adjust([pairs[index].found.p for index in family]), strict=True)
    return [_comparison(stage, against, pair, adjusted[index]) for index, pair in enumerate(pairs)]


@dataclass(frozen=True)
class _Pair:
    """One metric of two stages, and how it changed."""

    old: MetricValues
    new: MetricValues
    found: stats.Difference

    @classmethod
    def of(cls, old: MetricValues, new: MetricValues, by: Bootstrap) -> _Pair:
        if new.key != old.key:
            raise ValueError(f"{new.key} compared with {old.key}")
        share = new.share
        return cls(
            old,
            new,
            stats.paired_share(new.items, old.items)
            if share
            else stats.paired_bootstrap(new.items, old.items, by),
        )

    @property
    def margin(self) -> float | None:
        """Return how much worse still counts as retained, in the metric's own unit."""
        margin = self.new.margin
        return margin * self.old.items.value if margin is not None and self.new.relative else margin

    def verdict(self, p_holm: float) -> Verdict:
        if self.old.chance is not None and stats.wilson_of(self.old.items).low <= self.old.chance:
            return "not measurable"
        found = self.found
        low, high = (
            (found.low, found.high) if self.new.lower_is_better else (-found.high, -found.low)
        )  # how much worse
        if found.n < 2:
            return "cannot tell"
        if self.margin is not None:
            return stats.judge_retention(low, high, self.margin)
        if p_holm >= FALSE_ALARM or low <= 0 <= high:
            return "cannot tell"
        return "worse" if low > 0 else "better"


def _comparison(stage: str, against: str, pair: _Pair, p_holm: float) -> Comparison:
    margin = pair.margin
    return Comparison(
        stage=stage,
        against=against,
        benchmark=pair.new.benchmark,
        metric=pair.new.metric,
        language=pair.new.language,
        difference=round(pair.found.value, DIGITS),
        low=round(pair.found.low, DIGITS),
        high=round(pair.found.high, DIGITS),
        p=round(pair.found.p, DIGITS),
        p_holm=round(p_holm, DIGITS),
        detectable=round(pair.found.detectable, DIGITS),
        n=pair.found.n,
        margin=None if margin is None else round(margin, DIGITS),
        verdict=pair.verdict(p_holm),
    )
