"""Samples are the same on every machine and keep the order of the rows; shares sum to the total."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from alif import sampling

WEIGHTS = st.dictionaries(st.text(max_size=3), st.integers(1, 10_001).map(float), min_size=1, max_size=8)
ROWS = [f"{task}{number}" for task, count in (("a", 9), ("b", 2), ("c", 5)) for number in range(count)]


def test_the_paper_s_split_of_accepted_rows() -> None:
    names = ["translation", "reasoning", "ethics", "qa", "generation", "classification", "sentiment"]
    weights = dict(zip(names, (10_001.0, 9_590, 9_002, 8_177, 5_907, 4_662, 4_347), strict=True))
    assert sampling.apportion(51_686, weights) == weights
    assert sampling.apportion(7, {"a": 1.0, "b": 1.0}) == {"a": 4, "b": 3}


@given(st.integers(0, 10_000), WEIGHTS)
def test_shares_sum_to_the_total_and_miss_by_less_than_one(total: int, weights: dict[str, float]) -> None:
    found = sampling.apportion(total, weights)
    weight_sum = sum(weights.values())
    assert sum(found.values()) == total
    assert all(abs(found[name] - total * weight / weight_sum) < 1 for name, weight in weights.items())


@given(st.integers(0, 60), WEIGHTS, st.lists(st.integers(0, 9), min_size=8, max_size=8))
def test_what_one_cannot_take_others_share(total: int, weights: dict[str, float], caps: list[int]) -> None:
    most = dict(zip(weights, caps, strict=False))
    found = sampling.apportion(total, weights, most=most)
    assert sum(found.values()) == min(total, sum(most.values()))
    assert all(0 <= found[name] <= most[name] for name in found)


def test_a_sample_is_seeded_and_keeps_the_order() -> None:
    rows = list(range(100))
    drawn = sampling.sample_rows(rows, 10, sampling.seeded_rng(3407, "test"))
    assert drawn == [5, 6, 11, 17, 19, 22, 45, 52, 76, 95]
    assert drawn == sampling.sample_rows(rows, 10, sampling.seeded_rng(3407, "test"))
    assert drawn != sampling.sample_rows(rows, 10, sampling.seeded_rng(3408, "test"))
    assert sampling.sample_rows(rows, 1000, sampling.seeded_rng(1)) == rows


def test_a_stratified_sample_takes_alike_from_each_group_until_it_is_empty() -> None:
    found = sampling.sample_stratified(ROWS, 10, 1, str, lambda row: row[0])
    assert Counter(row[0] for row in found) == {"a": 4, "b": 2, "c": 4}
    assert found == sorted(found)
    assert sampling.sample_stratified(ROWS, 99, 1, str, lambda row: row[0]) == ROWS


@given(st.permutations(ROWS), st.integers(0, 20), st.integers(0, 9))
def test_a_sample_by_hash_does_not_depend_on_the_order(rows: list[str], count: int, seed: int) -> None:
    found = sampling.sample_by_hash(rows, count, seed, str)
    assert sorted(found) == sorted(sampling.sample_by_hash(ROWS, count, seed, str))
    assert found == [row for row in rows if row in found]
    assert len(found) == (min(count, 16) or 16)


def test_wilsons_interval_holds_at_the_ends_and_at_other_levels() -> None:
    assert [round(end, 4) for end in sampling.share_interval(0.5, 10)] == [0.2366, 0.7634]  # Wilson's own
    assert [round(end, 4) for end in sampling.share_interval(0.0, 10)] == [0.0, 0.2775]
    assert [round(end, 4) for end in sampling.share_interval(1.0, 10)] == [0.7225, 1.0]
    narrow, wide = (sampling.share_interval(0.3, 50, z) for z in (1.0, 2.0))
    assert wide[0] < narrow[0] < 0.3 < narrow[1] < wide[1]
