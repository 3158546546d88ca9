"""Inputs that go through a model together, as many as fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["split_batches"]


def split_batches(order: Iterable[int], fits: Callable[[Sequence[int]], bool]) -> Iterator[list[int]]:
    """Yield the indices in `order` in runs as long as `fits` allows; an index that fits nowhere is alone."""
    batch: list[int] = []
    for index in order:
        if batch and not fits([*batch, index]):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
