"""Seeded sampling: the same rows on every machine and in every process; samples keep input order.

seeded_rng(3407, "replay")      a random stream named by a seed and what it is for
sample_rows                     by random stream: depends on the order of the rows
sample_by_hash                  by a hash of each row's id: independent of order and neighbours
share_interval                  what a sample says of the share in all
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, zip_longest
from statistics import NormalDist
from typing import TypeVar

__all__ = [
    "apportion", "sample_by_hash", "sample_rows", "sample_stratified", "seeded_rng", "share_interval",
]  # fmt: skip

Z = NormalDist().inv_cdf(0.975)
"""Two-sided quantile of the normal distribution at 95 %."""

Row = TypeVar("Row")


def seeded_rng(*parts: object) -> random.Random:
    """Return the random stream that belongs to `parts`: a recipe's seed and what it is for.

    `random.Random` with a text as its seed gives the same numbers on every machine.
    """
    return random.Random("/".join(str(part) for part in parts))


def sample_rows(rows: Sequence[Row], count: int, rng: random.Random) -> list[Row]:
    """Return `count` of `rows`, or all if there are fewer, in their own order."""
    chosen = rng.sample(range(len(rows)), min(count, len(rows)))
    return [rows[index] for index in sorted(chosen)]


def sample_by_hash(rows: Sequence[Row], count: int, seed: int, key: Callable[[Row], str]) -> list[Row]:
    """Return the `count` rows with the lowest hash of seed and key, in their own order; 0: all."""
    chosen = _hash_order(rows, seed, key)[: count or len(rows)]
    return [rows[index] for index in sorted(chosen)]


def sample_stratified(
    rows: Sequence[Row], count: int, seed: int, key: Callable[[Row], str], group: Callable[[Row], str]
) -> list[Row]:
    """Return `count` of `rows` by hash, in their own order, equally many from each group."""
    queues: dict[str, list[int]] = {group(row): [] for row in rows}
    for index in _hash_order(rows, seed, key):
        queues[group(rows[index])].append(index)
    turns = chain.from_iterable(zip_longest(*queues.values()))
    chosen = [index for index in turns if index is not None][:count]
    return [rows[index] for index in sorted(chosen)]


def _hash_order(rows: Sequence[Row], seed: int, key: Callable[[Row], str]) -> list[int]:
    def digest(index: int) -> tuple[str, int]:
        return hashlib.sha256(f"{seed}\x1f{key(rows[index])}".encode()).hexdigest(), index

    return sorted(range(len(rows)), key=digest)


def apportion(
    total: int, weights: Mapping[str, float], most: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Split `total` by weight into integers that sum to it, by largest remainder; ties go to the earlier.

    `most` caps each share; what one cannot take, the others share. The sum is smaller if all are full.
    """
    result = dict.fromkeys(weights, 0)
    eligible = [name for name in weights if weights[name] > 0 and (most is None or most[name] > 0)]
    while eligible and (left := total - sum(result.values())) > 0:
        weight_sum = sum(weights[name] for name in eligible)
        exact = {name: left * weights[name] / weight_sum for name in eligible}
        quotas = {name: int(share) for name, share in exact.items()}
        by_remainder = sorted(eligible, key=lambda name: quotas[name] - exact[name])
        for name in by_remainder[: left - sum(quotas.values())]:
            quotas[name] += 1
        for name, quota in quotas.items():
            result[name] += quota if most is None else min(quota, most[name] - result[name])
        eligible = [name for name in eligible if most is None or result[name] < most[name]]
    return result


def share_interval(share: float, n: float, z: float = Z) -> tuple[float, float]:
    """Return Wilson's interval of a share of `n` independent items, at 95 % unless `z` says another quantile.

    It holds at small n and near 0 and 1. Source: Wilson 1927, JASA 22:209.
    """
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))
