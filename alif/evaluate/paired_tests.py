"""Two systems on the same items: paired differences, families of tests and verdicts of non-inferiority.

Pairing removes the difficulty of the items, which is most of the noise. Clusters of items are resampled or
flipped as a whole. Exact tests are scipy's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import binom, binomtest, norm

from alif.evaluate import stats
from alif.evaluate.stats import Bootstrap, Estimate, Items

__all__ = [
    "Difference", "Retention", "holm_adjust", "judge_retention", "mcnemar_test", "paired_bootstrap",
    "paired_share", "sign_flip_test", "sign_test_power", "smallest_detectable",
]  # fmt: skip

POWER = 0.80
"""Chance to see a true difference of the smallest detectable size. Source: arXiv 2411.00640, section 5."""

Retention = Literal["retained", "lost", "cannot tell"]


@dataclass(frozen=True)
class Difference(Estimate):
    """A paired difference, later minus earlier."""

    p: float
    """Two-sided, of the hypothesis that nothing changed."""
    detectable: float
    """The smallest true difference that so many items would show."""


def paired_bootstrap(after: Items, before: Items, bootstrap: Bootstrap) -> Difference:
    """Return the difference of two systems on the same items, with a paired bootstrap interval.

    Source: Koehn 2004, EMNLP (paired bootstrap); p by `sign_flip_test`.
    """
    change = after.minus(before)
    resampled = stats.resample_values(change, bootstrap)
    found = stats.percentile_interval(change, resampled)
    detectable = (stats.Z + float(norm.ppf(POWER))) * float(np.std(resampled))
    return Difference(
        found.value, found.low, found.high, found.n, sign_flip_test(change, bootstrap), detectable
    )


def sign_flip_test(change: Items, bootstrap: Bootstrap) -> float:
    """Return the two-sided p of a randomisation test: the clusters' differences get random signs.

    Source: Fisher 1935; (1 + hits) / (1 + draws): Phipson & Smyth 2010, arXiv 1603.05766.
    """
    parts = change.collapse().parts()
    observed = abs(float(parts.sum())) - 1e-12
    random = np.random.default_rng(bootstrap.seed)
    step = max(1, stats.MAX_CELLS // len(parts))
    hits = 0
    for start in range(0, bootstrap.resamples, step):
        signs = random.integers(0, 2, size=(min(step, bootstrap.resamples - start), len(parts))) * 2 - 1
        hits += int((np.abs(signs @ parts) >= observed).sum())
    return (1 + hits) / (1 + bootstrap.resamples)


def paired_share(after: Items, before: Items, bootstrap: Bootstrap) -> Difference:
    """Return the difference of two shares on the same items; each amount is 0 or 1.

    Half a count is added to each cell of the 2 x 2 table: no change in few items is no certainty. Clustered
    items count as the fewer independent ones that say as much, and the test flips clusters.

    Source: Agresti & Min 2005, Statistics in Medicine 24:729 (interval); McNemar's exact test (p).
    """
    difference = after.minus(before)
    stats.require_items(difference)
    change, effect, n = difference.amounts, difference.design_effect(), len(difference)
    gained, lost = int((change > 0).sum()), int((change < 0).sum())
    up, down, total = gained / effect + 0.5, lost / effect + 0.5, n / effect + 2
    centre = (up - down) / total
    deviation = math.sqrt((up + down) / total - centre**2)
    half = stats.interval_quantile(difference) * deviation / math.sqrt(total)
    value = (gained - lost) / n
    low, high = max(-1.0, min(value, centre - half)), min(1.0, max(value, centre + half))
    clustered = len(difference.collapse()) < n
    p = sign_flip_test(difference, bootstrap) if clustered else mcnemar_test(gained, lost)
    return Difference(value, low, high, n, p, smallest_detectable(deviation, n / effect))


def mcnemar_test(gained: int, lost: int) -> float:
    """Return the exact two-sided p that gains and losses are equally likely.

    Source: McNemar 1947, Psychometrika 12:153, in its exact binomial form.
    """
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def smallest_detectable(deviation: float, n: float) -> float:
    """Return the smallest true mean difference that n items of this standard deviation show with 80 % chance.

    For shares the deviation is about the square root of the discordant share. Source: as of POWER.
    """
    return (stats.Z + float(norm.ppf(POWER))) * deviation / math.sqrt(n)


def sign_test_power(n: int, share: float) -> float:
    """Return the chance that n decisive votes show a true share by the exact two-sided test against a half.

    Votes that are not decisive (ties) count in neither. 200 votes show 60:40 with a chance of 0.79.
    """
    least = int(binom.isf((1 - stats.LEVEL) / 2, n, 0.5)) + 1
    return float(binom.sf(least - 1, n, share) + binom.cdf(n - least, n, share))


def holm_adjust(ps: Sequence[float]) -> list[float]:
    """Return the p values of one family, adjusted for their number, in their order.

    Source: Holm 1979, Scandinavian Journal of Statistics 6:65.
    """
    order = np.argsort(ps, kind="stable")
    adjusted = np.empty(len(ps))
    scaled = np.minimum(1.0, np.asarray(ps)[order] * np.arange(len(ps), 0, -1))
    adjusted[order] = np.maximum.accumulate(scaled)
    return [float(p) for p in adjusted]


def judge_retention(low: float, high: float, margin: float) -> Retention:
    """Judge a loss by its interval: "retained" below the margin, "lost" above it, otherwise "cannot tell".

    `low` and `high` bound how much worse something became; a gain is negative. No significant loss is not
    retention.

    Source: non-inferiority, Piaggio et al. 2012, JAMA 308:2594.
    """
    if high < margin:
        return "retained"
    return "lost" if low > margin else "cannot tell"
