"""Lots are the same on every machine and keep the order; shares sum to the total."""

from __future__ import annotations

from hypothesis import given, strategies

from alif import sampling

WEIGHTS = strategies.dictionaries(
    strategies.text(max_size=3), strategies.integers(1, 10_001).map(float), min_size=1, max_size=8
)


def test_the_paper_s_split_of_accepted_rows() -> None:
    weights = {
        "translation": 10_001.0,
        "reasoning": 9_590,
        "ethics": 9_002,
        "qa": 8_177,
        "generation": 5_907,
        "classification": 4_662,
        "sentiment": 4_347,
    }
    assert sampling.apportion(51_686, weights) == weights
    assert sampling.apportion(7, {"a": 1.0, "b": 1.0}) == {"a": 4, "b": 3}


@given(strategies.integers(0, 10_000), WEIGHTS)
def test_shares_sum_to_the_total_and_miss_by_less_than_one(total: int, weights: dict[str, float]) -> None:
    found = sampling.apportion(total, weights)
    assert sum(found.values()) == total
    assert all(
        abs(found[name] - total * weight / sum(weights.values())) < 1 for name, weight in weights.items()
    )


@given(
    strategies.integers(0, 60), WEIGHTS, strategies.lists(strategies.integers(0, 9), min_size=8, max_size=8)
)
def test_what_one_cannot_take_the_others_share(
    total: int, weights: dict[str, float], room: list[int]
) -> None:
    most = dict(zip(weights, room, strict=False))
    found = sampling.apportion(total, weights, most=most)
    assert sum(found.values()) == min(total, sum(most.values()))
    assert all(0 <= found[name] <= most[name] for name in found)


def test_a_draw_is_seeded_and_keeps_the_order() -> None:
    rows = list(range(100))
    drawn = sampling.sample_indices(rows, 10, sampling.seeded_rng(3407, "test"))
    assert drawn == [5, 6, 11, 17, 19, 22, 45, 52, 76, 95]
    assert drawn == sampling.sample_indices(rows, 10, sampling.seeded_rng(3407, "test"))
    assert drawn != sampling.sample_indices(rows, 10, sampling.seeded_rng(3408, "test"))
    assert sampling.sample_indices(rows, 1000, sampling.seeded_rng(1)) == rows
