"""The order of stage 1's rows where the share of replay changes: `pretrain.replay` to `pretrain.replay_end`.

    share    0.4  R T R T T R T T R T T T R T T T T T T R    0.1        T taught, R replayed

A row is all of one kind. Each kind is shuffled epoch by epoch as `packing.sample_order` does, and the two are
merged so that the share changes evenly over the whole stage, all epochs together; how often each row is read
does not change.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from alif.settings import Pretrain
from alif.train.packing import sample_order

__all__ = ["measure_ends", "order_by_share"]

Order = npt.NDArray[np.int64]


def order_by_share(is_replay: npt.NDArray[np.bool_], pretrain: Pretrain) -> Order:
    """Return the order of rows of the whole stage; `is_replay` tells of each row which kind it is."""
    start, end = pretrain.replay, pretrain.replay if pretrain.replay_end is None else pretrain.replay_end
    orders, places = [], []
    for rows, first, last in ((~is_replay, 1 - start, 1 - end), (is_replay, start, end)):
        numbers = np.flatnonzero(rows)
        orders.append(numbers[sample_order(len(numbers), pretrain.epochs, pretrain.seed)])
        grid = np.linspace(0, 1, 1001)  # the density of places changes evenly from `first` to `last`
        below = first * grid + (last - first) * grid**2 / 2  # what it sums to up to there
        count = len(orders[-1])
        reached = (np.arange(count) + 0.5) / max(1, count) * below[-1]
        places.append(np.interp(reached, below, grid))
    return np.concatenate(orders)[np.argsort(np.concatenate(places), kind="stable")]


def measure_ends(is_replay: npt.NDArray[np.bool_], used: Order) -> tuple[float, float]:
    """Return the share of replayed tokens in the first and in the last tenth of rows in order."""
    tenth = -(-len(used) // 10)
    first, last = (
        float(used[part][is_replay[part]].sum() / max(1, used[part].sum()))
        for part in (slice(tenth), slice(len(used) - tenth, None))
    )
    return first, last
