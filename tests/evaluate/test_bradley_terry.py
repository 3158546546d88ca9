"""Strengths against the closed form of two systems, votes drawn from known strengths, and edge cases."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from alif.evaluate.bradley_terry import PairedVote, fit_strengths, measure_strengths
from alif.evaluate.stats import Bootstrap

BOOTSTRAP = Bootstrap(60, 3407)


def test_two_systems_have_the_log_odds_of_their_wins() -> None:
    table = np.zeros((2, 2, 2))
    table[0, 1, 0], table[1, 0, 0], table[0, 1, 1] = 60, 30, 20
    one, other = fit_strengths(table)
    assert one - other == pytest.approx(math.log(60.5 / 30.5), abs=1e-3)
    assert one + other == pytest.approx(0, abs=1e-9)


def test_drawn_votes_give_back_their_strengths_within_the_intervals() -> None:
    random, true = np.random.default_rng(5), np.array([0.6, 0.1, -0.7])
    votes = []
    for prompt in range(300):
        for one, other in itertools.combinations(range(3), 2):
            own, their = np.exp(true[one]), np.exp(true[other])
            chances = np.array([own, 0.5 * np.sqrt(own * their), their])
            outcome = random.choice([1.0, 0.5, 0.0], p=chances / chances.sum())
            votes.append(PairedVote(one, other, float(outcome), str(prompt)))
    found = measure_strengths(votes, 3, BOOTSTRAP)
    for estimate, value in zip(found, true, strict=True):
        assert estimate.low < value < estimate.high
        assert estimate.n == 600
    assert measure_strengths(votes, 3, BOOTSTRAP) == found


def test_the_order_in_which_two_are_shown_changes_nothing() -> None:
    votes = [PairedVote(0, 1, outcome, str(place)) for place, outcome in enumerate([1, 1, 0, 0.5, 1])]
    turned = [PairedVote(other, one, 1 - outcome, cluster) for one, other, outcome, cluster in votes]
    one, other = (measure_strengths(some, 2, BOOTSTRAP)[0].value for some in (votes, turned))
    assert one == pytest.approx(other, abs=1e-4)


def test_one_that_never_lost_is_finite_and_all_ties_are_even() -> None:
    best = measure_strengths([PairedVote(0, 1, 1.0, str(place)) for place in range(40)], 2, BOOTSTRAP)
    assert 1 < best[0].value < 5
    even = measure_strengths([PairedVote(0, 1, 0.5, str(place)) for place in range(40)], 2, BOOTSTRAP)
    assert even[0].value == pytest.approx(0, abs=1e-3)
