"""Drawing by lot: seeded, fair to the strata, in an order that never depends on the lot.

`random.Random` with a text as its seed gives the same numbers on every machine and in every process.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

__all__ = ["apportion", "sample_indices", "seeded_rng"]

T = TypeVar("T")


def seeded_rng(*parts: object) -> random.Random:
    """Return the random numbers that belong to `parts`: a recipe's seed and what they are for."""
    return random.Random("/".join(str(part) for part in parts))


def sample_indices(rows: Sequence[T], count: int, numbers: random.Random) -> list[T]:
    """Draw `count` of `rows`, or all if there are fewer, in their own order."""
    chosen = numbers.sample(range(len(rows)), min(count, len(rows)))
    return [rows[index] for index in sorted(chosen)]


def apportion(
    total: int, weights: Mapping[str, float], most: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Split `total` by weight into whole numbers that sum to it, by largest remainder; an equal remainder goes to the earlier.

    `most` is what each may get at most; what one cannot take, the others share. The sum is smaller if all are full.
    """
    result = dict.fromkeys(weights, 0)
    open_ = [name for name in weights if weights[name] > 0 and (most is None or most[name] > 0)]
    while open_ and (left := total - sum(result.values())) > 0:
        quotas = _largest_remainder(left, {name: weights[name] for name in open_})
        for name, quota in quotas.items():
            result[name] += quota if most is None else min(quota, most[name] - result[name])
        open_ = [name for name in open_ if most is None or result[name] < most[name]]
    return result


def _largest_remainder(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    whole = sum(weights.values())
    exact = {name: total * weight / whole for name, weight in weights.items()}
    result = {name: int(quota) for name, quota in exact.items()}
    order = sorted(exact, key=lambda name: result[name] - exact[name])
    for name in order[: total - sum(result.values())]:
        result[name] += 1
    return result
