"""The failure panel: each failure signature with its value, its change, real examples and likely causes.

lookalike_letters    12.0 % (7.1 to 19.4)    +11.0 points against the base
    … شہر کا نام هے كراچي …                  U+0647 ARABIC LETTER HEH ×1, U+0643 ARABIC LETTER KAF ×1
    likely cause: the tokenizer cuts words … turn student.added_tokens
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alif.facts.evaluation_facts import AnswerMarks, AnswerRow, Comparison
from alif.records import Score
from alif.report.failure_causes import ENGLISH_LOSS, LETTERS, FailureCause, find_causes
from alif.report.html import Mark, name_letters
from alif.report.score_matrix import describe_difference, find_tone, format_score
from alif.report.snapshot import RunSnapshot

__all__ = ["FailureExample", "FailurePanel", "FailureSignature", "answer_marks", "failure_panel"]

MOST_EXAMPLES = 3
BEFORE, SHOWN = 80, 360
"""Characters before the first place that is marked, and characters of an example."""
MAX_PLACE = 10_000
"""Places behind it are not those of the answer as it was written: of a long one the end was moved up. Source:
`alif.evaluate.metrics.clip_text`."""
MAX_NAMED = 24
"""Longest stretch whose letters are named one by one."""
NAMED = (*LETTERS[:2], "broken_characters")
"""Signatures that are about letters, not words."""


@dataclass(frozen=True)
class FailureExample:
    """The part of an answer where a failure shows."""

    id: str
    task: str
    language: str
    text: str
    marks: Sequence[Mark]
    evidence: str


@dataclass(frozen=True)
class FailureSignature:
    """A failure of the last stage's answers; of lost English, which is no matter of answers, its causes."""

    name: str
    share: str
    interval: str
    base: str
    change: str
    tone: str
    how: str
    """How it is found."""
    examples: Sequence[FailureExample]
    causes: Sequence[FailureCause]


@dataclass(frozen=True)
class FailurePanel:
    """What was found in the last stage's answers, and what was looked for in vain."""

    signatures: Sequence[FailureSignature]
    """The frequent ones first."""
    not_found: Sequence[str]


def failure_panel(run: RunSnapshot) -> FailurePanel | None:
    """Return what the last stage's answers show; None where none were checked."""
    last, causes = run.last_stage, find_causes(run)
    scores = [one for one in run.scores if (one.stage, one.benchmark) == (last, "fidelity")]
    lost = [cause for cause in causes if cause.signature == ENGLISH_LOSS]
    if not scores and not lost:
        return None
    found = [
        _signature(run, one, [cause for cause in causes if cause.signature == one.metric])
        for one in sorted(scores, key=lambda one: -one.value)
        if one.value
    ]
    if lost:
        name = f"{run.source.name} lost"
        found.insert(0, FailureSignature(name, "", "", "", "", "bad", "see what is left of it", (), lost))
    return FailurePanel(found, [one.metric for one in scores if not one.value])


def _signature(run: RunSnapshot, score: Score, causes: Sequence[FailureCause]) -> FailureSignature:
    base = run.score("base", score.metric, score.language, "fidelity")
    change: Comparison | None = run.difference(run.last_stage, score.metric, score.language, "fidelity")
    return FailureSignature(
        name=score.metric,
        share=format_score(score.value, score.metric, "fidelity"),
        interval=_interval(score),
        base=f"{format_score(base.value, score.metric, 'fidelity')}, {_interval(base)}" if base else "",
        change=describe_difference(change) if change else "",
        tone=find_tone(change) if change else "open",
        how=score.signature.partition("|interval:")[0].partition("|")[2],
        examples=_choose_examples(run.answers, run.last_stage, score.metric),
        causes=causes,
    )


def _interval(score: Score) -> str:
    return f"95 % CI {100 * score.low:.1f} to {100 * score.high:.1f}, n = {score.n:,}"


def _choose_examples(rows: Sequence[AnswerRow], system: str, fault: str) -> list[FailureExample]:
    """Return examples of a fault, of different tasks first, those with marked places before others."""
    hits = [row for row in rows if system in row.marks and fault in _faults(row.marks[system])]
    hits.sort(key=lambda row: not list(answer_marks(row.marks[system], row.answers[system], fault)))
    by_task: dict[str, AnswerRow] = {}
    for row in hits:
        by_task.setdefault(row.task, row)
    chosen = {row.id: row for row in (*by_task.values(), *hits)}
    return [_example(row, system, fault) for row in [*chosen.values()][:MOST_EXAMPLES]]


def _faults(marks: AnswerMarks) -> set[str]:
    return {*marks["faults"], *marks.get("found", {})}


def _example(row: AnswerRow, system: str, fault: str) -> FailureExample:
    """Return the part of an answer around the first marked place."""
    answer, marks = row.answers[system], list(answer_marks(row.marks[system], row.answers[system], fault))
    start = max(0, min((mark[0] for mark in marks), default=0) - BEFORE)
    end = start + SHOWN
    shown = answer[start:end].replace("\n", " ")
    text = f"{'…' if start else ''}{shown}{'…' if end < len(answer) else ''}"
    moved = bool(start) - start
    found = row.marks[system].get("found", {}).get(fault)
    return FailureExample(
        id=row.id,
        task=row.task,
        language=row.language,
        text=text,
        marks=[(a + moved, min(b, end) + moved, title) for a, b, title in marks if a < end],
        evidence=found.evidence if found else "",
    )


def answer_marks(marks: AnswerMarks, answer: str, fault: str = "") -> Iterator[Mark]:
    """Yield the places of an answer's faults, or of one of them, with what is said of each."""
    for name, found in marks.get("found", {}).items():
        for start, end in found.spans if fault in ("", name) else ():
            if end <= min(len(answer), MAX_PLACE):
                title = name.replace("_", " ")
                letters = name in NAMED and end - start <= MAX_NAMED
                yield start, end, f"{title}: {name_letters(answer[start:end])}" if letters else title
