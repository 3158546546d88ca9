"""Statistics: coverage in simulations, agreement with hand computations and published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alif.evaluate import stats
from alif.evaluate.stats import Bootstrap, Items

BY = Bootstrap(200, 0)


def wilson(hits: int, n: int) -> stats.Estimate:
    return stats.wilson_interval(Items.of([1.0] * hits + [0.0] * (n - hits)))


def test_wilson_equals_the_textbook() -> None:
    found = wilson(8, 10)
    assert (found.value, found.n) == (0.8, 10)
    assert found.low == pytest.approx(0.4902, abs=1e-4)
    assert found.high == pytest.approx(0.9433, abs=1e-4)


@pytest.mark.parametrize("n", [1, 7, 40])
def test_wilson_at_the_ends(n: int) -> None:
    assert wilson(0, n).low == 0
    assert 0 < wilson(0, n).high < 1
    assert wilson(n, n).high == 1


def test_wilson_covers_where_the_normal_interval_fails() -> None:
    """At n = 20, p = 0.97 the normal interval covers 45 % (evaluation notes, B.4)."""
    random = np.random.default_rng(1)
    found = [wilson(int(hits), 20) for hits in random.binomial(20, 0.97, size=2000)]
    assert np.mean([one.low <= 0.97 <= one.high for one in found]) >= 0.94


@pytest.mark.parametrize(("n", "skew"), [(8, 0.3), (40, 0.6)])
def test_bootstrap_covers_means(n: int, skew: float) -> None:
    random = np.random.default_rng(2)
    truth = math.exp(0.5 * skew**2)
    hits = 0
    for run in range(400):
        found = stats.bootstrap_interval(Items.of(list(random.lognormal(0, skew, n))), Bootstrap(400, run))
        hits += found.low <= truth <= found.high
    assert 0.90 <= hits / 400 <= 0.99


def test_bootstrap_covers_a_macro_average_of_ratios() -> None:
    """Two sources, bits per byte 2 and 4, documents of very different length: the truth is 3."""
    random = np.random.default_rng(3)
    hits = 0
    for run in range(300):
        sizes = random.integers(50, 2000, size=30).astype(float)
        rate = np.repeat([2.0, 4.0], 15) + random.normal(0, 0.3, 30)
        found = stats.bootstrap_interval(
            Items.of(list(rate * sizes), list(sizes), ["a"] * 15 + ["b"] * 15), Bootstrap(400, run)
        )
        hits += found.low <= 3 <= found.high
    assert 0.90 <= hits / 300 <= 0.99


def test_value_is_the_mean_over_groups_of_ratios() -> None:
    items = Items.of([10, 20, 90], [5, 5, 10], ["a", "a", "b"])
    assert items.value == pytest.approx((30 / 10 + 90 / 10) / 2)


def test_resampling_is_seeded_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    items = Items.of([1.0, 2.0, 5.0, 9.0] * 10)
    whole = stats.bootstrap_interval(items, Bootstrap(300, 7))
    assert stats.bootstrap_interval(items, Bootstrap(300, 7)) == whole
    assert stats.bootstrap_interval(items, Bootstrap(300, 8)) != whole
    monkeypatch.setattr(stats, "MAX_CELLS", 400)
    assert stats.bootstrap_interval(items, Bootstrap(300, 7)) == whole
