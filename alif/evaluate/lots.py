"""Drawing by lot: which rows are measured where a recipe asks for fewer than there are.

A row's lot is a hash of the seed and of its id, so that it does not depend on the order of a file or on its neighbours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["sample_items", "sample_stratified"]

Row = TypeVar("Row")


def _lot(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}\x1f{name}".encode()).hexdigest()


def sample_items(rows: Sequence[Row], n: int, seed: int, name: Callable[[Row], str]) -> list[Row]:
    """Return n of `rows` in their order; 0: all."""
    if not n or n >= len(rows):
        return list(rows)
    chosen = sorted(range(len(rows)), key=lambda index: (_lot(seed, name(rows[index])), index))[:n]
    return [rows[index] for index in sorted(chosen)]


def sample_stratified(
    rows: Sequence[Row], n: int, seed: int, name: Callable[[Row], str], group: Callable[[Row], str]
) -> list[Row]:
    """Return n of `rows` in their order, as many from each group as there are, give or take one."""
    waiting: dict[str, list[int]] = {}
    for index in sorted(range(len(rows)), key=lambda index: (_lot(seed, name(rows[index])), index)):
        waiting.setdefault(group(rows[index]), []).append(index)
    queues = [waiting[key] for key in dict.fromkeys(map(group, rows))]
    turns = [
        queue[turn]
        for turn in range(max(map(len, queues), default=0))
        for queue in queues
        if turn < len(queue)
    ]
    return [rows[index] for index in sorted(turns[:n])]
