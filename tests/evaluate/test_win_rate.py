"""The controlled win rate: against statsmodels, where one side wins always, and where a judge is biased."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from alif.evaluate.win_rate import (
    AnswerStyle,
    PairwiseVerdict,
    _clustered_covariance,
    control_win_rate,
    fit_logistic,
    measure_style,
)
from alif.language.pack import load_pack

SAME = AnswerStyle(40)


def judge_pairs(prompts: int, seed: int, better: float = 0.0, marks: float = 0.0) -> list[PairwiseVerdict]:
    """Verdicts of a judge that prefers what is first, longer and marked; the system is longer by 30 words."""
    random = np.random.default_rng(seed)
    found = []
    for prompt in range(prompts):
        own = AnswerStyle(int(random.normal(130, 40)), int(random.poisson(2)))
        other = AnswerStyle(int(random.normal(100, 40)), int(random.poisson(1)))
        taste = random.normal(better, 0.5)
        for first in (True, False):
            odds = taste + 0.012 * (own.words - other.words) + (0.5 if first else -0.5)
            odds += marks * (own.marks - other.marks) / max(1, own.marks + other.marks)
            won = float(random.random() < 1 / (1 + np.exp(-odds)))
            found.append(PairwiseVerdict(str(prompt), first, won, own, other))
    return found


def test_alone_the_intercept_is_half_a_win_more() -> None:
    ones = np.ones((10, 1))
    for wins in (0, 3, 10):
        (found,) = fit_logistic(ones, np.asarray([1.0] * wins + [0.0] * (10 - wins)))
        assert 1 / (1 + np.exp(-found)) == pytest.approx((wins + 0.5) / 11, abs=1e-9)


def test_coefficients_equal_statsmodels() -> None:
    """Firth's estimate is the plain one of rows that are split by their leverage."""
    random = np.random.default_rng(1)
    features = np.column_stack([np.ones(80), random.normal(size=(80, 3))])
    outcomes = (random.random(80) < 0.6).astype(float)
    found = fit_logistic(features, outcomes)
    share = 1 / (1 + np.exp(-features @ found))
    weights = share * (1 - share)
    hat = weights * np.einsum(
        "ij,jk,ik->i", features, np.linalg.inv(features.T @ (features * weights[:, None])), features
    )
    split = sm.GLM(
        (outcomes + hat / 2) / (1 + hat), features, family=sm.families.Binomial(), var_weights=1 + hat
    )
    assert found == pytest.approx(split.fit(tol=1e-14).params, abs=1e-9)


def test_the_clustered_covariance_equals_statsmodels() -> None:
    random = np.random.default_rng(2)
    features = np.column_stack([np.ones(60), random.normal(size=(60, 2))])
    outcomes, clusters = (random.random(60) < 0.5).astype(float), np.repeat(np.arange(20), 3)
    fitted = sm.GLM(outcomes, features, family=sm.families.Binomial()).fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": True}
    )
    ours = _clustered_covariance(features, outcomes, fitted.params, clusters)
    assert np.sqrt(np.diag(ours)) == pytest.approx(fitted.bse, rel=1e-9)


def test_equal_systems_are_equal_where_one_order_says_otherwise() -> None:
    verdicts = judge_pairs(600, seed=3, marks=0.8)
    first = np.mean([one.outcome for one in verdicts if one.own_first])
    found = control_win_rate(verdicts)
    assert found is not None
    assert first > 0.65
    assert found.raw > 0.55
    assert found.low < 0.5 < found.high
    assert found.value == pytest.approx(0.5, abs=0.05)
    assert found.position == pytest.approx(1.0, abs=0.3)
    assert found.length > 0.3
    assert found.marks > 0.4


def test_a_better_system_stays_better() -> None:
    found = control_win_rate(judge_pairs(600, seed=4, better=1.0))
    assert found is not None
    assert found.low > 0.6


def test_verdicts_on_one_prompt_are_one_cluster() -> None:
    once = judge_pairs(80, seed=5)
    found, doubled = control_win_rate(once), control_win_rate([*once, *once])
    assert found is not None
    assert doubled is not None
    assert doubled.value == pytest.approx(found.value, abs=0.02)
    assert doubled.high - doubled.low > 0.9 * (found.high - found.low)


def both(outcomes: list[float], own: AnswerStyle = SAME) -> list[PairwiseVerdict]:
    return [
        PairwiseVerdict(str(n), first, value, own, SAME)
        for n, value in enumerate(outcomes)
        for first in (True, False)
    ]


def test_always_won_and_always_tied() -> None:
    won, tied = control_win_rate(both([1.0] * 40)), control_win_rate(both([0.5] * 40))
    assert won is not None
    assert tied is not None
    assert 0.95 < won.value < 1
    assert (tied.value, tied.position) == (pytest.approx(0.5), pytest.approx(0))


def test_what_cannot_be_told_is_not() -> None:
    assert control_win_rate([]) is None
    assert control_win_rate(both([1.0])) is None
    assert control_win_rate([one for one in both([1.0, 0.0] * 9) if one.own_first]) is None
    assert control_win_rate(both([1.0, 0.0] * 9, own=AnswerStyle(90))) is None


def test_length_is_in_words_of_the_pack() -> None:
    assert measure_style("۱۔ دودھ، انڈے۔\n- **چینی**", load_pack("ur")) == AnswerStyle(words=4, marks=3)
