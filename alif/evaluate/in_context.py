"""What examples before a question are worth to each stage, and whether training took that away.

    shots    0     1     4     8
    base     0.10  0.25  0.40  0.45
    stage 1  0.10  0.10  0.11  0.09      its text is read better all the same: bits a byte fell

Continued pre-training without the source language can destroy what a base learns from examples, while
perplexity looks fine: 44.67 to about 0 in arXiv 2506.00288. Compared is the gain from examples, item by item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alif.evaluate import paired_tests, stats
from alif.evaluate.compare import DIGITS, MetricValues
from alif.evaluate.stats import Bootstrap, Items
from alif.facts.evaluation_facts import InContextFinding

__all__ = ["find_collapses"]

MAIN = ("accuracy", "choice", "number", "accepted", "chrf++")
"""The main metrics of benchmarks."""
COLLAPSED = 0.5
"""Share of the base's gain from examples that a stage must have lost, beside a difference that is sure."""


def find_collapses(
    values: Mapping[str, Sequence[MetricValues]], stages: Sequence[str], bootstrap: Bootstrap
) -> list[InContextFinding]:
    """Return where a stage lost most of what the base gains from examples, though it reads text better."""
    base, *later = stages or [""]
    found = []
    for stage in later:
        after = _read_curves(values[stage])
        bits = [
            new.items.value - old.items.value
            for new, old in zip(values[stage], values[base], strict=True)
            if (new.benchmark, new.metric) == ("heldout", "bits_per_byte")
        ]
        for (benchmark, metric), curve in _read_curves(values[base]).items():
            fewest, most = min(curve), max(curve)
            had, has = (one[most].minus(one[fewest]) for one in (curve, after[benchmark, metric]))
            learned = stats.bootstrap_interval(had, bootstrap).low > 0
            lost = paired_tests.paired_bootstrap(has, had, bootstrap).high < 0
            if learned and lost and has.value <= (1 - COLLAPSED) * had.value and min(bits, default=0) < 0:
                gains = {"base_gain": round(had.value, DIGITS), "gain": round(has.value, DIGITS)}
                found.append(
                    InContextFinding(stage=stage, benchmark=benchmark, metric=metric, shots=most, **gains)
                )
    return found


def _read_curves(metrics: Sequence[MetricValues]) -> dict[tuple[str, str], dict[int, Items]]:
    """Return {(benchmark, main metric): {shots: items}}, where there are several numbers of shots."""
    found: dict[tuple[str, str], dict[int, Items]] = {}
    for one in metrics:
        if one.metric in MAIN and not one.wording:
            found.setdefault((one.benchmark.partition("/")[0], one.metric), {})[one.shots] = one.items
    return {key: curve for key, curve in found.items() if len(curve) > 1}
