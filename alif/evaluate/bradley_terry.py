"""Strengths of systems from paired votes with ties: Bradley and Terry's model, as Davidson has it.

    P(i wins) : P(tie) : P(j wins)  =  s_i : v·sqrt(s_i·s_j) : s_j

Strengths are told in log-odds and their mean is 0: of two systems that differ by 0.41, the better one wins
60 % of the votes that are decisive. Half a win each way is added to every pair that was voted on, so that a
system that never lost has a finite strength.

Source: Davidson 1970, JASA 65:317; the added halves: Firth 1993, as in win_rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from alif.evaluate.stats import LEVEL, Bootstrap, Estimate

__all__ = ["PairedVote", "fit_strengths", "measure_strengths"]

RESAMPLES = 300
"""Most of a bootstrap: each is a fit."""
SMALL = 1e-4
"""Weight of the ties' own parameter, which nothing else holds where there is no tie."""
Floats = NDArray[np.float64]


class PairedVote(NamedTuple):
    """One vote on two systems, by their places in the list of all."""

    one: int
    other: int
    outcome: float
    """1: `one` won, 0: `other`, 0.5: a tie."""
    cluster: str
    """The prompt."""


def measure_strengths(votes: Sequence[PairedVote], systems: int, bootstrap: Bootstrap) -> list[Estimate]:
    """Return each system's strength with its interval; prompts are resampled as a whole."""
    clusters = {name: place for place, name in enumerate(dict.fromkeys(vote.cluster for vote in votes))}
    tables = np.zeros((len(clusters), systems, systems, 2))
    for one, other, outcome, cluster in votes:
        table = tables[clusters[cluster]]
        if outcome == 0.5:
            table[one, other, 1] += 1
        else:
            table[(one, other) if outcome else (other, one)][0] += 1
    value = fit_strengths(tables.sum(axis=0))
    random, n = np.random.default_rng(bootstrap.seed), len(clusters)
    fits = []
    for _ in range(min(RESAMPLES, bootstrap.resamples)):
        counts = random.multinomial(n, np.full(n, 1 / n))
        fits.append(fit_strengths(np.tensordot(counts, tables, axes=1)))
    low, high = np.quantile(fits, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    played = [sum(place in (vote.one, vote.other) for vote in votes) for place in range(systems)]
    return [
        Estimate(float(value[place]), float(low[place]), float(high[place]), n)
        for place, n in enumerate(played)
    ]


def fit_strengths(table: Floats) -> Floats:
    """Return the strengths, shape (systems,), by maximum likelihood.

    `table[i, j]` has how often i beat j, and the ties of i and j, which may stand in either order.
    """
    ties = table[..., 1] + table[..., 1].T
    played = table[..., 0] + table[..., 0].T + ties > 0
    wins = table[..., 0] + 0.5 * played
    games = wins + wins.T + ties

    def cost(found: Floats) -> tuple[float, Floats]:
        own, their, tie = found[:-1, None], found[None, :-1], found[-1]
        middle = tie + (own + their) / 2
        total = np.logaddexp(np.logaddexp(own, their), middle)
        won, tied = np.exp(own - total), np.exp(middle - total)
        value = (wins * (total - own)).sum() + (ties * (total - middle)).sum() / 2
        slopes = (games * (won + tied / 2) - wins - ties / 2).sum(axis=1) + 2 * found[:-1].sum()
        tie_slope = (games * tied - ties).sum() / 2 + 2 * SMALL * tie
        return float(value + found[:-1].sum() ** 2 + SMALL * tie**2), np.append(slopes, tie_slope)

    found = minimize(cost, np.zeros(len(table) + 1), jac=True, method="BFGS").x[:-1]
    return np.asarray(found - found.mean())
