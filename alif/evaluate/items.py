"""A metric item by item: every value is a mean over groups of sum(amounts) / sum(sizes).

bits per byte    amounts = bits of each document, sizes = its bytes, groups = its source
exact match      amounts = 0 or 1 for each answer, sizes = 1, one group
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bootstrap", "Floats", "Items"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bootstrap:
    """Number of resamples and their seed."""

    resamples: int
    seed: int


@dataclass(frozen=True)
class Items:
    """Measurements of n items, arrays of shape (n,)."""

    amounts: Floats
    sizes: Floats
    groups: NDArray[np.int64]
    """Number of the group of each item, from 0."""

    @classmethod
    def of(
        cls,
        amounts: Sequence[float],
        sizes: Sequence[float] | None = None,
        groups: Sequence[str] | None = None,
    ) -> Items:
        """Build Items; without `sizes` each item counts once, without `groups` all are in one."""
        n = len(amounts)
        names = {name: number for number, name in enumerate(dict.fromkeys(groups or ()))}
        return cls(
            np.asarray(amounts, dtype=np.float64),
            np.ones(n) if sizes is None else np.asarray(sizes, dtype=np.float64),
            np.asarray([names[name] for name in groups] if groups else [0] * n, dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.amounts)

    @property
    def value(self) -> float:
        """The mean over groups of sum(amounts) / sum(sizes)."""
        return float(self.parts().sum())

    def parts(self) -> Floats:
        """Return the contribution of each item to the value, shape (n,)."""
        totals = np.bincount(self.groups, weights=self.sizes)
        return self.amounts / totals[self.groups] / len(totals)

    def minus(self, other: Items) -> Items:
        """Return the differences to `other`, which was measured on the same items."""
        if not (np.array_equal(self.sizes, other.sizes) and np.array_equal(self.groups, other.groups)):
            raise ValueError("two systems were measured on different items")
        return Items(self.amounts - other.amounts, self.sizes, self.groups)
