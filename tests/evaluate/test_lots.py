"""Lots: seeded, in order, fair to the groups."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from alif.evaluate import lots

ROWS = [f"{task}{number}" for task, count in (("a", 9), ("b", 2), ("c", 5)) for number in range(count)]


def test_spread_takes_alike_from_each_group_until_it_is_empty() -> None:
    found = lots.sample_stratified(ROWS, 10, 1, str, lambda row: row[0])
    assert Counter(row[0] for row in found) == {"a": 4, "b": 2, "c": 4}
    assert found == sorted(found)
    assert lots.sample_stratified(ROWS, 99, 1, str, lambda row: row[0]) == ROWS


@given(st.permutations(ROWS), st.integers(0, 20), st.integers(0, 9))
def test_a_lot_does_not_depend_on_the_order(rows: list[str], n: int, seed: int) -> None:
    found = lots.sample_items(rows, n, seed, str)
    assert sorted(found) == sorted(lots.sample_items(ROWS, n, seed, str))
    assert found == [row for row in rows if row in found]
    assert len(found) == (min(n, 16) or 16)
