"""Run against run: the scores of the same items, kept one by one, make a paired test of two runs.

    runs/NAME/evaluate/SYSTEM/BENCHMARK/items.jsonl      one line of ItemValues a language: the main metric

Runs are paired on the items that both were asked in the same way. Runs of one recipe that differ by their
training seeds stand as one: each item counts with its mean over the seeds, so the interval is of the items
alone, and how far the seeds lie apart is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from alif import store
from alif.evaluate.benchmark import Benchmark
from alif.evaluate.compare import MetricValues, Pairing, compare_pairings
from alif.evaluate.stats import Bootstrap, Items
from alif.facts.evaluation_facts import Comparison
from alif.records import FrozenModel

__all__ = [
    "ITEMS", "ItemValues", "align_values", "compare_runs", "read_item_values", "write_item_values",
]  # fmt: skip

ITEMS = "items.jsonl"
Key = tuple[str, str, str]


class ItemValues(FrozenModel):
    """The main metric of one system on one benchmark, item by item."""

    benchmark: str
    metric: str
    language: str
    signature: str
    asked: str = ""
    """Digest of the items where their ids do not name their content: those of a [benchmark.NAME]."""
    share: bool = False
    lower_is_better: bool = False
    ids: tuple[str, ...]
    amounts: tuple[float, ...]
    sizes: tuple[float, ...]
    groups: tuple[int, ...]
    clusters: tuple[int, ...]

    @property
    def items(self) -> Items:
        return Items(
            np.asarray(self.amounts),
            np.asarray(self.sizes),
            np.asarray(self.groups, dtype=np.int64),
            np.asarray(self.clusters, dtype=np.int64),
        )


def write_item_values(folder: Path, benchmark: Benchmark, metrics: Sequence[MetricValues]) -> None:
    """Write the main metric of each language, which is the first of the benchmark as a whole."""
    main: dict[str, MetricValues] = {}
    for one in metrics:
        if "/" not in one.benchmark and len(one.ids) == len(one.items):
            main.setdefault(one.language, one)
    rows = (
        ItemValues(
            benchmark=one.benchmark,
            metric=one.metric,
            language=one.language,
            signature=one.signature,
            asked=benchmark.facts.digest if benchmark.facts.form else "",
            share=one.share,
            lower_is_better=one.lower_is_better,
            ids=tuple(one.ids),
            amounts=tuple(one.items.amounts.round(9).tolist()),
            sizes=tuple(one.items.sizes.tolist()),
            groups=tuple(one.items.groups.tolist()),
            clusters=tuple(one.items.clusters.tolist()),
        )
        for one in main.values()
    )
    store.write_rows(folder / ITEMS, rows)


def compare_runs(runs: Mapping[str, Sequence[Path]], bootstrap: Bootstrap) -> list[Comparison]:
    """Return the paired differences of each later entry from the first; all of them are one family.

    `runs` has by title the folder evaluate/SYSTEM of each run that it stands for: several are seeds of one.
    Benchmarks that were not asked alike are left out, as are runs without scores item by item.
    """
    values = {title: [read_item_values(folder) for folder in folders] for title, folders in runs.items()}
    (against, first), *later = values.items()
    family = f"all runs against {against}, the main metric of each benchmark"
    pairings = []
    for title, seeds in later:
        for key in first[0]:
            found = [one[key] for one in (*first, *seeds) if key in one]
            if len(found) == len(first) + len(seeds) and (aligned := align_values(found)):
                before, after = _mean(aligned[: len(first)]), _mean(aligned[len(first) :])
                pairings.append(Pairing(title, after, against, before, family))
    return compare_pairings(pairings, bootstrap)


def read_item_values(folder: Path) -> dict[Key, ItemValues]:
    """Return what a system's folder has item by item, by benchmark, metric and language."""
    rows = (one for path in sorted(folder.glob(f"*/{ITEMS}")) for one in store.read_models(path, ItemValues))
    return {(one.benchmark, one.metric, one.language): one for one in rows}


def align_values(values: Sequence[ItemValues]) -> list[MetricValues]:
    """Return what all have of the items that all were asked; nothing where they were not asked alike.

    Margin and chance are left out: they are about a run's own base.
    """
    first = values[0]
    shared = set(first.ids).intersection(*(one.ids for one in values[1:]))
    if not shared or len({(one.signature, one.asked) for one in values}) > 1:
        return []
    order = [id for id in first.ids if id in shared]
    items = first.items.select(np.array([id in shared for id in first.ids]))
    found = []
    for one in values:
        place = {id: number for number, id in enumerate(one.ids)}
        chosen = [place[id] for id in order]
        if not np.array_equal(one.items.sizes[chosen], items.sizes):
            return []
        part = replace(items, amounts=one.items.amounts[chosen])
        found.append(
            MetricValues(
                one.benchmark,
                one.metric,
                one.language,
                part,
                one.signature,
                lower_is_better=one.lower_is_better,
                share=one.share,
            )
        )
    return found


def _mean(seeds: Sequence[MetricValues]) -> MetricValues:
    """Return the mean over seeds of each item; of several it is no share of 0 and 1 any more."""
    amounts = np.mean([one.items.amounts for one in seeds], axis=0)
    items = replace(seeds[0].items, amounts=amounts)
    return replace(seeds[0], items=items, share=seeds[0].share and len(seeds) == 1)
