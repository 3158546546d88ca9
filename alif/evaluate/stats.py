"""How sure a number is: intervals, paired differences, families of tests, verdicts. NumPy only.

A single share gets Wilson's interval, any other mean a bootstrap over items within groups. Two stages on the same items are
compared item by item: pairing removes the difficulty of the items, which is most of the noise. None of this covers the spread
between training seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from alif.evaluate.items import Bootstrap, Floats, Items

__all__ = [
    "Difference",
    "Estimate",
    "Retention",
    "bootstrap_interval",
    "holm_adjust",
    "judge_retention",
    "mcnemar_test",
    "paired_bootstrap",
    "paired_share",
    "sign_flip_test",
    "smallest_detectable",
    "wilson_interval",
    "wilson_of",
]

LEVEL = 0.95
"""Coverage that an interval aims at."""
POWER = 0.80
"""Chance to see a true difference of the smallest detectable size. Source: Miller 2024, arXiv 2411.00640, section 5."""
_NORMAL = NormalDist()
_TWO_SIDED = _NORMAL.inv_cdf((1 + LEVEL) / 2)
_CELLS = 4_000_000
"""Most numbers of a table of resamples held in memory at once."""

Retention = Literal["retained", "lost", "cannot tell"]


@dataclass(frozen=True)
class Estimate:
    """A value with its interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Difference(Estimate):
    """A paired difference, later minus earlier."""

    p: float
    """Two-sided, of the hypothesis that nothing changed."""
    detectable: float
    """The smallest true difference that so many items would show."""


def wilson_interval(hits: int, n: int) -> Estimate:
    """Return a share with Wilson's score interval, which holds at small n and near 0 and 1.

    Source: Wilson 1927, JASA 22:209; on evaluations Bowyer et al. 2025, arXiv 2503.01747.
    """
    z = _TWO_SIDED
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), n)


def wilson_of(items: Items) -> Estimate:
    """Return `wilson` of items that are 0 or 1 and stand in one group."""
    return wilson_interval(int(items.amounts.sum()), len(items))


def bootstrap_interval(items: Items, by: Bootstrap) -> Estimate:
    """Return the value with a bootstrap interval: items are drawn again with replacement within their groups.

    The percentiles are widened for few items, which plain ones treat too kindly; with eight very skewed items the interval
    still covers only about 89 %.

    Source: Efron 1979; stratified as in Davison & Hinkley 1997, section 3.2; expanded percentiles: Hesterberg 2015,
    arXiv 1411.5279, section 5.3.
    """
    return _interval(items, _redraw(items, by))


def _interval(items: Items, redrawn: Floats) -> Estimate:
    tail = _tail(len(items), int(items.groups.max()) + 1)
    low, high = np.quantile(redrawn, [tail, 1 - tail])
    value = items.value
    return Estimate(value, min(value, float(low)), max(value, float(high)), len(items))


