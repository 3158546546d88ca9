"""Items and seeds in one interval: what it covers, counted on made-up trainings with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from alif.ablate.seed_pooling import compare_seeds, pool_seeds, resample_seeds
from alif.evaluate.compare import MetricValues
from alif.evaluate.stats import Bootstrap, Items

BOOTSTRAP = Bootstrap(400, 1)


def values(amounts: object, share: bool = False) -> MetricValues:
    items = Items.of(list(amounts))  # type: ignore[call-overload]
    return MetricValues("b", "m", "xx", items, "", share=share)


def test_of_one_seed_the_interval_is_of_the_items_alone() -> None:
    found = pool_seeds([values([0, 1, 1, 1], share=True)], BOOTSTRAP)
    assert (found.value, found.n) == (0.75, 4)
    assert compare_seeds([values([1, 1, 1, 1])], [values([0, 0, 0, 0])], BOOTSTRAP).value == 1


def test_seeds_that_agree_add_nothing_and_seeds_that_do_not_widen() -> None:
    items = np.linspace(0, 1, 50)
    agree = pool_seeds([values(items)] * 3, BOOTSTRAP)
    apart = pool_seeds([values(items + shift) for shift in (-0.5, 0.0, 0.5)], BOOTSTRAP)
    assert agree.value == pytest.approx(apart.value)
    assert apart.high - apart.low > 3 * (agree.high - agree.low)
    still = compare_seeds([values(items)] * 2, [values(items)] * 2, BOOTSTRAP)
    assert (still.value, still.p) == (0, 1)


def test_shares_that_are_all_the_same_are_no_certainty_and_stay_shares() -> None:
    wrong = [values([0] * 13, share=True)] * 3
    found, change = pool_seeds(wrong, BOOTSTRAP), compare_seeds(wrong, wrong, BOOTSTRAP)
    assert found.low == 0
    assert 0.1 < found.high < 0.3
    assert change.low < -0.1 < 0.1 < change.high
    assert change.p == 1


def test_the_interval_covers_the_truth_over_items_and_seeds() -> None:
    rng, hits, alone = np.random.default_rng(5), 0, 0
    for _ in range(200):
        items, effects = rng.normal(0, 1, 60), rng.normal(0, 0.2, 3)
        seeds = [values(items + effect + rng.normal(0, 0.3, 60)) for effect in effects]
        found, one = pool_seeds(seeds, BOOTSTRAP), pool_seeds(seeds[:1], BOOTSTRAP)
        hits += found.low <= 0 <= found.high
        alone += one.low <= 0 <= one.high
    assert hits >= 184  # 92 %
    assert alone < hits


def test_a_difference_is_paired_by_item_and_seed() -> None:
    rng = np.random.default_rng(2)
    hard = rng.normal(0, 5, 40)
    before = [values(hard + effect) for effect in (0.0, 1.0, -1.0)]
    after = [values(hard + effect + 0.3 + rng.normal(0, 0.05, 40)) for effect in (0.0, 1.0, -1.0)]
    found = compare_seeds(after, before, BOOTSTRAP)
    assert found.low < 0.3 < found.high
    assert found.p < 0.001
    assert found.high - found.low < 0.1


def test_points_are_resampled_alike_and_seeds_widen_the_draws() -> None:
    items = np.random.default_rng(3).normal(0, 1, 30)
    one, other = (resample_seeds([values(items + shift)], BOOTSTRAP) for shift in (0, 1))
    assert other - one == pytest.approx(np.ones(400))
    seeds = resample_seeds([values(items + shift) for shift in (-1, 0, 1)], BOOTSTRAP)
    assert seeds.mean() == pytest.approx(one.mean(), abs=0.1)
    assert np.var(seeds) == pytest.approx(np.var(one) + 1 / 3, rel=0.25)  # the variance of a mean of 3
