"""Statistics: coverage in simulations, agreement with hand computations and published tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.evaluate import stats
from alif.evaluate.stats import Bootstrap, Items


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


def test_pairing_sees_what_single_intervals_cannot() -> None:
    random = np.random.default_rng(4)
    before = random.lognormal(0, 1, 40)
    after = before - 0.1 + random.normal(0, 0.02, 40)
    one, two = Items.of(list(before)), Items.of(list(after))
    alone = stats.bootstrap_interval(one, Bootstrap(500, 0)), stats.bootstrap_interval(two, Bootstrap(500, 0))
    assert alone[0].low < alone[1].high
    found = stats.paired_bootstrap(two, one, Bootstrap(500, 0))
    assert found.high < 0
    assert found.p < 0.01
    assert found.detectable < 0.05


def test_paired_share_keeps_doubt_where_nothing_changed() -> None:
    same = Items.of([1, 0, 1, 1] * 5)
    found = stats.paired_share(same, same)
    assert (found.value, found.p) == (0, 1)
    assert found.low < -0.03
    assert found.high > 0.03


def test_paired_share_covers() -> None:
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(1000):
        kinds = random.choice(3, size=30, p=[0.15, 0.05, 0.80])  # gained, lost, unchanged
        before = (kinds == 1).astype(float)
        after = (kinds == 0).astype(float)
        found = stats.paired_share(Items.of(list(after)), Items.of(list(before)))
        hits += found.low <= 0.10 <= found.high
    assert hits / 1000 >= 0.93


def test_mcnemar_by_hand() -> None:
    assert stats.mcnemar_test(5, 1) == pytest.approx(2 * (1 + 6) / 64)
    assert stats.mcnemar_test(0, 0) == 1


def test_sign_flip_is_small_for_a_clear_change_and_fair_for_none() -> None:
    assert stats.sign_flip_test(
        Items.of([0.5, 0.6, 0.4, 0.5, 0.7, 0.5, 0.6, 0.5]), Bootstrap(999, 0)
    ) == pytest.approx(2 / 256, abs=0.01)
    assert stats.sign_flip_test(Items.of([0.0] * 9), Bootstrap(99, 0)) == 1
    random = np.random.default_rng(6)
    ps = [
        stats.sign_flip_test(Items.of(list(random.normal(size=12))), Bootstrap(199, run))
        for run in range(300)
    ]
    assert 0.02 <= np.mean([p <= 0.05 for p in ps]) <= 0.09


def test_smallest_detectable_equals_the_notes() -> None:
    """evaluation notes, B.4: paired, 10, 20, 30 % discordant."""
    for n, expected in {50: (12.5, 17.7, 21.7), 250: (5.6, 7.9, 9.7), 1172: (2.6, 3.7, 4.5)}.items():
        found = [100 * stats.smallest_detectable(math.sqrt(share), n) for share in (0.1, 0.2, 0.3)]
        assert found == pytest.approx(expected, abs=0.06)


def test_holm_by_hand() -> None:
    assert stats.holm_adjust([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert stats.holm_adjust([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_and_keeps_the_order(ps: list[float]) -> None:
    found = stats.holm_adjust(ps)
    assert all(p <= adjusted <= 1 for p, adjusted in zip(ps, found, strict=True))
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    assert [found[index] for index in order] == sorted(found)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.5, 0.01, "retained"), (0.005, 0.015, "retained"), (0.03, 0.2, "lost"), (-0.1, 0.1, "cannot tell")],
)
def test_retention_needs_evidence_either_way(low: float, high: float, verdict: str) -> None:
    assert stats.judge_retention(low, high, 0.02) == verdict


def test_resampling_is_seeded_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    items = Items.of([1.0, 2.0, 5.0, 9.0] * 10)
    whole = stats.bootstrap_interval(items, Bootstrap(300, 7))
    assert stats.bootstrap_interval(items, Bootstrap(300, 7)) == whole
    assert stats.bootstrap_interval(items, Bootstrap(300, 8)) != whole
    monkeypatch.setattr(stats, "MAX_CELLS", 400)
    assert stats.bootstrap_interval(items, Bootstrap(300, 7)) == whole


def test_different_items_are_refused() -> None:
    with pytest.raises(ValueError, match="different items"):
        Items.of([1, 2], [3, 4]).minus(Items.of([1, 2], [3, 5]))
