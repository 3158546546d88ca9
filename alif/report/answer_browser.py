"""The browser of answers: each shown question with its reference, all answers, their marks and verdicts.

The page holds it as a list of `<details>`; its script filters by task, benchmark, failed check, disagreement
and words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alif.facts.evaluation_facts import AnswerMarks, AnswerRow
from alif.facts.judge_facts import JudgedCall
from alif.report.failure_section import answer_marks
from alif.report.html import Mark, format_number
from alif.report.snapshot import RunSnapshot

__all__ = ["DISAGREEMENTS", "AnswerSide", "BrowserItem", "JudgeOrder", "compare_answers", "list_answers"]

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
    """Return the shown questions of a run with the answers of all its systems."""
    calls: dict[str, list[JudgedCall]] = {}
    for call in run.judged:
        calls.setdefault(call.id, []).append(call)
    found = []
    for row in run.answers:
        if row.sample:
            sides = [_side(name, run.systems.get(name, name), row, name) for name in row.answers]
            found.append(_item(row, sides, list(row.marks.values()), calls.get(row.id, ()), run.systems))
    return found


def compare_answers(runs: Sequence[RunSnapshot]) -> list[BrowserItem]:
    """Return the shown questions of the first run that all were asked, with each last stage's answer."""
    by_id = [{row.id: row for row in run.answers if run.last_stage in row.answers} for run in runs]
    found = []
    for row in runs[0].answers:
        if row.sample and all(row.id in rows for rows in by_id):
            theirs = [(run, rows[row.id]) for run, rows in zip(runs, by_id, strict=True)]
            sides = [_side(run.name, run.name, one, run.last_stage) for run, one in theirs]
            found.append(_item(row, sides, [one.marks[run.last_stage] for run, one in theirs], (), {}))
    return found


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


def _item(
    row: AnswerRow,
    sides: Sequence[AnswerSide],
    marks: Sequence[AnswerMarks],
    calls: Sequence[JudgedCall],
    titles: Mapping[str, str],
) -> BrowserItem:
    orders = [
        JudgeOrder(
            judge=call.judge,
            first=titles.get(call.a, call.a),
            second=titles.get(call.b, call.b),
            verdict=_name_verdict(call, titles),
            reason=call.reason,
        )
        for call in calls
    ]
    winners: dict[tuple[str, frozenset[str]], set[str]] = {}
    for one in orders:
        winners.setdefault((one.judge, frozenset((one.first, one.second))), set()).add(one.verdict)
    differ = {
        "systems": len({mark["accepted"] for mark in marks} - {None}) > 1,
        "judge": any(len(verdicts) > 1 for verdicts in winners.values()),
    }
    checks = dict.fromkeys(name for mark in marks for name in mark["faults"])
    return BrowserItem(row, "test", sides, orders, list(checks), [name for name in differ if differ[name]])


def _name_verdict(call: JudgedCall, titles: Mapping[str, str]) -> str:
    """Return the system that a judgement prefers, a tie, points of the rubric, or why there is no verdict."""
    if call.failure:
        return f"no verdict: {call.failure.replace('_', ' ')}"
    if not call.b:
        return f"{sum(call.points)} of {len(call.points)} points"
    winner = {"A": call.a, "B": call.b}.get(call.verdict or "", "tie")
    return titles.get(winner, winner)
