"""The siblings' scores item by item, each metric on the items that all of them were asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean

from alif import store
from alif.ablate.grid import GridRun
from alif.ablate.study import Study, show_value
from alif.evaluate import heldout
from alif.evaluate.compare import MetricValues
from alif.evaluate.run_comparison import align_values, read_item_values
from alif.records import Score
from alif.settings import Recipe

__all__ = ["AlignedMetric", "Key", "MeasuredItems", "choose_tuned", "describe_tuning", "measured_system"]

Key = tuple[str, str, str]
"""Benchmark, metric and language."""


def measured_system(recipe: Recipe) -> str:
    """Return the system by which a sibling is judged: what would be exported, or the last merged model."""
    return recipe.export.stage or [*recipe.stages(), *recipe.merge.pairs()][-1]


def choose_tuned(study: Study, siblings: Sequence[GridRun], language: str) -> list[GridRun]:
    """Return those siblings whose tuned settings are the best of their point, by their held-out rows."""
    if not study.tune:
        return list(siblings)
    bits: dict[str, dict[str, list[float]]] = {}
    for one in siblings:
        for score in store.read_models(one.run.folder("evaluate") / "scores.jsonl", Score):
            key = (score.stage, score.benchmark, score.language)
            if key == (measured_system(one.recipe), heldout.ANSWERS, language):
                bits.setdefault(one.point, {}).setdefault(describe_tuning(study, one), []).append(score.value)
    best = {point: min(found, key=lambda name: fmean(found[name])) for point, found in bits.items()}
    return [one for one in siblings if describe_tuning(study, one) == best.get(one.point)]


def describe_tuning(study: Study, sibling: GridRun) -> str:
    """Return the tuned settings of a sibling: "pretrain.lr 0.002"."""
    return ", ".join(f"{key} {show_value(sibling.settings[key])}" for key in study.tune)


@dataclass(frozen=True)
class AlignedMetric:
    """One metric of the base and of all points on the same items."""

    base: MetricValues | None
    points: Mapping[str, Mapping[int, MetricValues]]
    """By label and seed."""


class MeasuredItems:
    """The main metrics of siblings that are measured, and of their base."""

    def __init__(self, siblings: Sequence[GridRun]) -> None:
        self._siblings = siblings
        folders = [one.run.folder("evaluate") / measured_system(one.recipe) for one in siblings]
        self._values = [read_item_values(folder) for folder in folders]
        self._base = read_item_values(folders[0].parent / "base") if folders else {}

    def metrics(self) -> list[Key]:
        """Return the metrics of any sibling, in the order in which they were written."""
        return list(dict.fromkeys(chain.from_iterable(self._values)))

    def align(self, key: Key) -> AlignedMetric:
        """Return one metric on the items that all siblings were asked; no points where not asked alike."""
        every = zip(self._siblings, self._values, strict=True)
        having = [(one, values[key]) for one, values in every if key in values]
        if not having:
            return AlignedMetric(None, {})
        with_base = [self._base[key]] if key in self._base else []
        found = align_values([*with_base, *(values for _, values in having)])
        points: dict[str, dict[int, MetricValues]] = {}
        for (sibling, _), values in zip(having, found[len(with_base) :], strict=False):
            points.setdefault(sibling.point, {})[sibling.seed] = values
        return AlignedMetric(found[0] if with_base and found else None, points)
