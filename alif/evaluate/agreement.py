"""How far a judge agrees with people, and what its rate becomes when its known errors are taken out.

    cohen_kappa, gwet_ac1       two raters, the same items
    krippendorff_alpha          any number of raters, who may have left items out
    calibrate_rates             sensitivity and specificity, by people's labels
    correct_rate                (p + specificity - 1) / (sensitivity + specificity - 1), with its interval

Labels are nominal: "won", "lost", "tie". Kappa and alpha are None where chance alone would agree on every
item, because all labels are the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from alif.evaluate.stats import Estimate, Z

__all__ = [
    "JudgeRates", "calibrate_rates", "cohen_kappa", "correct_rate", "gwet_ac1", "krippendorff_alpha",
]  # fmt: skip


def cohen_kappa(one: Sequence[Hashable], other: Sequence[Hashable]) -> float | None:
    """Return the agreement of two raters beyond that of their own label shares by chance, at most 1.

    Source: Cohen 1960, Educational and Psychological Measurement 20:37.
    """
    observed, n = _observed_agreement(one, other), len(one)
    shares, other_shares = Counter(one), Counter(other)
    expected = sum(shares[label] * other_shares[label] for label in shares) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def gwet_ac1(one: Sequence[Hashable], other: Sequence[Hashable], labels: int = 0) -> float:
    """Return the agreement of two raters beyond chance, which does not collapse where one label is rare.

    Args:
        one: labels of the first rater.
        other: labels of the second, on the same items.
        labels: how many labels there are to choose from; 0: as many as were given.

    Source: Gwet 2008, British Journal of Mathematical and Statistical Psychology 61:29.
    """
    observed, n = _observed_agreement(one, other), len(one)
    counts = Counter([*one, *other])
    most = max(labels, len(counts), 2)
    expected = sum(count / (2 * n) * (1 - count / (2 * n)) for count in counts.values()) / (most - 1)
    return (observed - expected) / (1 - expected)


def _observed_agreement(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    if len(one) != len(other) or not one:
        raise ValueError(f"two raters need the same items, and at least one: {len(one)} and {len(other)}")
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def krippendorff_alpha(
    ratings: Sequence[Sequence[Hashable | None]], order: Sequence[Hashable] = ()
) -> float | None:
    """Return the agreement beyond chance of raters; None: this rater left the item out.

    `ratings` has a row for each rater and a column for each item. None too where no item has two labels.
    Labels are nominal, or ordinal where all of them are given in their `order`.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, University of Pennsylvania.
    """
    items = [Counter(label for label in labels if label is not None) for labels in zip(*ratings, strict=True)]
    items = [counts for counts in items if counts.total() > 1]
    totals = sum(items, Counter[Hashable]())
    places = {label: place for place, label in enumerate(order)}

    def distance(one: Hashable, other: Hashable) -> float:
        if not order:
            return float(one != other)
        first, last = sorted((places[one], places[other]))
        between = sum(totals[label] for label in order[first : last + 1])
        return (between - (totals[one] + totals[other]) / 2) ** 2

    far = {(one, other): distance(one, other) for one in totals for other in totals if one != other}

    def spread(counts: Counter[Hashable]) -> float:
        return sum(
            counts[one] * counts[other] * far[one, other]
            for one in counts
            for other in counts
            if one != other
        )

    disagreeing = sum(spread(counts) / (counts.total() - 1) for counts in items)
    expected = spread(totals)
    return 1 - (totals.total() - 1) * disagreeing / expected if expected else None


@dataclass(frozen=True)
class JudgeRates:
    """How often a judge is right, counted on answers that people have labelled."""

    good: int
    """Answers that are good by people's labels, and how many of them the judge passed."""
    passed_good: int
    bad: int
    """Answers that are bad, and how many of them the judge refused."""
    refused_bad: int

    @property
    def sensitivity(self) -> float:
        return self.passed_good / self.good

    @property
    def specificity(self) -> float:
        return self.refused_bad / self.bad


def calibrate_rates(people: Sequence[bool], judge: Sequence[bool]) -> JudgeRates:
    """Count the judge's right and wrong verdicts on the answers that people have labelled."""
    pairs = Counter(zip(people, judge, strict=True))
    return JudgeRates(
        good=pairs[True, True] + pairs[True, False],
        passed_good=pairs[True, True],
        bad=pairs[False, True] + pairs[False, False],
        refused_bad=pairs[False, False],
    )


def correct_rate(passed: int, n: int, rates: JudgeRates) -> Estimate | None:
    """Return the share of good answers behind a judge that passed `passed` of `n`, with its interval.

    The interval covers both samples: the answers that were judged, and those by which people found the
    judge's errors. It is the set of shares that these counts do not contradict (Fieller): all of 0..1 where
    the judge hardly tells good from bad. None where nothing can be corrected: people labelled no good or no
    bad answer, or the judge is no better than a coin.

    Source: Lee et al. 2025, arXiv 2511.21140 (estimate and added counts); Rogan & Gladen 1978; Fieller 1954,
    whose set covers 94 % and more where their interval covers 92 %: benchmarks/statistics.py.
    """
    if not n or not rates.good or not rates.bad or rates.sensitivity + rates.specificity <= 1:
        return None
    share = (passed / n + rates.specificity - 1) / (rates.sensitivity + rates.specificity - 1)
    value = min(1.0, max(0.0, share))
    seen = (passed + Z**2 / 2) / (n + Z**2)
    right, refused = (rates.passed_good + 1) / (rates.good + 2), (rates.refused_bad + 1) / (rates.bad + 2)
    noise = seen * (1 - seen) / (n + Z**2)
    good_noise, bad_noise = right * (1 - right) / (rates.good + 2), refused * (1 - refused) / (rates.bad + 2)
    # (seen - θ·right - (1 - θ)·(1 - refused))² <= Z²·variance is a·θ² + b·θ + c <= 0
    slope, offset = right + refused - 1, seen + refused - 1
    a = slope**2 - Z**2 * (good_noise + bad_noise)
    b = 2 * (Z**2 * bad_noise - offset * slope)
    c = offset**2 - Z**2 * (noise + bad_noise)
    if a <= 0 or slope <= 0:
        return Estimate(value, 0.0, 1.0, n)
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    low, high = (-b - root) / (2 * a), (-b + root) / (2 * a)
    return Estimate(value, min(value, max(0.0, low)), max(value, min(1.0, high)), n)
