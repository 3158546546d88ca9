"""Paired tests: coverage in simulations, agreement with hand computations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from alif.evaluate import paired_tests, stats
from alif.evaluate.stats import Bootstrap, Items

BY = Bootstrap(200, 0)


def test_pairing_sees_what_single_intervals_cannot() -> None:
    random = np.random.default_rng(4)
    before = random.lognormal(0, 1, 40)
    after = before - 0.1 + random.normal(0, 0.02, 40)
    one, two = Items.of(list(before)), Items.of(list(after))
    alone = stats.bootstrap_interval(one, Bootstrap(500, 0)), stats.bootstrap_interval(two, Bootstrap(500, 0))
    assert alone[0].low < alone[1].high
    found = paired_tests.paired_bootstrap(two, one, Bootstrap(500, 0))
    assert found.high < 0
    assert found.p < 0.01
    assert found.detectable < 0.05


def test_paired_share_keeps_doubt_where_nothing_changed() -> None:
    same = Items.of([1, 0, 1, 1] * 5)
    found = paired_tests.paired_share(same, same, BY)
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
        found = paired_tests.paired_share(Items.of(list(after)), Items.of(list(before)), BY)
        hits += found.low <= 0.10 <= found.high
    assert hits / 1000 >= 0.93


def test_mcnemar_by_hand() -> None:
    assert paired_tests.mcnemar_test(5, 1) == pytest.approx(2 * (1 + 6) / 64)
    assert paired_tests.mcnemar_test(0, 0) == 1


def test_sign_flip_is_small_for_a_clear_change_and_fair_for_none() -> None:
    assert paired_tests.sign_flip_test(
        Items.of([0.5, 0.6, 0.4, 0.5, 0.7, 0.5, 0.6, 0.5]), Bootstrap(999, 0)
    ) == pytest.approx(2 / 256, abs=0.01)
    assert paired_tests.sign_flip_test(Items.of([0.0] * 9), Bootstrap(99, 0)) == 1
    random = np.random.default_rng(6)
    ps = [
        paired_tests.sign_flip_test(Items.of(list(random.normal(size=12))), Bootstrap(199, run))
        for run in range(300)
    ]
    assert 0.02 <= np.mean([p <= 0.05 for p in ps]) <= 0.09


def test_smallest_detectable_equals_the_notes() -> None:
    """evaluation notes, B.4: paired, 10, 20, 30 % discordant."""
    for n, expected in {50: (12.5, 17.7, 21.7), 250: (5.6, 7.9, 9.7), 1172: (2.6, 3.7, 4.5)}.items():
        found = [100 * paired_tests.smallest_detectable(math.sqrt(share), n) for share in (0.1, 0.2, 0.3)]
        assert found == pytest.approx(expected, abs=0.06)


def test_holm_by_hand() -> None:
    assert paired_tests.holm_adjust([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert paired_tests.holm_adjust([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_and_keeps_the_order(ps: list[float]) -> None:
    found = paired_tests.holm_adjust(ps)
    assert all(p <= adjusted <= 1 for p, adjusted in zip(ps, found, strict=True))
    order = sorted(range(len(ps)), key=lambda index: ps[index])
    assert [found[index] for index in order] == sorted(found)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.5, 0.01, "retained"), (0.005, 0.015, "retained"), (0.03, 0.2, "lost"), (-0.1, 0.1, "cannot tell")],
)
def test_retention_needs_evidence_either_way(low: float, high: float, verdict: str) -> None:
    assert paired_tests.judge_retention(low, high, 0.02) == verdict


def test_different_items_are_refused() -> None:
    with pytest.raises(ValueError, match="different items"):
        Items.of([1, 2], [3, 4]).minus(Items.of([1, 2], [3, 5]))


@pytest.mark.parametrize(("gained", "lost"), [(5, 1), (0, 7), (40, 31), (0, 0), (1, 0)])
def test_mcnemar_equals_statsmodels(gained: int, lost: int) -> None:
    wanted = mcnemar([[3, lost], [gained, 4]], exact=True).pvalue
    assert paired_tests.mcnemar_test(gained, lost) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("ps", [[0.01, 0.04, 0.03], [0.5], [0.02, 0.02, 0.9, 1.0, 0.0], [0.3] * 4])
def test_holm_equals_statsmodels(ps: list[float]) -> None:
    assert paired_tests.holm_adjust(ps) == pytest.approx(multipletests(ps, method="holm")[1], abs=1e-9)


def test_clusters_of_one_change_nothing_and_whole_clusters_are_flipped() -> None:
    after, before = [1.0, 0.0, 1.0, 1.0] * 8, [0.0, 0.0, 1.0, 0.0] * 8
    names = [str(number) for number in range(32)]
    alone, single = (
        paired_tests.paired_share(Items.of(after, clusters=one), Items.of(before, clusters=one), BY)
        for one in ((), names)
    )
    assert single == alone
    same = [str(number // 8) for number in range(32)]
    four = paired_tests.paired_share(Items.of(after, clusters=same), Items.of(before, clusters=same), BY)
    assert four.value == alone.value
    assert four.p >= 2 / 16 - 0.05  # four clusters have sixteen signs
    assert four.high - four.low > alone.high - alone.low


def test_nothing_is_no_difference() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        paired_tests.paired_share(Items.of([]), Items.of([]), BY)
    one = paired_tests.paired_share(Items.of([1.0]), Items.of([0.0]), BY)
    assert (one.value, one.n) == (1.0, 1)
    assert one.low < 0.5


@pytest.mark.parametrize(
    ("n", "share", "power"), [(200, 0.60, 0.79), (800, 0.55, 0.79), (100, 0.65, 0.83), (100, 0.5, 0.035)]
)
def test_power_of_decisive_votes_equals_the_notes(n: int, share: float, power: float) -> None:
    """Sizes of docs/decisions/012's notes; without a difference it is the exact test's own size."""
    assert paired_tests.sign_test_power(n, share) == pytest.approx(power, abs=5e-3)


def test_power_grows_with_votes_and_never_passes_its_size_without_a_difference() -> None:
    powers = [paired_tests.sign_test_power(n, 0.6) for n in (6, 50, 200, 1000)]
    assert powers == sorted(powers)
    assert all(paired_tests.sign_test_power(n, 0.5) <= 0.05 for n in range(1, 60))
