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

__all__ = ["MetricValues", "compare_metrics", "score_metric"]

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


def compare_metrics(
    system: str,
    after: Sequence[MetricValues],
    against: str,
    before: Sequence[MetricValues],
    bootstrap: Bootstrap,
) -> list[Comparison]:
    """Return the paired differences of `system` from `against`, metric by metric.

    The p values of a family are adjusted together: the metrics of one benchmark as a whole, or those of all
    its parts. Each row states its family.
    """
    changes: list[Difference] = []
    families: dict[tuple[str, bool], list[int]] = {}
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        if new.key != old.key:
            raise ValueError(f"{new.key} compared with {old.key}")
        by_share = paired_tests.paired_share(new.items, old.items, bootstrap) if new.share else None
        changes.append(by_share or paired_tests.paired_bootstrap(new.items, old.items, bootstrap))
        name, part, _ = new.benchmark.partition("/")
        families.setdefault((name, bool(part)), []).append(index)
    adjusted: dict[int, float] = {}
    family_of: dict[int, str] = {}
    for (name, by_part), family in families.items():
        adjusted |= zip(family, paired_tests.holm_adjust([changes[index].p for index in family]), strict=True)
        whole = "all parts" if by_part else "as a whole"
        family_of |= dict.fromkeys(
            family, f"{system} against {against}, {name}, {whole}: {len(family)} tests"
        )
    comparisons = []
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        margin = new.margin
        if margin is not None and new.relative:
            margin *= old.items.value
        found = _round(changes[index])
        comparisons.append(
            Comparison(
                stage=system,
                against=against,
                benchmark=new.benchmark,
                metric=new.metric,
                language=new.language,
                difference=found.value,
                low=found.low,
                high=found.high,
                p=found.p,
                p_holm=round(adjusted[index], DIGITS),
                family=family_of[index],
                detectable=found.detectable,
                n=found.n,
                margin=None if margin is None else round(margin, DIGITS),
                verdict=_judge(old, changes[index], margin, adjusted[index]),
            )
        )
    return comparisons


def _judge(before: MetricValues, change: Difference, margin: float | None, p_holm: float) -> Verdict:
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
