"""Statistics: coverage in simulations, agreement with hand computations and published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

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


@pytest.mark.parametrize(("hits", "n"), [(8, 10), (0, 7), (7, 7), (1, 1), (0, 1), (733, 1172)])
def test_wilson_equals_statsmodels(hits: int, n: int) -> None:
    low, high = proportion_confint(hits, n, method="wilson")
    found = wilson(hits, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_clusters_of_equal_items_count_as_one_item_each() -> None:
    """Four copies of each answer say no more than one."""
    once = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0] * 5
    names = [str(number) for number in range(30) for _ in range(4)]
    copied = stats.wilson_interval(Items.of([one for one in once for _ in range(4)], clusters=names))
    alone, ignored = wilson(20, 30), wilson(80, 120)
    assert copied.value == pytest.approx(alone.value)
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert copied.high - copied.low > 1.5 * (ignored.high - ignored.low)
    means = [
        stats.bootstrap_interval(Items.of([one for one in once for _ in range(4)], clusters=clusters), BY)
        for clusters in ((), names)
    ]
    assert means[1].high - means[1].low > 1.5 * (means[0].high - means[0].low)


def test_a_cluster_lies_in_one_group() -> None:
    items = Items.of([1, 2, 3, 4], groups=["a", "a", "b", "b"], clusters=["x", "x", "x", "y"])
    assert items.clusters.tolist() == [0, 0, 1, 2]
    assert items.collapse().amounts.tolist() == [3, 3, 4]
    assert items.collapse().value == items.value
    kept = items.select(np.asarray([True, False, False, True]))
    assert (kept.clusters.tolist(), kept.groups.tolist(), kept.value) == ([0, 1], [0, 1], 2.5)


def test_empty_one_item_and_all_equal() -> None:
    for interval in (stats.wilson_interval, lambda items: stats.bootstrap_interval(items, BY)):
        with pytest.raises(ValueError, match="nothing was measured"):
            interval(Items.of([]))
        one = interval(Items.of([1.0]))
        assert one.low <= one.value == 1 == one.high
    equal = stats.wilson_interval(Items.of([1.0] * 12, clusters=["a"] * 6 + ["b"] * 6))
    assert equal.low < 0.5
    assert stats.bootstrap_interval(Items.of([2.0] * 5), BY).value == 2


def test_leaving_items_out_is_paired() -> None:
    values = [1.0] * 10 + [0.0, 1.0] * 15
    hits = np.asarray([True] * 10 + [False] * 30)
    found = stats.leave_out(Items.of(values), hits, BY)
    assert found is not None
    assert found.value == pytest.approx(0.5 - 0.625)
    assert found.low < found.value < found.high < 0
    assert stats.leave_out(Items.of(values), ~hits | hits, BY) is None
