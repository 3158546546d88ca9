from __future__ import annotations

import numpy as np
import pytest

from alif.settings import Pretrain
from alif.train.replay_order import measure_ends, order_by_share


def order(taught, replayed, **keys):
    """Return the order of `taught` rows and `replayed` ones behind them, and which of it are replayed."""
    is_replay = np.arange(taught + replayed) >= taught
    found = order_by_share(is_replay, Pretrain(**keys))
    return found, is_replay[found]


@pytest.mark.parametrize(("start", "end"), [(0.5, 0.1), (0.1, 0.5), (0.6, 0.0), (0.0, 0.6), (0.3, 0.3)])
def test_the_share_goes_evenly_from_one_end_to_the_other(start, end):
    _, is_replay = order(700, 300, replay=start, replay_end=end)
    tenths = [float(part.mean()) for part in np.split(is_replay, 10)]
    expected = [start + (end - start) * (n + 0.5) / 10 for n in range(10)]
    np.testing.assert_allclose(tenths, expected, atol=0.02)
    assert int(is_replay.sum()) == 300


@pytest.mark.parametrize("epochs", [0.5, 1, 2, 2.5])
def test_each_row_is_read_as_often_as_without(epochs):
    found, is_replay = order(60, 20, replay=0.4, replay_end=0.1, epochs=epochs)
    counts = np.bincount(found, minlength=80)
    assert counts.min() >= int(epochs)
    assert counts.max() <= -(-epochs // 1)
    assert int(is_replay.sum()) == round(20 * epochs)
    assert len(found) == round(80 * epochs)
    first, last = measure_ends(is_replay, np.full(len(found), 10))
    assert first > 0.3  # over all epochs together
    assert last < 0.2


def test_the_same_seed_is_the_same_order_and_another_is_another():
    one, _ = order(30, 10, replay=0.4, replay_end=0.1, seed=1)
    again, _ = order(30, 10, replay=0.4, replay_end=0.1, seed=1)
    other, _ = order(30, 10, replay=0.4, replay_end=0.1, seed=2)
    assert one.tolist() == again.tolist() != other.tolist()


def test_nothing_to_replay_is_a_shuffle():
    found, is_replay = order(9, 0, replay=0.4, replay_end=0.1)
    assert sorted(found) == list(range(9))
    assert not is_replay.any()
    assert len(order(9, 3, replay=0.4, replay_end=0.1, epochs=0)[0]) == 0


def test_the_ends_are_measured_in_tokens():
    is_replay = np.array([True, False] + [False] * 17 + [True])
    used = np.array([30, 10] + [1] * 17 + [5])
    assert measure_ends(is_replay, used) == (0.75, 5 / 6)
