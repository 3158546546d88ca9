"""Estimate what a whole recipe will cost and how long it will take from a few of its requests: low to high.

The range has three sources: which requests happened to be drawn (a bootstrap over requests), that fewer rows
are accepted as the pool fills (`FALLS_TO`), and that a round is as slow as its slowest reply.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypedDict

from alif import sampling, settings
from alif.data.synthesis.generate import ROUNDS_IN_FLIGHT

__all__ = ["CostEstimate", "CostSample", "Range", "StepEstimate", "estimate_cost"]

FALLS_TO = 0.5
"""What the share of accepted rows falls to over a whole run, at worst, relative to the first rounds'. An
assumption: the pool drops more the fuller it is. Source: benchmarks/rehearsal measures it for the texts at
hand."""
RESAMPLES = 1000


class Range(TypedDict):
    """A range of a number."""

    low: float
    high: float


class StepEstimate(TypedDict):
    """The range of one step; None where nothing was accepted, or no time was measured."""

    rows: int
    requests: Range | None
    usd: Range | None
    hours: Range | None


class CostEstimate(TypedDict):
    """What was sent, what it brought, and the range for the whole recipe."""

    requests: int
    stored: int
    accepted: int
    spent_usd: float
    tokens_in: int
    tokens_out: int
    tokens_per_accepted: float | None
    generate: StepEstimate | None
    translate: StepEstimate | None
    usd: Range | None
    hours: Range | None
    in_batches: bool
    waits: Range | None
    """How often `generate` waits for batches, one after the other, up to a day each."""


@dataclass(frozen=True)
class CostSample:
    """One request of the pilot and what came of it."""

    step: str
    accepted: int
    usd: float
    """What it cost when it was sent."""
    run_usd: float
    """What such a request costs in the run: less where that asks in batches."""
    tokens_in: int
    tokens_out: int
    seconds: float | None
    """None: the reply was stored before its time was measured."""
    stored: bool


def estimate_cost(samples: Sequence[CostSample], recipe: settings.Recipe) -> CostEstimate:
    """Return what was sent, what it brought, and the range for the whole recipe."""
    generated = [sample for sample in samples if sample.step == "generate"]
    translated = [sample for sample in samples if sample.step == "translate"]
    accepted = sum(sample.accepted for sample in generated)
    tokens = sum(sample.tokens_in + sample.tokens_out for sample in generated)
    generate = _estimate_generate(generated, recipe) if recipe.generate.target_rows else None
    translate = _estimate_translate(translated, recipe) if recipe.translate.rows else None
    parts = [part for part in (generate, translate) if part]
    waits: Range | None = None
    if recipe.runtime.batch and generate and (sent := generate["requests"]):
        at_once = recipe.generate.requests_per_round, ROUNDS_IN_FLIGHT
        low, high = (math.ceil(count / at_once[0] / at_once[1]) for count in (sent["low"], sent["high"]))
        waits = {"low": low, "high": high}
    return {
        "requests": len(samples),
        "stored": sum(sample.stored for sample in samples),
        "accepted": accepted,
        "spent_usd": sum(sample.usd for sample in samples),
        "tokens_in": sum(sample.tokens_in for sample in samples),
        "tokens_out": sum(sample.tokens_out for sample in samples),
        "tokens_per_accepted": round(tokens / accepted, 1) if accepted else None,
        "generate": generate,
        "translate": translate,
        "usd": _sum_ranges([part["usd"] for part in parts]),
        "hours": _sum_ranges([part["hours"] for part in parts]),
        "in_batches": recipe.runtime.batch,
        "waits": waits,
    }


def _estimate_generate(samples: Sequence[CostSample], recipe: settings.Recipe) -> StepEstimate:
    """Return the range of `generate`: acceptance as in the pilot, down to `FALLS_TO` of it."""
    rows, per_round = recipe.generate.target_rows, recipe.generate.requests_per_round
    workers = min(recipe.runtime.max_concurrency, per_round)
    if not any(sample.accepted for sample in samples):
        return {"rows": rows, "requests": None, "usd": None, "hours": None}
    requests, usd = [], []
    for drawn in _resample(samples, recipe.generate.seed):
        accepted = max(sum(sample.accepted for sample in drawn), 0.5)
        requests.append(rows * len(drawn) / accepted)
        usd.append(rows * sum(sample.run_usd for sample in drawn) / accepted)
    sent = _interval(requests, FALLS_TO)
    seconds = [sample.seconds for sample in samples if sample.seconds is not None]
    hours: Range | None = None
    if seconds and not recipe.runtime.batch:
        slow_s = math.ceil(sent["high"] / per_round) * math.ceil(per_round / workers) * max(seconds)
        fast_s = sent["low"] * fmean(seconds) / workers
        hours = {"low": _round_figures(fast_s / 3600), "high": _round_figures(slow_s / 3600)}
    whole: Range = {"low": math.floor(sent["low"]), "high": math.ceil(sent["high"])}
    return {"rows": rows, "requests": whole, "usd": _interval(usd, FALLS_TO), "hours": hours}


def _estimate_translate(samples: Sequence[CostSample], recipe: settings.Recipe) -> StepEstimate:
    """Return the range of `translate`: a request per row, and as many again to rewrite and translate back."""
    turns = 1 + recipe.translate.rewrite + bool(recipe.translate.back_translator)
    rows, workers = recipe.translate.rows * turns, recipe.runtime.max_concurrency
    drawn = _resample(samples, recipe.translate.seed)
    usd = [rows * fmean(sample.run_usd for sample in one) for one in drawn]
    seconds = [sample.seconds for sample in samples if sample.seconds is not None]
    hours: Range | None = None
    if seconds and not recipe.runtime.batch:
        low, high = (_round_figures(rows * one / workers / 3600) for one in (fmean(seconds), max(seconds)))
        hours = {"low": low, "high": high}
    sent: Range = {"low": rows, "high": rows}
    usd_range = _interval(usd) if usd else None
    return {"rows": recipe.translate.rows, "requests": sent, "usd": usd_range, "hours": hours}


def _resample(samples: Sequence[CostSample], seed: int) -> Iterator[list[CostSample]]:
    rng = sampling.seeded_rng(seed, "rehearse")
    for _ in range(RESAMPLES if samples else 0):
        yield rng.choices(samples, k=len(samples))


def _interval(values: Sequence[float], falls_to: float = 1.0) -> Range:
    """Return the middle nine tenths of resampled values, the upper end for an acceptance that falls."""
    ordered = sorted(values)
    low, high = (ordered[int(part * (len(ordered) - 1))] for part in (0.05, 0.95))
    return {"low": _round_figures(low), "high": _round_figures(high / falls_to)}


def _sum_ranges(ranges: Sequence[Range | None]) -> Range | None:
    """Return the sum, None where a part is unknown."""
    known = [part for part in ranges if part]
    if not known or len(known) < len(ranges):
        return None
    return {
        "low": _round_figures(sum(part["low"] for part in known)),
        "high": _round_figures(sum(part["high"] for part in known)),
    }


def _round_figures(value: float) -> float:
    """Return three significant figures: an estimate has no more."""
    return float(f"{value:.3g}")
