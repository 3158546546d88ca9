from __future__ import annotations

from alif.student.batching import split_batches

LENGTHS = [9, 4, 4, 3, 1]


def test_each_batch_is_as_long_as_it_fits_and_nothing_is_left_out():
    most_eight = split_batches(range(5), lambda some: sum(LENGTHS[index] for index in some) <= 8)
    assert list(most_eight) == [[0], [1, 2], [3, 4]]  # the first fits nowhere and is alone
    assert list(split_batches((4, 2, 0), lambda some: True)) == [[4, 2, 0]]
    assert list(split_batches((), lambda some: True)) == []
