"""The win rate of one system over another by pairwise verdicts, with what sways a judge taken out.

    logit P(win) = b0 + b1·position + b2·tanh(length difference / its spread) + b3·Markdown difference

The controlled rate is P(win) between answers of equal length and style, both orders alike: 1 / (1 +
exp(-b0)). Verdicts on one prompt are one cluster.

Source: length control, AlpacaEval-LC, arXiv 2404.04475 (its weights hold the difficulty of its own English
prompts, so ours are fitted on the verdicts at hand); style control, LMSYS 2024 (arena-hard).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import t

from alif.evaluate.stats import LEVEL
from alif.language.markdown import count_markdown
from alif.language.pack import Pack
from alif.language.text import split_words

__all__ = ["AnswerStyle", "ControlledWinRate", "PairwiseVerdict", "control_win_rate", "measure_style"]

MAX_NEWTON_STEPS, TOLERANCE = 100, 1e-10
MAX_STEP = 2.0
"""Largest change of a coefficient in one Newton step."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AnswerStyle:
    """What a judge may prefer whatever an answer says."""

    words: int
    marks: int = 0
    """List items, headings, bold spans and table rows."""


def measure_style(answer: str, pack: Pack) -> AnswerStyle:
    """Measure an answer: its words by the pack, because bytes and characters differ between scripts."""
    return AnswerStyle(len(split_words(answer, pack)), count_markdown(answer))


@dataclass(frozen=True)
class PairwiseVerdict:
    """A judge's verdict on two answers in one order."""

    prompt: str
    own_first: bool
    """Whether the system's answer was shown before the other's."""
    outcome: float
    """1 the system won, 0 it lost, 0.5 a tie."""
    own: AnswerStyle
    other: AnswerStyle


@dataclass(frozen=True)
class ControlledWinRate:
    """The win rate between answers of equal length and style, and what sways the judge, in log-odds."""

    value: float
    low: float
    high: float
    prompts: int
    raw: float
    """The mean of the verdicts as they are, both orders."""
    position: float
    """How much better an answer does where it is shown first than second."""
    length: float
    """How much better an answer does that is longer by the spread of the differences; 0: all are equal."""
    marks: float
    """How much better an answer with Markdown does than one without; 0: all are equal."""


def control_win_rate(verdicts: Sequence[PairwiseVerdict]) -> ControlledWinRate | None:
    """Return the controlled win rate.

    None where it cannot be told: too few prompts for the coefficients, one order alone, or one answer always
    longer by the same.
    """
    if not verdicts:
        return None
    prompts = {name: number for number, name in enumerate(dict.fromkeys(one.prompt for one in verdicts))}
    clusters = np.asarray([prompts[one.prompt] for one in verdicts])
    outcomes = np.asarray([one.outcome for one in verdicts], dtype=np.float64)
    columns = {
        "position": np.asarray([1.0 if one.own_first else -1.0 for one in verdicts]),
        "length": _length_differences(verdicts),
        "marks": np.asarray(
            [(one.own.marks - one.other.marks) / max(1, one.own.marks + one.other.marks) for one in verdicts]
        ),
    }
    used = [name for name in columns if columns[name].any()]
    features = np.column_stack([np.ones(len(verdicts)), *(columns[name] for name in used)])
    freedom = len(prompts) - features.shape[1]
    if freedom < 1 or np.linalg.matrix_rank(features) < features.shape[1]:
        return None
    coefficients = fit_logistic(features, outcomes)
    error = float(np.sqrt(_clustered_covariance(features, outcomes, coefficients, clusters)[0, 0]))
    half = float(t.ppf((1 + LEVEL) / 2, freedom)) * error
    value, low, high = (float(expit(coefficients[0] + end)) for end in (0.0, -half, half))
    swayed = dict(zip(used, map(float, coefficients[1:]), strict=True))
    return ControlledWinRate(
        value=value,
        low=low,
        high=high,
        prompts=len(prompts),
        raw=float(outcomes.mean()),
        position=2 * swayed.get("position", 0.0),
        length=float(np.tanh(1)) * swayed.get("length", 0.0),
        marks=swayed.get("marks", 0.0),
    )


def _length_differences(verdicts: Sequence[PairwiseVerdict]) -> Floats:
    words = np.asarray([one.own.words - one.other.words for one in verdicts], dtype=np.float64)
    spread = float(words.std())
    return np.tanh(words / spread) if spread else words


def fit_logistic(features: Floats, outcomes: Floats) -> Floats:
    """Return the coefficients of a logistic regression, (columns,), by Newton's method.

    Outcomes are 0..1. Firth's penalty keeps them finite where one system wins always; without other columns
    it is half a win and half a loss more.

    Source: Firth 1993, Biometrika 80:27; Heinze & Schemper 2002, Statistics in Medicine 21:2409.
    """
    found: Floats = np.zeros(features.shape[1])
    for _ in range(MAX_NEWTON_STEPS):
        share = expit(features @ found)
        weighted = features * (share * (1 - share))[:, None]
        information = features.T @ weighted
        leverage = np.einsum("ij,ij->i", weighted, np.linalg.solve(information, features.T).T)
        step = np.linalg.solve(information, features.T @ (outcomes - share + leverage * (0.5 - share)))
        found = found + step * min(1.0, MAX_STEP / max(float(np.abs(step).max()), TOLERANCE))
        if float(np.abs(step).max()) < TOLERANCE:
            break
    return found


def _clustered_covariance(
    features: Floats, outcomes: Floats, found: Floats, clusters: NDArray[np.int64]
) -> Floats:
    """Return the covariance of the coefficients where verdicts on one prompt depend on each other.

    Source: Liang & Zeger 1986, Biometrika 73:13; small samples: Cameron & Miller 2015, equation 12.
    """
    share = expit(features @ found)
    bread = np.linalg.inv(features.T @ (features * (share * (1 - share))[:, None]))
    scores = np.zeros((int(clusters.max()) + 1, features.shape[1]))
    np.add.at(scores, clusters, features * (outcomes - share)[:, None])
    n, columns = features.shape
    small = len(scores) / (len(scores) - 1) * (n - 1) / (n - columns)
    return np.asarray(small * bread @ (scores.T @ scores) @ bread)
