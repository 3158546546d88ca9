"""Blocks are balanced and incomplete, sides even and swapped, whatever the sizes."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from alif.desk.campaigns.blind_design import RUN_LENGTH, plan_ballots


@pytest.mark.parametrize(
    ("prompts", "sources", "k"), [(60, 3, 2), (61, 3, 1), (30, 2, 2), (7, 4, 3), (1, 2, 1)]
)
def test_every_answer_is_judged_k_times_and_no_seat_holds_a_prompt_twice(
    prompts: int, sources: int, k: int
) -> None:
    ballots = plan_ballots(prompts, sources, k, 7, paired=False, repeats=0.5)
    assert set(Counter((one.prompt, one.shown) for one in ballots).values()) == {k}
    assert len(ballots) == prompts * sources * k
    assert set(Counter((one.seat, one.prompt) for one in ballots).values()) == {1}
    assert {one.seat for one in ballots} == set(range(sources * k))
    assert not any(one.twice for one in ballots)


def test_sources_are_balanced_in_each_block_of_thirty() -> None:
    ballots = plan_ballots(120, 3, 2, 7, paired=False, repeats=0)
    for _, cards in itertools.groupby(sorted(ballots, key=lambda one: one[2:4]), lambda one: one[2:4]):
        shown = Counter(one.shown for one in cards)
        assert set(shown.values()) == {RUN_LENGTH // 3}


@pytest.mark.parametrize(("sources", "k"), [(2, 2), (3, 2), (4, 3), (2, 1)])
def test_sides_are_even_in_each_seat_and_swapped_for_the_other_person(sources: int, k: int) -> None:
    ballots = plan_ballots(120, sources, k, 7, paired=True, repeats=0.1)
    for seat in {one.seat for one in ballots}:
        left = Counter(one.shown for one in ballots if one.seat == seat)
        assert all(left[shown] == left[shown[::-1]] for shown in left)
        twice = sum(one.twice for one in ballots if one.seat == seat)
        assert twice == 12
    by_pair = Counter((one.prompt, frozenset(one.shown), one.shown) for one in ballots)
    sides = Counter((prompt, pair) for prompt, pair, _ in by_pair)
    if k > 1:
        assert set(sides.values()) == {2}


def test_the_seed_decides_all() -> None:
    one, other = (plan_ballots(50, 3, 2, seed, paired=True, repeats=0.1) for seed in (1, 2))
    assert one != other
    assert one == plan_ballots(50, 3, 2, 1, paired=True, repeats=0.1)