def _redraw(items: Items, by: Bootstrap) -> Floats:
    """Return the value of each redrawn set, shape (resamples,)."""
    random = np.random.default_rng(by.seed)
    groups = int(items.groups.max()) + 1
    total = np.zeros(by.resamples)
    for group in range(groups):
        members = items.groups == group
        amounts, sizes = items.amounts[members], items.sizes[members]
        n = len(amounts)
        step = max(1, _CELLS // n)
        for start in range(0, by.resamples, step):
            drawn = random.multinomial(n, np.full(n, 1 / n), size=min(step, by.resamples - start))
            total[start : start + step] += (drawn @ amounts) / (drawn @ sizes)
    return total / groups


def _tail(n: int, groups: int) -> float:
    """Return the share of resamples to leave out on each side."""
    freedom = n - groups
    if freedom < 1:
        return 0.0
    return _NORMAL.cdf(-math.sqrt(n / freedom) * _student(freedom))


def _student(freedom: int) -> float:
    """Return the two-sided quantile of Student's t at LEVEL.

    Source: Cornish-Fisher expansion, Abramowitz & Stegun 26.7.5; within 0.4 % from four degrees of freedom on.
    """
    z, f = _TWO_SIDED, freedom
    return (
        z
        + (z**3 + z) / (4 * f)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
    )


def paired_bootstrap(after: Items, before: Items, by: Bootstrap) -> Difference:
    """Return the difference of two stages on the same items, with a paired bootstrap interval.

    Source: Koehn 2004, EMNLP (paired bootstrap); p by `sign_flip`.
    """
    change = after.less(before)
    redrawn = _redraw(change, by)
    found = _interval(change, redrawn)
    detectable = (_TWO_SIDED + _NORMAL.inv_cdf(POWER)) * float(np.std(redrawn))
    return Difference(found.value, found.low, found.high, found.n, sign_flip_test(change, by), detectable)


def sign_flip_test(change: Items, by: Bootstrap) -> float:
    """Return how often random signs of the items' differences move the value as far as it moved, two-sided.

    Source: Fisher 1935 (randomisation test); (1 + hits) / (1 + draws): Phipson & Smyth 2010, arXiv 1603.05766.
    """
    parts = change.parts()
    observed = abs(float(parts.sum())) - 1e-12
    random = np.random.default_rng(by.seed)
    step = max(1, _CELLS // len(parts))
    hits = 0
    for start in range(0, by.resamples, step):
        signs = random.integers(0, 2, size=(min(step, by.resamples - start), len(parts))) * 2 - 1
        hits += int((np.abs(signs @ parts) >= observed).sum())
    return (1 + hits) / (1 + by.resamples)


def paired_share(after: Items, before: Items) -> Difference:
    """Return the difference of two shares on the same items; each amount is 0 or 1.

    Half a count is added to each cell of the 2 x 2 table, so that no change in few items is not taken for certainty.

    Source: Agresti & Min 2005, Statistics in Medicine 24:729 (interval); McNemar's exact test (p).
    """
    change = after.less(before).amounts
    n = len(change)
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    up, down, total = gained + 0.5, lost + 0.5, n + 2
    centre = (up - down) / total
    deviation = math.sqrt((up + down) / total - centre**2)
    half = _TWO_SIDED * deviation / math.sqrt(total)
    value = (gained - lost) / n
    low, high = max(-1.0, min(value, centre - half)), min(1.0, max(value, centre + half))
    return Difference(value, low, high, n, mcnemar_test(gained, lost), smallest_detectable(deviation, n))


def mcnemar_test(gained: int, lost: int) -> float:
    """Return the exact two-sided p that gains and losses are equally likely.

    Source: McNemar 1947, Psychometrika 12:153, in its exact binomial form.
    """
    n = gained + lost
    below = sum(math.comb(n, k) for k in range(min(gained, lost) + 1))
    return min(1.0, below / 2 ** (n - 1)) if n else 1.0


def smallest_detectable(deviation: float, n: int) -> float:
    """Return the smallest true mean difference that n items with this standard deviation show with 80 % chance.

    For shares the deviation is about the square root of the discordant share.

    Source: Miller 2024, arXiv 2411.00640, section 5.
    """
    return (_TWO_SIDED + _NORMAL.inv_cdf(POWER)) * deviation / math.sqrt(n)


def holm_adjust(ps: Sequence[float]) -> list[float]:
    """Return the p values of one family, adjusted for their number, in their order.

    Source: Holm 1979, Scandinavian Journal of Statistics 6:65.
    """
    adjusted = [0.0] * len(ps)
    floor = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        floor = max(floor, min(1.0, ps[index] * (len(ps) - rank)))
        adjusted[index] = floor
    return adjusted


def judge_retention(low: float, high: float, margin: float) -> Retention:
    """Judge a loss by its interval: "retained" below the margin, "lost" above it, "cannot tell" where the interval holds it.

    `low` and `high` bound how much worse something became; a gain is negative. A loss that is not significant is not retention.

    Source: non-inferiority, Piaggio et al. 2012, JAMA 308:2594.
    """
    if high < margin:
        return "retained"
    return "lost" if low > margin else "cannot tell"
