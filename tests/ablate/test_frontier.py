"""The frontier and the choice, resample by resample."""

from __future__ import annotations

import numpy as np
import pytest

from alif.ablate.frontier import choose_point, frontier_shares


def arrays(**values: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(one) for name, one in values.items()}


def test_a_point_is_on_the_frontier_in_the_draws_in_which_none_dominates_it() -> None:
    gained = arrays(a=[1, 1, 1, 1], b=[2, 2, 0, 1], c=[0, 0, 0, 0])
    kept = arrays(a=[5, 5, 5, 5], b=[4, 6, 4, 5], c=[6, 4, 4, 9])
    assert frontier_shares(gained, kept) == {"a": 0.75, "b": 0.75, "c": 0.5}


def test_the_best_has_the_most_gained_of_those_that_keep_the_source_language() -> None:
    gained, kept = arrays(a=[1, 1], b=[2, 2], c=[3, 3]), arrays(a=[0, 0], b=[-0.1, -0.3], c=[-1, -1])
    found = choose_point(gained, kept, margin=0.2)
    assert found.probability == {"a": 0.5, "b": 0.5, "c": 0.0}
    assert found.within_margin
    assert not found.sure
    assert choose_point(gained, kept, margin=2).best == "c"
    assert choose_point(gained, kept, margin=2).sure


def test_where_no_point_keeps_it_the_sum_of_both_decides() -> None:
    gained, kept = arrays(a=[1, 1], b=[2, 2]), arrays(a=[-1, -1], b=[-1.5, -2.5])
    found = choose_point(gained, kept, margin=0.2)
    assert not found.within_margin
    assert found.probability == {"a": 0.5, "b": 0.5}


def test_in_a_draw_in_which_none_keeps_it_the_least_lost_is_the_best() -> None:
    gained, kept = arrays(a=[1, 1, 1], b=[2, 2, 2]), arrays(a=[0, 0, -0.5], b=[-1, -1, -0.9])
    assert choose_point(gained, kept, margin=0.2).probability == pytest.approx({"a": 1, "b": 0})
