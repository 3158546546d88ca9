"""Verdicts: what may be said about a change."""

from __future__ import annotations

import dataclasses

import pytest

from alif.evaluate.compare import MetricValues, compare_metrics, score_metric
from alif.evaluate.stats import Bootstrap, Items

BY = Bootstrap(400, 1)
BEFORE = [3.0, 2.5, 3.5, 2.8, 3.1, 2.9, 3.3, 2.7, 3.2, 2.6]


def bits(values: list[float], **more: object) -> MetricValues:
    return MetricValues("heldout", "bits_per_byte", "en", Items.of(values), "x", lower_is_better=True, **more)  # type: ignore[arg-type]


def changed(by: float, spread: float = 0.01) -> list[float]:
    return [value + by + spread * (-1) ** index for index, value in enumerate(BEFORE)]


@pytest.mark.parametrize(
    ("by", "spread", "verdict"), [(-0.5, 0.01, "better"), (0.5, 0.01, "worse"), (0.01, 0.5, "cannot tell")]
)
def test_better_and_worse_follow_the_metric(by: float, spread: float, verdict: str) -> None:
    (found,) = compare_metrics("pretrain", [bits(changed(by, spread))], "base", [bits(BEFORE)], BY)
    assert found.verdict == verdict
    assert found.low <= found.difference <= found.high
    assert (found.stage, found.against, found.n, found.margin) == ("pretrain", "base", 10, None)
    higher = [
        dataclasses.replace(one, lower_is_better=False) for one in (bits(changed(by, spread)), bits(BEFORE))
    ]
    (mirrored,) = compare_metrics("pretrain", higher[:1], "base", higher[1:], BY)
    assert mirrored.verdict == {"better": "worse", "worse": "better"}.get(verdict, verdict)


@pytest.mark.parametrize(
    ("by", "spread", "verdict"),
    [(0.01, 0.01, "retained"), (0.4, 0.01, "lost"), (0.05, 0.3, "cannot tell"), (-0.4, 0.01, "retained")],
)
def test_retention_against_a_relative_margin(by: float, spread: float, verdict: str) -> None:
    pair = [bits(values, margin=0.02, relative=True) for values in (changed(by, spread), BEFORE)]
    (found,) = compare_metrics("finetune", pair[:1], "base", pair[1:], BY)
    assert found.verdict == verdict
    assert found.margin == pytest.approx(0.02 * sum(BEFORE) / 10, abs=1e-6)


def accuracy(hits: int, n: int = 100, chance: float = 0.25) -> MetricValues:
    items = Items.of([1.0] * hits + [0.0] * (n - hits))
    return MetricValues("arc", "accuracy", "en", items, "x", share=True, margin=0.01, chance=chance)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(28, 60, "not measurable"), (60, 30, "lost"), (60, 60, "cannot tell"), (60, 90, "retained")],
)
def test_at_chance_nothing_can_be_kept_or_lost(before: int, after: int, verdict: str) -> None:
    (found,) = compare_metrics("finetune", [accuracy(after)], "base", [accuracy(before)], BY)
    assert found.verdict == verdict


def test_parts_and_overall_rows_are_families_of_their_own() -> None:
    names = ["test", *(f"test/{index}" for index in range(9)), "other"]
    after = [MetricValues(name, "chrf++", "ur", Items.of(changed(0.5)), "x") for name in names]
    before = [MetricValues(name, "chrf++", "ur", Items.of(BEFORE), "x") for name in names]
    found = compare_metrics("pretrain", after, "base", before, BY)
    assert [found[0].p_holm, found[-1].p_holm] == [found[0].p, found[-1].p]
    assert all(one.p_holm == pytest.approx(9 * one.p, abs=1e-5) for one in found[1:-1])


def test_one_item_tells_nothing() -> None:
    (found,) = compare_metrics("pretrain", [bits([1.0])], "base", [bits([9.0])], BY)
    assert found.verdict == "cannot tell"


def test_other_metrics_are_not_compared() -> None:
    with pytest.raises(ValueError, match="compared with"):
        compare_metrics(
            "pretrain", [bits(BEFORE)], "base", [dataclasses.replace(bits(BEFORE), metric="other")], BY
        )


def test_scores_say_how_their_interval_was_made() -> None:
    assert "Wilson" in score_metric("base", accuracy(30), BY).signature
    found = score_metric("base", bits(BEFORE), BY)
    assert "400 resamples, seed 1" in found.signature
    assert found.low < found.value < found.high
