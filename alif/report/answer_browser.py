"""The browser of answers: each shown question with its reference, all answers, their marks and verdicts.

The page holds it as a list of `<details>`; its script filters by task, benchmark, failed check, disagreement
and words.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alif.facts.evaluation_facts import AnswerMarks, AnswerRow, EvaluateFacts
from alif.facts.judge_facts import JudgedCall
from alif.report.failure_section import answer_marks
from alif.report.html import MOST_CHARS, Mark, format_number
from alif.report.snapshot import RunSnapshot

__all__ = [
    "DISAGREEMENTS", "AnswerSide", "BrowserItem", "JudgeOrder", "compare_answers", "describe_sample",
    "fit_page", "list_answers",
]  # fmt: skip

TEST = "test"
"""The benchmark whose answers judges compare."""
MOST_BYTES, MARKUP_BYTES = 3_000_000, 400
"""Of all answers on a page, which stays below 5 MB; of what stands around a text."""
DISAGREEMENTS = {"systems": "one system is right, another wrong", "judge": "a judge's two orders contradict"}
"""What the filter of disagreements offers."""


@dataclass(frozen=True)
class AnswerSide:
    """One system's answer."""

    key: str
    """Of the legend."""
    title: str
    text: str
    marks: Sequence[Mark]
    score: str
    found: Sequence[tuple[str, str]]
    """Failed checks, each with its evidence."""


@dataclass(frozen=True)
class JudgeOrder:
    """A judge's verdict on two answers in one order, or on one by its rubric."""

    judge: str
    first: str
    second: str
    """Empty: a rubric."""
    verdict: str
    reason: str


@dataclass(frozen=True)
class BrowserItem:
    """A question with its answers."""

    row: AnswerRow
    benchmark: str
    sides: Sequence[AnswerSide]
    verdicts: Sequence[JudgeOrder]
    checks: Sequence[str]
    """Checks that an answer failed."""
    differ: Sequence[str]
    """Which of DISAGREEMENTS there are."""


def list_answers(run: RunSnapshot) -> list[BrowserItem]:
    """Return the shown questions of a run with the answers of all its systems, as many as a page can hold."""
    calls: dict[str, list[JudgedCall]] = {}
    for call in run.judged:
        calls.setdefault(call.id, []).append(call)
    found = []
    for row in run.shown_answers:
        sides = [_side(name, run.systems.get(name, name), row, name) for name in row.answers]
        judged = calls.get(row.id, ()) if row.benchmark == TEST else ()
        found.append(_item(row, sides, list(row.marks.values()), _name_orders(judged, run.systems)))
    return fit_page(found)


def compare_answers(runs: Sequence[RunSnapshot]) -> list[BrowserItem]:
    """Return the shown questions of the first run that all were asked, with each last stage's answer.

    Of what judges said there stands what is about these answers: each run's last stage against others.
    """
    by_key = [
        {
            (row.benchmark, row.id): row
            for row in (*run.answers, *run.benchmark_answers)
            if run.last_stage in row.answers
        }
        for run in runs
    ]
    titles = [
        {name: f"{run.name} · {title}" for name, title in run.systems.items()} | {run.last_stage: run.name}
        for run in runs
    ]
    found = []
    for row in runs[0].shown_answers:
        if all((row.benchmark, row.id) in rows for rows in by_key):
            theirs = [(run, rows[row.benchmark, row.id]) for run, rows in zip(runs, by_key, strict=True)]
            sides = [_side(run.name, run.name, one, run.last_stage) for run, one in theirs]
            orders = [
                order
                for run, names in zip(runs, titles, strict=True)
                for order in _name_orders(
                    [call for call in run.judged if call.id == row.id and run.last_stage in (call.a, call.b)]
                    if row.benchmark == TEST
                    else [],
                    names,
                )
            ]
            found.append(_item(row, sides, [one.marks[run.last_stage] for run, one in theirs], orders))
    return fit_page(found)


def describe_sample(run: RunSnapshot, shown: Sequence[BrowserItem]) -> str:
    """Return by which rule these questions are shown, and of how many."""
    facts, counts = run.facts("evaluate", EvaluateFacts), Counter(one.benchmark for one in shown)
    asked = {one.name: one.n for one in facts.benchmarks} if facts else {}
    parts = [f"{name} {count} of {asked.get(name, count):,}" for name, count in counts.items()]
    rule = "drawn by the hash of their ids, whatever the answers (evaluate.samples)"
    left_out = len(run.shown_answers) - len(shown)
    more = f" {left_out} more would make the page larger than 5 MB." if left_out else ""
    return f"Questions of each benchmark, {rule}: {', '.join(parts)}.{more}" if parts else ""


def fit_page(items: Sequence[BrowserItem]) -> list[BrowserItem]:
    """Return as many items as a page can hold, equally many of each benchmark, in their order."""
    queues: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        queues.setdefault(item.benchmark, []).append(place)
    turns = itertools.chain.from_iterable(itertools.zip_longest(*queues.values()))
    chosen, size = set[int](), 0
    for place in (one for one in turns if one is not None):
        item = items[place]
        texts = (item.row.instruction, item.row.input, item.row.reference, *(one.text for one in item.sides))
        reasons = (one.reason for one in item.verdicts)
        size += sum(MARKUP_BYTES + len(text[:MOST_CHARS].encode()) for text in (*texts, *reasons))
        if size > MOST_BYTES:
            break
        chosen.add(place)
    return [items[place] for place in sorted(chosen)]


def _side(key: str, title: str, row: AnswerRow, system: str) -> AnswerSide:
    marks, answer = row.marks[system], row.answers[system]
    right = {True: "right", False: "wrong", None: ""}[marks["accepted"]]
    overlap = f"chrF++ {format_number(marks['chrf++'])}"
    found = dict.fromkeys(marks["faults"], "") | {
        name: one.evidence for name, one in marks.get("found", {}).items()
    }
    return AnswerSide(
        key, title, answer, list(answer_marks(marks, answer)), right or overlap, list(found.items())
    )


def _name_orders(calls: Iterable[JudgedCall], titles: Mapping[str, str]) -> list[JudgeOrder]:
    return [
        JudgeOrder(
            judge=call.judge,
            first=titles.get(call.a, call.a),
            second=titles.get(call.b, call.b),
            verdict=_name_verdict(call, titles),
            reason=call.reason,
        )
        for call in calls
    ]


def _item(
    row: AnswerRow, sides: Sequence[AnswerSide], marks: Sequence[AnswerMarks], orders: Sequence[JudgeOrder]
) -> BrowserItem:
    winners: dict[tuple[str, frozenset[str]], set[str]] = {}
    for one in orders:
        winners.setdefault((one.judge, frozenset((one.first, one.second))), set()).add(one.verdict)
    differ = {
        "systems": len({mark["accepted"] for mark in marks} - {None}) > 1,
        "judge": any(len(verdicts) > 1 for verdicts in winners.values()),
    }
    checks = dict.fromkeys(name for mark in marks for name in mark["faults"])
    differing = [name for name in differ if differ[name]]
    return BrowserItem(row, row.benchmark, sides, orders, list(checks), differing)


def _name_verdict(call: JudgedCall, titles: Mapping[str, str]) -> str:
    """Return the system that a judgement prefers, a tie, points of the rubric, or why there is no verdict."""
    if call.failure:
        return f"no verdict: {call.failure.replace('_', ' ')}"
    if not call.b:
        return f"{sum(call.points)} of {len(call.points)} points"
    winner = {"A": call.a, "B": call.b}.get(call.verdict or "", "tie")
    return titles.get(winner, winner)
