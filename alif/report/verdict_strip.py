"""The verdict strip: what came of a run, in words, on the first line of its report.

Urdu: better (+4.1 points, 95 % CI 1.2 to 7.0; test questions) · English: retained (…)
· language fidelity: 98.2 % (95 % CI 96.4 to 99.1, of 420 answers) · repetition: 0.4 % (…) · judge: …
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from alif.facts.evaluation_facts import Comparison
from alif.facts.judge_facts import JudgeFacts
from alif.report.failure_causes import LETTERS
from alif.report.score_matrix import BENCHMARKS, Tone, describe_difference, format_score, main_keys
from alif.report.snapshot import RunSnapshot
from alif.report.summary import retention_rows
from alif.sampling import share_interval

__all__ = ["StripPart", "verdict_strip"]

TONES: dict[str, Tone] = {"better": "good", "retained": "good", "worse": "bad", "lost": "bad"}
OWN_TEXT = ("heldout", "answers")
"""Benchmarks that say how well texts are predicted, not how well questions are answered."""


class StripPart(NamedTuple):
    """One statement: of what, the verdict, and the numbers behind it."""

    label: str
    verdict: str
    numbers: str = ""
    tone: Tone = "open"


def verdict_strip(run: RunSnapshot) -> list[StripPart]:
    """Return the statements of a run's last stage."""
    parts = [_taught_language(run), _source_language(run)]
    answers = [row.marks[run.last_stage] for row in run.answers if run.last_stage in row.marks]
    if answers:
        faithful = sum(not set(LETTERS) & set(marks["faults"]) for marks in answers)
        share = faithful / len(answers)
        low, high = (100 * end for end in share_interval(share, len(answers)))
        numbers = f"95 % CI {low:.1f} to {high:.1f}, of {len(answers):,} answers"
        parts.append(StripPart("language fidelity", f"{100 * share:.1f} %", numbers))
    if repeated := run.score(run.last_stage, "repetition", run.target.code, "fidelity"):
        low, high = (100 * end for end in (repeated.low, repeated.high))
        shown = format_score(repeated.value, "repetition", "fidelity")
        parts.append(StripPart("repetition", shown, f"95 % CI {low:.1f} to {high:.1f}"))
    return [*parts, _judge(run)]


def _taught_language(run: RunSnapshot) -> StripPart:
    """Say whether the taught language is better: on the test set, else on the held-out answers or texts."""
    name, found = run.target.name, list[Comparison]()
    for metric, language, benchmark in main_keys(run):
        change = run.difference(run.last_stage, metric, language, benchmark)
        if language == run.target.code and change:
            found.append(change)
    asked = [one for one in found if one.benchmark not in OWN_TEXT]
    first = next((one for one in asked if one.benchmark == "test"), None) or next(iter(asked or found), None)
    if first is None:
        return StripPart(name, "not measured")
    numbers = _describe(first)
    if len(found) > 1:
        counts = Counter(one.verdict for one in found)
        tally = ", ".join(f"{verdict} on {count}" for verdict, count in counts.most_common())
        numbers += f"; of {len(found)} {name} benchmarks: {tally}"
    return StripPart(name, first.verdict, numbers, TONES.get(first.verdict, "open"))


def _source_language(run: RunSnapshot) -> StripPart:
    """Say whether the source language is retained, by the worst of its verdicts."""
    kept: Sequence[Comparison] = retention_rows(run)
    if not kept:
        return StripPart(run.source.name, "not measured")
    verdict = kept[0].verdict
    return StripPart(run.source.name, verdict, _describe(kept[0]), TONES.get(verdict, "open"))


def _judge(run: RunSnapshot) -> StripPart:
    """Say whether the systems may be ranked by what judges said."""
    facts = run.facts("judge", JudgeFacts)
    if facts is None:
        return StripPart("judge", "none was asked")
    if not facts.trust.calibrated:
        return StripPart("judge", "uncalibrated, do not rank")
    kappas = [f"{one.judge} κ = {one.kappa:.2f}" for one in facts.trust.calibration if one.kappa is not None]
    return StripPart("judge", "calibrated", ", ".join(kappas))


def _describe(change: Comparison) -> str:
    return f"{describe_difference(change)}; {BENCHMARKS.get(change.benchmark, change.benchmark).lower()}"
