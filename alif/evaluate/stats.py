"""Items of a metric, in groups and clusters, and the intervals of their mean.

A share gets Wilson's interval, any other mean a bootstrap over items within groups. Items that share a
passage or a prompt are one cluster, which is resampled as a whole. The spread between training seeds is not
covered. Quantiles are scipy's; the resampling loop is ours, because it stratifies by group, resamples ratios
of sums and keeps a bounded table in memory. benchmarks/statistics.py measures what the intervals cover.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from alif.sampling import share_interval

__all__ = [
    "Bootstrap", "Estimate", "Items", "bootstrap_interval", "interval_quantile", "leave_out",
    "percentile_interval", "require_items", "resample_values", "wilson_interval",
]  # fmt: skip

LEVEL = 0.95
"""Nominal coverage of an interval."""
Z = float(norm.ppf((1 + LEVEL) / 2))
"""Two-sided quantile of the normal distribution at LEVEL."""
MAX_CELLS = 4_000_000
"""Most numbers of a table of resamples held in memory at once."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bootstrap:
    """Number of resamples and their seed."""

    resamples: int
    seed: int


@dataclass(frozen=True)
class Items:
    """A metric item by item, arrays of shape (n,).

    bits per byte    amounts = bits of each document, sizes = its bytes, groups = its source
    exact match      amounts = 0 or 1 for each answer, sizes = 1, one group
    """

    amounts: Floats
    sizes: Floats
    groups: NDArray[np.int64]
    """Number of the group of each item, from 0."""
    clusters: NDArray[np.int64]
    """Number of the cluster of each item, from 0, within one group: items that share a passage, a prompt or a
    question in several wordings are right or wrong together."""

    @classmethod
    def of(
        cls,
        amounts: Sequence[float],
        sizes: Sequence[float] | None = None,
        groups: Sequence[str] = (),
        clusters: Sequence[str] = (),
    ) -> Items:
        """Build Items; without `sizes` each counts once, without `groups` all are in one."""
        n = len(amounts)
        group_of = list(groups) or [""] * n
        cluster_of = list(zip(group_of, clusters or map(str, range(n)), strict=True))
        group_number = {name: number for number, name in enumerate(dict.fromkeys(group_of))}
        cluster_number = {key: number for number, key in enumerate(dict.fromkeys(cluster_of))}
        return cls(
            np.asarray(amounts, dtype=np.float64),
            np.ones(n) if sizes is None else np.asarray(sizes, dtype=np.float64),
            np.asarray([group_number[name] for name in group_of], dtype=np.int64),
            np.asarray([cluster_number[key] for key in cluster_of], dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.amounts)

    @property
    def value(self) -> float:
        """The mean over groups of sum(amounts) / sum(sizes)."""
        return float(self.parts().sum())

    def parts(self) -> Floats:
        """Return the contribution of each item to the value, shape (n,)."""
        totals = np.bincount(self.groups, weights=self.sizes)
        return self.amounts / totals[self.groups] / len(totals)

    def residuals(self) -> Floats:
        """Return by how much each item moves the value away from its group's ratio, shape (n,)."""
        ratios = np.bincount(self.groups, self.amounts) / np.bincount(self.groups, self.sizes)
        return replace(self, amounts=self.amounts - ratios[self.groups] * self.sizes).parts()

    def minus(self, other: Items) -> Items:
        """Return the differences to `other`, which was measured on the same items."""
        same = all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("sizes", "groups", "clusters")
        )
        if not same:
            raise ValueError("two systems were measured on different items")
        return replace(self, amounts=self.amounts - other.amounts)

    def select(self, kept: NDArray[np.bool_]) -> Items:
        """Return the items that are `kept`, a mask of shape (n,)."""
        groups, clusters = (
            np.unique(one[kept], return_inverse=True)[1] for one in (self.groups, self.clusters)
        )
        return Items(self.amounts[kept], self.sizes[kept], groups, clusters)

    def collapse(self) -> Items:
        """Return one item for each cluster: the sums of its amounts and sizes."""
        _, first = np.unique(self.clusters, return_index=True)
        if len(first) == len(self):
            return self
        amounts, sizes = (
            np.asarray(np.bincount(self.clusters, weights), dtype=np.float64)
            for weights in (self.amounts, self.sizes)
        )
        return Items(amounts, sizes, self.groups[first], np.arange(len(first)))

    def design_effect(self) -> float:
        """Return how many times the variance is that of as many independent items, at least 1.

        Without any spread it is the size of a cluster, as if its items were one. Source: Kish 1965, Survey
        Sampling, section 5.4.
        """
        clusters = len(self.collapse())
        if clusters == len(self):
            return 1.0
        alone, together = (float((one.residuals() ** 2).sum()) for one in (self, self.collapse()))
        if not alone or clusters < 2:
            return len(self) / clusters
        return max(1.0, clusters / (clusters - 1) * together / alone)


