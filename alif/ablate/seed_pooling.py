"""Several training seeds as one point: items and seeds both count in its interval.

`alif report` keeps the two apart, as two questions; what a setting does is one, and needs both: an interval
of items alone is too sure of it. Of one seed nothing is known of others: its interval is of the items.

Source: Satterthwaite 1946, Biometrics Bulletin 2:110 (degrees of freedom of a sum of variances).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import t

from alif.evaluate import paired_tests, stats
from alif.evaluate.compare import MetricValues
from alif.evaluate.paired_tests import Difference
from alif.evaluate.stats import Bootstrap, Estimate, Floats, Items

__all__ = ["compare_seeds", "pool_seeds", "resample_seeds"]


def pool_seeds(seeds: Sequence[MetricValues], bootstrap: Bootstrap) -> Estimate:
    """Return the mean over training seeds with its interval."""
    if len(seeds) > 1:
        found = _combine([one.items for one in seeds], seeds[0].share, bootstrap)
        return replace(found, low=max(0.0, found.low), high=min(1.0, found.high)) if seeds[0].share else found
    items = seeds[0].items
    return stats.wilson_interval(items) if seeds[0].share else stats.bootstrap_interval(items, bootstrap)


def compare_seeds(
    after: Sequence[MetricValues], before: Sequence[MetricValues], bootstrap: Bootstrap
) -> Difference:
    """Return the paired difference of two points, seed by seed on the same items."""
    if len(after) > 1:
        changes = [new.items.minus(old.items) for new, old in zip(after, before, strict=True)]
        return _combine(changes, after[0].share, bootstrap)
    test = paired_tests.paired_share if after[0].share else paired_tests.paired_bootstrap
    return test(after[0].items, before[0].items, bootstrap)


def _combine(seeds: Sequence[Items], share: bool, bootstrap: Bootstrap) -> Difference:
    """Return the mean of `seeds`, the same items each, with the spread of items and of seeds.

    Of shares half a count is added, as for one seed: no change in few items is no certainty.
    """
    mean = replace(seeds[0], amounts=np.mean([one.amounts for one in seeds], axis=0))
    of_items = float(np.var(stats.resample_values(mean, bootstrap)))
    of_seeds = float(np.var([one.value for one in seeds], ddof=1)) / len(seeds)
    units = len(mean.collapse())
    of_items = max(of_items, (units + 2) ** -2 if share else 0.0)
    variance, value = of_items + of_seeds, mean.value
    if not variance:
        return Difference(value, value, value, len(mean), 1.0 if not value else 0.0, 0.0)
    items = max(1, units - 1)
    freedom = variance**2 / (of_items**2 / items + of_seeds**2 / (len(seeds) - 1))
    error = variance**0.5
    half = float(t.ppf((1 + stats.LEVEL) / 2, freedom)) * error
    p = 2 * float(t.sf(abs(value) / error, freedom))
    detectable = half + float(t.ppf(paired_tests.POWER, freedom)) * error
    return Difference(value, value - half, value + half, len(mean), p, detectable)


def resample_seeds(seeds: Sequence[MetricValues], bootstrap: Bootstrap) -> Floats:
    """Return the mean over seeds in each resample of items and seeds, shape (resamples,).

    Points on the same items are resampled alike, so that they can be compared resample by resample. So few
    seeds vary too little among themselves: their deviations are widened by sqrt(k / (k − 1)).
    """
    table = np.array([stats.resample_values(one.items, bootstrap) for one in seeds])
    mean: Floats = table.mean(axis=0)
    if (k := len(seeds)) == 1:
        return mean
    chosen = np.random.default_rng(bootstrap.seed).integers(0, k, size=table.shape)
    drawn: Floats = np.take_along_axis(table, chosen, axis=0).mean(axis=0)
    widened: Floats = mean + (drawn - mean) * (k / (k - 1)) ** 0.5
    return widened
