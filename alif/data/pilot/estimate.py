"""What a whole recipe will cost and how long it will take, from a few of its requests: a range from low to high.

The range has three sources: which requests happened to be drawn (a bootstrap over requests), that fewer rows are accepted as
the pool fills (`FALLS_TO`), and that a round waits for its slowest reply.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from alif import recipe, sampling
from alif.data.synthesis.generate import ROUNDS_AT_ONCE

__all__ = ["CostSample", "estimate_cost"]

FALLS_TO = 0.5
"""What the share of accepted rows falls to over a whole run, at worst, as a part of the first rounds'. An assumption; the pool
refuses more the fuller it is. Source: benchmarks/rehearsal measures it for the texts at hand."""
RESAMPLES = 1000


@dataclass(frozen=True)
class CostSample:
    """One request of the rehearsal and what came of it."""

    step: str
    accepted: int
    usd: float
    """What it cost when it was sent."""
    run_usd: float
    """What the like of it costs in the run: less where that asks in batches."""
    tokens_in: int
    tokens_out: int
    seconds: float | None
    """None: the reply was stored before anybody looked at the clock."""
    stored: bool


def estimate_cost(samples: Sequence[CostSample], recipe: recipe.Recipe) -> dict[str, Any]:
    """Return what was sent, what it brought, and the range for the whole recipe.

    Returns:
        {requests, stored, accepted, spent_usd, tokens_in, tokens_out, tokens_per_accepted, generate and translate:
        {rows, requests, usd, hours} | None, usd, hours: {low, high} | None, in_batches, waits: {low, high} | None}. Ranges are
        None where nothing was accepted; hours also in batches, where `generate` has so many waits of up to a day.
    """
    generated = [sample for sample in samples if sample.step == "generate"]
    translated = [sample for sample in samples if sample.step == "translate"]
    accepted = sum(sample.accepted for sample in generated)
    tokens = sum(sample.tokens_in + sample.tokens_out for sample in generated)
    parts = {
        "generate": _generate(generated, recipe) if recipe.generate.target_rows else None,
        "translate": _translate(translated, recipe) if recipe.translate.rows else None,
    }
    return {
        "requests": len(samples),
        "stored": sum(sample.stored for sample in samples),
        "accepted": accepted,
        "spent_usd": sum(sample.usd for sample in samples),
        "tokens_in": sum(sample.tokens_in for sample in samples),
        "tokens_out": sum(sample.tokens_out for sample in samples),
        "tokens_per_accepted": round(tokens / accepted, 1) if accepted else None,
        **parts,
        "usd": _sum([part["usd"] for part in parts.values() if part]),
        "hours": _sum([part["hours"] for part in parts.values() if part]),
        "in_batches": recipe.runtime.batch,
        "waits": _waits(parts["generate"], recipe) if recipe.runtime.batch else None,
    }


def _waits(generated: Mapping[str, Any] | None, recipe: recipe.Recipe) -> dict[str, int] | None:
    """Return how often `generate` waits for batches, one after the other: for so many rounds at once."""
    if not generated or not generated["requests"]:
        return None
    return {
        end: math.ceil(sent / recipe.generate.requests_per_round / ROUNDS_AT_ONCE)
        for end, sent in generated["requests"].items()
    }


def _generate(samples: Sequence[CostSample], recipe: recipe.Recipe) -> dict[str, Any]:
    """Return the range of `generate`: as good as rehearsed, down to `FALLS_TO` of it."""
    rows, workers = (
        recipe.generate.target_rows,
        min(recipe.runtime.max_concurrency, recipe.generate.requests_per_round),
    )
    if not any(sample.accepted for sample in samples):
        return {"rows": rows, "requests": None, "usd": None, "hours": None}
    requests, usd = [], []
    for drawn in _resamples(samples, recipe.generate.seed):
        accepted = max(sum(sample.accepted for sample in drawn), 0.5)
        requests.append(rows * len(drawn) / accepted)
        usd.append(rows * sum(sample.run_usd for sample in drawn) / accepted)
    sent = _range(requests, FALLS_TO)
    seconds = [sample.seconds for sample in samples if sample.seconds is not None]
    hours = None
    if seconds and not recipe.runtime.batch:
        rounds = math.ceil(sent["high"] / recipe.generate.requests_per_round)
        slow_s = rounds * math.ceil(recipe.generate.requests_per_round / workers) * max(seconds)
        hours = {"low": _short(sent["low"] * fmean(seconds) / workers / 3600), "high": _short(slow_s / 3600)}
    whole = {"low": math.floor(sent["low"]), "high": math.ceil(sent["high"])}
    return {"rows": rows, "requests": whole, "usd": _range(usd, FALLS_TO), "hours": hours}


def _translate(samples: Sequence[CostSample], recipe: recipe.Recipe) -> dict[str, Any]:
    """Return the range of `translate`: one request a row."""
    rows, workers = recipe.translate.rows, recipe.runtime.max_concurrency
    usd = [
        rows * fmean(sample.run_usd for sample in drawn)
        for drawn in _resamples(samples, recipe.translate.seed)
    ]
    seconds = [sample.seconds for sample in samples if sample.seconds is not None]
    hours = None
    if seconds and not recipe.runtime.batch:
        low, high = (_short(rows * each_s / workers / 3600) for each_s in (fmean(seconds), max(seconds)))
        hours = {"low": low, "high": high}
    return {
        "rows": rows,
        "requests": {"low": rows, "high": rows},
        "usd": _range(usd) if usd else None,
        "hours": hours,
    }


def _resamples(samples: Sequence[CostSample], seed: int) -> Iterator[list[CostSample]]:
    numbers = sampling.seeded_rng(seed, "rehearse")
    for _ in range(RESAMPLES if samples else 0):
        yield numbers.choices(samples, k=len(samples))


def _range(values: Sequence[float], falls_to: float = 1.0) -> dict[str, float]:
    """Return the middle nine tenths of resampled values, the upper end for a share of accepted rows that falls."""
    ordered = sorted(values)
    low, high = (ordered[int(part * (len(ordered) - 1))] for part in (0.05, 0.95))
    return {"low": _short(low), "high": _short(high / falls_to)}


def _sum(ranges: Sequence[dict[str, float] | None]) -> dict[str, float] | None:
    known = [part for part in ranges if part is not None]
    if not known or len(known) < len(ranges):
        return None
    return {end: _short(sum(part[end] for part in known)) for end in ("low", "high")}


def _short(value: float) -> float:
    """Return three figures of a value: an estimate has no more."""
    return float(f"{value:.3g}")
