"""The contamination card: benchmark items whose words stand in what was trained on, and scores without them.

An item is a hit where 8 or 13 of its words in a row (prompt, then right answer) stand in a training row or
document. 13 is GPT-3's and means a copy; 8 finds reworded ones too, and common phrases: read the evidence. A
prompt of fewer words is looked for as a whole: it is a hit where it is a training prompt or a line of a text.
The index is `dedup.overlap_index`, by which blend and corpus keep such rows out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from alif.dedup.overlap_index import NGRAMS, BenchmarkText, OverlapIndex, TrainingText
from alif.evaluate import paired_tests, stats
from alif.evaluate.benchmark import Benchmark
from alif.evaluate.compare import DIGITS, MetricValues, score_metric
from alif.evaluate.stats import Bootstrap
from alif.facts.contamination_facts import BenchmarkOverlap, ContaminationCard, ItemOverlap, ScoreWithoutHits
from alif.language.pack import Pack
from alif.runs.splits import read_trained_rows

__all__ = ["OverlapCount", "make_card", "read_training", "score_without_hits"]


def read_training(inputs: Mapping[str, Path]) -> Iterator[TrainingText]:
    """Yield the texts that the stages were trained on."""
    for step, row in read_trained_rows(inputs):
        yield TrainingText.of(row, step)


class OverlapCount:
    """The hits among the training texts that were read so far."""

    def __init__(self, index: OverlapIndex) -> None:
        self._index = index
        self._found: dict[tuple[int, int], ItemOverlap] = {}

    def read(self, trained: TrainingText) -> None:
        """Look for every item in a training text."""
        for (number, n), evidence in self._index.shared_words(trained).items():
            item, earlier = self._index.items[number], self._found.get((number, n))
            self._found[number, n] = ItemOverlap(
                benchmark=item.benchmark,
                item=item.item,
                ngram=n,
                whole=earlier.whole if earlier else evidence.count(" ") < n - 1,
                texts=earlier.texts + 1 if earlier else 1,
                place=earlier.place if earlier else trained.place,
                evidence=earlier.evidence if earlier else evidence,
            )

    def overlaps(self) -> list[ItemOverlap]:
        """Return the hits, in the order of the items."""
        return [self._found[key] for key in sorted(self._found)]

    def count(self) -> list[BenchmarkOverlap]:
        """Return how many items of each benchmark are hits."""
        sizes = Counter(item.benchmark for item in self._index.items)
        hits = Counter((one.benchmark, one.ngram) for one in self._found.values())
        return [
            BenchmarkOverlap(
                benchmark=name, ngram=n, n=size, short=self._index.count_short(name, n), hits=hits[name, n]
            )
            for name, size in sizes.items()
            for n in NGRAMS
        ]


def make_card(
    benchmarks: Sequence[Benchmark],
    training: Iterable[TrainingText],
    values: Mapping[tuple[str, str], Sequence[MetricValues]],
    stages: Sequence[str],
    pack: Pack,
    bootstrap: Bootstrap,
) -> tuple[ContaminationCard, list[ItemOverlap]]:
    """Return the card and its evidence.

    Args:
        benchmarks: all that were measured.
        training: read once.
        values: every metric by system and benchmark, as `Benchmark.score` gave it.
        stages: the systems that are stages, the first of which the others are compared with.
        pack: splits all texts into words.
        bootstrap: of the intervals.
    """
    items = [
        BenchmarkText(one.name, id, prompt, answer)
        for one in benchmarks
        for id, (prompt, answer) in zip(one.ids, one.texts, strict=False)  # later ids: other wordings
    ]
    search, kinds = OverlapCount(OverlapIndex(items, pack)), Counter[bool]()
    for text_read in training:
        search.read(text_read)
        kinds[bool(text_read.fields)] += 1
    overlaps, scores = search.overlaps(), []
    for (system, name), metrics in values.items():
        before: Mapping[object, MetricValues] = {}
        if system in stages[1:]:
            before = {one.key: one for one in values.get((stages[0], name), ())}
        ids = [item.item for item in items if item.benchmark == name]
        for n in NGRAMS:
            hits = {one.item for one in overlaps if (one.benchmark, one.ngram) == (name, n)}
            found = (score_without_hits(one, before.get(one.key), ids, hits, bootstrap) for one in metrics)
            scores += [one.model_copy(update={"stage": system, "ngram": n}) for one in found if one]
    return ContaminationCard(
        rows=kinds[True], documents=kinds[False], benchmarks=tuple(search.count()), scores=tuple(scores)
    ), overlaps


def score_without_hits(
    values: MetricValues,
    before: MetricValues | None,
    ids: Sequence[str],
    hits: Collection[str],
    bootstrap: Bootstrap,
) -> ScoreWithoutHits | None:
    """Return a score with and without the items that are hits; `ids` are those of its benchmark.

    None where none or all of the items are hits, and where it is not known which items a value is of.
    """
    is_hit = np.asarray([id in hits for id in values.ids or ids], dtype=bool)
    if len(is_hit) != len(values.items) or not is_hit.any() or is_hit.all():
        return None
    clean, change = values.select(~is_hit), stats.leave_out(values.items, is_hit, bootstrap)
    if change is None:
        return None
    found = score_metric("", clean, bootstrap)
    gain = None
    if before is not None and len(before.items) == len(is_hit):
        test = paired_tests.paired_share if values.share else paired_tests.paired_bootstrap
        gain = test(clean.items, before.select(~is_hit).items, bootstrap)
    return ScoreWithoutHits(
        stage="",
        benchmark=values.benchmark,
        metric=values.metric,
        language=values.language,
        ngram=0,
        value=round(values.items.value, DIGITS),
        n=len(is_hit),
        clean=found.value,
        low=found.low,
        high=found.high,
        clean_n=found.n,
        change=round(change.value, DIGITS),
        change_low=round(change.low, DIGITS),
        change_high=round(change.high, DIGITS),
        gain=round(gain.value, DIGITS) if gain else None,
        gain_low=round(gain.low, DIGITS) if gain else None,
        gain_high=round(gain.high, DIGITS) if gain else None,
    )
