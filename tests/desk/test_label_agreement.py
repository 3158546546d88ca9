"""Agreement equals what other packages compute, in the edge cases too."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from alif.desk.label_agreement import measure_labels

GRADES = ("accept", "minor", "major", "unusable")


def draw(n: int, seed: int) -> tuple[list[dict[str, str]], np.ndarray]:
    """Three people, of whom one left some things out; and the same as codes."""
    random = np.random.default_rng(seed)
    first = random.integers(4, size=n)
    codes = np.stack([np.where(random.random(n) < 0.7, first, random.integers(4, size=n)) for _ in range(3)])
    codes = codes.astype(float)
    codes[2][random.random(n) < 0.4] = np.nan
    things = [
        {name: GRADES[int(code)] for name, code in zip("abc", column, strict=True) if not np.isnan(code)}
        for column in codes.T
    ]
    return things, codes


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_alpha_and_kappa_equal_the_oracles(seed: int) -> None:
    things, codes = draw(60, seed)
    for ordinal, level in ((False, "nominal"), (True, "ordinal")):
        found = measure_labels(things, GRADES, ordinal=ordinal)
        wanted = krippendorff.alpha(codes, level_of_measurement=level, value_domain=[0, 1, 2, 3])
        assert found.alpha == pytest.approx(wanted, abs=1e-9)
    kappa = cohen_kappa_score(codes[0].astype(int), codes[1].astype(int))
    assert found.kappa["a, b"] == pytest.approx(kappa, abs=1e-9)
    assert sum(found.shares.values()) == pytest.approx(1)


def test_intervals_lie_around_the_values_and_few_things_have_none() -> None:
    things, _ = draw(60, 4)
    found = measure_labels(things, GRADES, intervals=True)
    for value, ends in ((found.alpha, found.alpha_ends), (found.ac1, found.ac1_ends)):
        assert value is not None
        assert ends is not None
        assert ends[0] < value < ends[1]
    assert measure_labels(things[:5], GRADES, intervals=True).alpha_ends is None


def test_where_all_labels_are_the_same_alpha_is_undefined_and_without_pairs_nothing_is_measured() -> None:
    found = measure_labels([{"a": "accept", "b": "accept"}] * 20, GRADES, intervals=True)
    assert (found.raw, found.alpha, found.alpha_ends, found.ac1) == (1.0, None, None, 1.0)
    assert measure_labels([{"a": "accept"}], GRADES).raw is None


def test_where_most_is_accepted_kappa_is_low_and_ac1_is_not() -> None:
    """At 90 % approval and 88 % raw agreement kappa is 0.33 and AC1 0.85: docs/decisions/012."""
    table = {("accept", "accept"): 84, ("accept", "major"): 6, ("major", "accept"): 6, ("major", "major"): 4}
    things = [{"a": one, "b": other} for (one, other), count in table.items() for _ in range(count)]
    found = measure_labels(things, ("accept", "major"))
    assert found.raw == pytest.approx(0.88)
    assert found.kappa["a, b"] == pytest.approx(0.333, abs=1e-3)
    assert found.ac1 == pytest.approx(0.854, abs=1e-3)
