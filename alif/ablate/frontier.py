"""Which points are on the frontier of language gained against English kept, and which one to take.

A point is on the frontier where no other is better in one and no worse in the other. Items and seeds are
drawn again, and the share of the draws in which a point is there, or is the best, is its probability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from alif.evaluate.stats import Floats

__all__ = ["SURE", "Choice", "choose_point", "frontier_shares"]

SURE = 0.95
"""Least probability of being the best with which a point is recommended."""


@dataclass(frozen=True)
class Choice:
    """How likely each point is to be the best, and by what rule."""

    probability: Mapping[str, float]
    within_margin: bool
    """Whether the best has the most gained among those that keep the source language; else no point keeps
    it, and the best has the largest sum of both."""

    @property
    def best(self) -> str:
        return max(self.probability, key=lambda label: self.probability[label])

    @property
    def sure(self) -> bool:
        return self.probability[self.best] >= SURE


def frontier_shares(gained: Mapping[str, Floats], kept: Mapping[str, Floats]) -> dict[str, float]:
    """Return by point the share of draws in which no other point dominates it; arrays of shape (draws,)."""
    y, x = np.array(list(gained.values())), np.array(list(kept.values()))
    shares = {}
    for place, label in enumerate(gained):
        no_worse = (y >= y[place]) & (x >= x[place])
        better = (y > y[place]) | (x > x[place])
        shares[label] = float(1 - (no_worse & better).any(axis=0).mean())
    return shares


def choose_point(gained: Mapping[str, Floats], kept: Mapping[str, Floats], margin: float) -> Choice:
    """Return how often each point is the best: the most gained of those that lose at most `margin`."""
    y, x = np.array(list(gained.values())), np.array(list(kept.values()))
    within = bool((x.mean(axis=1) >= -margin).any())
    worth = np.where(x >= -margin, y, x - x.max() + y.min() - 1) if within else x + y
    best = worth.argmax(axis=0)
    return Choice({label: float((best == place).mean()) for place, label in enumerate(gained)}, within)
