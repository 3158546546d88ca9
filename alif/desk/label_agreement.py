"""How far people agree who labelled the same things: one number misleads, so several are told together."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from alif.evaluate.agreement import cohen_kappa, gwet_ac1, krippendorff_alpha
from alif.records import FrozenModel

__all__ = ["Agreement", "measure_labels"]

RESAMPLES, SEED = 200, 3407
"""Of the intervals, over things."""
LEAST = 10
"""Things of which an interval is told."""

Ends = tuple[float, float]


class Agreement(FrozenModel):
    """How far people agree; None: nothing to measure."""

    rows: int = 0
    """With two labels or more."""
    raw: float | None = None
    """Share of pairs of labels on one thing that are the same."""
    alpha: float | None = None
    """Krippendorff's; None too where all labels are the same."""
    alpha_ends: Ends | None = None
    ac1: float | None = None
    """Gwet's, of the first two labels on each thing."""
    ac1_ends: Ends | None = None
    kappa: Mapping[str, float | None] = {}
    """Cohen's, of each two people who labelled the same things."""
    shares: Mapping[str, float] = {}
    """How often each label was given: agreement beyond chance is low where one is rare."""


def measure_labels(
    things: Sequence[Mapping[str, str]],
    labels: Sequence[str],
    *,
    ordinal: bool = False,
    intervals: bool = False,
) -> Agreement:
    """Return the agreement on things, each with its label by person; `labels` are all that may be given."""
    rows = [one for one in things if len(one) > 1]
    if not rows:
        return Agreement()
    people = sorted({name for row in rows for name in row})
    same = total = 0
    for row in rows:
        given = list(row.values())
        total += len(given) * (len(given) - 1)
        same += sum(given.count(one) - 1 for one in given)
    kappa = {}
    for one, other in itertools.combinations(people, 2):
        if both := [row for row in rows if one in row and other in row]:
            kappa[f"{one}, {other}"] = cohen_kappa([row[one] for row in both], [row[other] for row in both])
    counts = Counter(label for row in rows for label in row.values())

    def alpha(some: Sequence[Mapping[str, str]]) -> float | None:
        table = [[row.get(name) for row in some] for name in people]
        return krippendorff_alpha(table, labels if ordinal else ())

    def ac1(some: Sequence[Mapping[str, str]]) -> float:
        pairs = [list(row.values())[:2] for row in some]
        return gwet_ac1([one for one, _ in pairs], [other for _, other in pairs], len(labels))

    return Agreement(
        rows=len(rows),
        raw=same / total,
        alpha=alpha(rows),
        alpha_ends=resample_ends(rows, alpha) if intervals else None,
        ac1=ac1(rows),
        ac1_ends=resample_ends(rows, ac1) if intervals else None,
        kappa=kappa,
        shares={label: counts[label] / counts.total() for label in labels},
    )


def resample_ends(
    rows: Sequence[Mapping[str, str]], measure: Callable[[Sequence[Mapping[str, str]]], float | None]
) -> Ends | None:
    """Return the bootstrap interval of a measure over things; None of few, or where it is often undefined."""
    if len(rows) < LEAST:
        return None
    random = np.random.default_rng(SEED)
    draws = random.integers(len(rows), size=(RESAMPLES, len(rows)))
    found = [value for draw in draws if (value := measure([rows[place] for place in draw])) is not None]
    if len(found) < RESAMPLES / 2:
        return None
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