@dataclass(frozen=True)
class Estimate:
    """A value with its interval."""

    value: float
    low: float
    high: float
    n: int


def wilson_interval(items: Items) -> Estimate:
    """Return the share of items that are 1 with Wilson's interval.

    Clustered items count as the fewer independent ones that say as much.

    Source: on evaluations Bowyer et al. 2025, arXiv 2503.01747; clusters: Franco et
    al. 2019, Journal of Survey Statistics and Methodology 7:334.
    """
    require_items(items)
    share, n, z = items.value, len(items) / items.design_effect(), interval_quantile(items)
    return Estimate(share, *share_interval(share, n, z), len(items))


def interval_quantile(items: Items) -> float:
    """Return the normal quantile at LEVEL; of clustered items Student's, by the number of clusters."""
    clusters = len(items.collapse())
    return Z if clusters == len(items) else float(t.ppf((1 + LEVEL) / 2, max(1, clusters - 1)))


def require_items(items: Items) -> None:
    """Refuse the mean of nothing."""
    if not len(items):
        raise ValueError("no items: nothing was measured")


def bootstrap_interval(items: Items, bootstrap: Bootstrap) -> Estimate:
    """Return the value with a bootstrap interval: items or their clusters are resampled within groups.

    The percentiles are expanded for few items, and the interval for a tail that was not seen: as if one more
    item lay as far off as the farthest. Of fewer than 20 skewed items it still covers too little.

    Source: Efron 1979; stratified: Davison & Hinkley 1997, section 3.2; expanded: arXiv 1411.5279, section
    5.3.
    """
    require_items(items)
    return percentile_interval(items, resample_values(items, bootstrap))


def percentile_interval(items: Items, resampled: Floats) -> Estimate:
    """Return the interval of the items' value from the values of their resamples."""
    units, value = items.collapse(), items.value
    n = len(units)
    freedom = n - (int(units.groups.max()) + 1)
    tail = float(norm.cdf(-math.sqrt(n / freedom) * t.ppf((1 + LEVEL) / 2, freedom))) if freedom > 0 else 0.0
    low, high = np.quantile(resampled, [tail, 1 - tail])
    squares = units.residuals() ** 2
    wider = math.sqrt(1 + float(squares.max() / squares.sum())) if squares.any() else 1.0
    ends = value - wider * max(0.0, value - float(low)), value + wider * max(0.0, float(high) - value)
    return Estimate(value, *ends, len(items))


def resample_values(items: Items, bootstrap: Bootstrap) -> Floats:
    """Return the value of each resample of the clusters, shape (resamples,)."""
    items = items.collapse()
    random = np.random.default_rng(bootstrap.seed)
    groups = int(items.groups.max()) + 1
    total = np.zeros(bootstrap.resamples)
    for group in range(groups):
        members = items.groups == group
        amounts, sizes = items.amounts[members], items.sizes[members]
        n = len(amounts)
        step = max(1, MAX_CELLS // n)
        for start in range(0, bootstrap.resamples, step):
            counts = random.multinomial(n, np.full(n, 1 / n), size=min(step, bootstrap.resamples - start))
            total[start : start + step] += (counts @ amounts) / (counts @ sizes)
    return total / groups


def leave_out(items: Items, dropped: NDArray[np.bool_], bootstrap: Bootstrap) -> Estimate | None:
    """Return by how much the value changes without the `dropped` items, with its interval.

    Each resample is valued with and without them. None where a group would have no item left.
    """
    kept = replace(
        items, amounts=np.where(dropped, 0, items.amounts), sizes=np.where(dropped, 0, items.sizes)
    )
    if not np.bincount(items.groups, kept.sizes).all():
        return None
    with np.errstate(invalid="ignore"):  # a resample without any kept item
        changes = resample_values(kept, bootstrap) - resample_values(items, bootstrap)
    value = kept.value - items.value
    low, high = np.nanquantile(changes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, min(value, float(low)), max(value, float(high)), len(items))
