"""Agreement against scikit-learn, krippendorff and hand computations; corrected rates by simulation."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from alif.evaluate.agreement import (
    JudgeRates,
    calibrate_rates,
    cohen_kappa,
    correct_rate,
    gwet_ac1,
    krippendorff_alpha,
)

LABELS = ("won", "lost", "tie")


def draw(seed: int, n: int, agree: float = 0.6) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(seed)
    one = [LABELS[k] for k in random.choice(3, size=n, p=[0.6, 0.3, 0.1])]
    other = [label if random.random() < agree else LABELS[random.integers(3)] for label in one]
    return one, other


@pytest.mark.parametrize(("seed", "n"), [(1, 5), (2, 40), (3, 300)])
def test_kappa_equals_scikit_learn(seed: int, n: int) -> None:
    one, other = draw(seed, n)
    assert cohen_kappa(one, other) == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)


@pytest.mark.parametrize(("seed", "n"), [(4, 6), (5, 50), (6, 200)])
def test_alpha_equals_krippendorff(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    one, other = draw(seed, n)
    third = [None if random.random() < 0.3 else label for label in draw(seed + 1, n)[0]]
    codes = [
        [np.nan if label is None else LABELS.index(label) for label in row] for row in (one, other, third)
    ]
    wanted = krippendorff.alpha(reliability_data=codes, level_of_measurement="nominal")
    assert krippendorff_alpha([one, other, third]) == pytest.approx(wanted, abs=1e-12)


def test_alpha_by_the_published_example() -> None:
    """Krippendorff 2011, section C: four observers, twelve units, missing data: 0.743."""
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    assert krippendorff_alpha(rows) == pytest.approx(0.743, abs=5e-4)


def test_ac1_does_not_collapse_where_one_label_is_rare() -> None:
    """Gwet 2008: 118 of 125 agreed on "+", 5 and 2 disagreed: kappa is about 0, AC1 0.94."""
    one, other = ["+"] * 123 + ["-"] * 2, ["+"] * 118 + ["-"] * 5 + ["+"] * 2
    assert cohen_kappa(one, other) == pytest.approx(-0.0234, abs=1e-3)
    assert gwet_ac1(one, other) == pytest.approx(0.9408, abs=1e-3)
    # by hand: p = (123 + 120) / 250, chance 2p(1 - p)
    share = 243 / 250
    chance = 2 * share * (1 - share)
    assert gwet_ac1(one, other) == pytest.approx((118 / 125 - chance) / (1 - chance), abs=1e-12)
    assert gwet_ac1(one, other, labels=3) > gwet_ac1(one, other)


def test_all_equal_one_item_and_none() -> None:
    assert cohen_kappa(["won"] * 4, ["won"] * 4) is None
    assert krippendorff_alpha([["won"] * 4, ["won"] * 4]) is None
    assert gwet_ac1(["won"] * 4, ["won"] * 4) == 1
    assert cohen_kappa(["won"], ["lost"]) == 0
    assert gwet_ac1(["won"], ["lost"]) == pytest.approx(-1)
    assert krippendorff_alpha([["won"], ["lost"]]) == 0
    assert krippendorff_alpha([["won", None], [None, "lost"]]) is None
    assert krippendorff_alpha([]) is None
    for measure in (cohen_kappa, gwet_ac1):
        with pytest.raises(ValueError, match="same items"):
            measure([], [])
        with pytest.raises(ValueError, match="same items"):
            measure(["won"], [])


def test_alpha_of_two_complete_raters_is_near_fleiss_kappa() -> None:
    """They differ by the small-sample term (n - 1) alone. Source: Krippendorff 2011."""
    one, other = draw(7, 400)
    counts = np.array(
        [[(a == label) + (b == label) for label in LABELS] for a, b in zip(one, other, strict=True)]
    )
    alpha = krippendorff_alpha([one, other])
    assert alpha == pytest.approx(1 - (1 - fleiss_kappa(counts)) * (1 - 1 / 800), abs=1e-9)


def test_rates_are_counted_by_peoples_labels() -> None:
    rates = calibrate_rates([True, True, True, False, False], [True, True, False, True, False])
    assert rates == JudgeRates(good=3, passed_good=2, bad=2, refused_bad=1)
    assert (rates.sensitivity, rates.specificity) == (pytest.approx(2 / 3), 0.5)


@pytest.mark.parametrize(("good", "refused", "wanted"), [(95, 90, 0.771), (90, 70, 0.758), (95, 50, 0.567)])
def test_the_same_raw_rate_hides_different_truths(good: int, refused: int, wanted: float) -> None:
    """Evaluation notes, B.1: raw 75.5 % is 77.1, 75.8 or 56.7 % by the judge's errors."""
    found = correct_rate(755, 1000, JudgeRates(100, good, 100, refused))
    assert found is not None
    assert found.value == pytest.approx(wanted, abs=1e-3)
    assert 0 <= found.low < found.value < found.high <= 1


def test_the_interval_grows_with_the_doubt_about_the_judge() -> None:
    few, many = (correct_rate(600, 1000, JudgeRates(k, k * 9 // 10, k, k * 8 // 10)) for k in (20, 400))
    assert few
    assert many
    assert few.value == pytest.approx(many.value)
    assert few.high - few.low > 2 * (many.high - many.low)
    barely = correct_rate(50, 100, JudgeRates(10, 6, 10, 5))
    assert barely is not None
    assert (barely.low, barely.high) == (0, 1)


@pytest.mark.parametrize("rates", [JudgeRates(0, 0, 5, 5), JudgeRates(5, 5, 0, 0), JudgeRates(10, 5, 10, 5)])
def test_what_cannot_be_corrected_is_not(rates: JudgeRates) -> None:
    assert correct_rate(5, 10, rates) is None
    assert correct_rate(0, 0, JudgeRates(9, 8, 9, 8)) is None


def test_the_corrected_interval_covers() -> None:
    random = np.random.default_rng(8)
    hits = 0
    for _ in range(800):
        rates = JudgeRates(60, random.binomial(60, 0.9), 40, random.binomial(40, 0.7))
        found = correct_rate(random.binomial(300, 0.7 * 0.9 + 0.3 * 0.3), 300, rates)
        assert found is not None
        hits += found.low <= 0.7 <= found.high
    assert 0.93 <= hits / 800 <= 0.98


@pytest.mark.parametrize(("seed", "n"), [(14, 6), (15, 50), (16, 200)])
def test_ordinal_alpha_equals_krippendorff(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    codes = random.integers(4, size=(3, n)).astype(float)
    codes[1] = np.where(random.random(n) < 0.6, codes[0], codes[1])
    codes[2][random.random(n) < 0.3] = np.nan
    ratings = [[None if np.isnan(code) else int(code) for code in row] for row in codes]
    wanted = krippendorff.alpha(codes, level_of_measurement="ordinal", value_domain=[0, 1, 2, 3])
    assert krippendorff_alpha(ratings, (0, 1, 2, 3)) == pytest.approx(wanted, abs=1e-12)
