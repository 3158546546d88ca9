"""What judges said, and how far to believe it: the judge card, the win rates, and each teacher by each judge.

    report.json "judges"     the facts of the step `judge`, and the table teacher × judge
    "teacher_judge"          a row a judge and system: who wrote what it was trained on, and its win rate

A judge may prefer students of its own family's teacher. Where every judge has judged students of every
teacher, the table has that interaction: what is left of a cell after the means of its judge and teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from pydantic import JsonValue

from alif.facts.judge_facts import PANEL, JudgedPair, JudgeFacts, RateInterval
from alif.llm.model_families import shared_families
from alif.report.snapshot import RunSnapshot

__all__ = ["TeacherJudgeCell", "describe_cells", "judge_document", "teacher_judge_table"]


@dataclass(frozen=True)
class TeacherJudgeCell:
    """A judge on a student of a teacher."""

    run: str
    teacher: str
    """Models that wrote what the student was trained on."""
    judge: str
    model: str
    """The judge's."""
    system: str
    against: str
    n: int
    rate: RateInterval
    """Win rate between answers of equal length and style where that could be told, else of both orders."""
    family: bool
    """Whether judge and teacher are of one family."""
    interaction: float | None = None
    """The rate, less the means of its judge and its teacher, plus that of all; None where a cell lacks."""


def judge_document(run: RunSnapshot) -> dict[str, JsonValue]:
    """Return the section `judges` of report.json, empty where nobody was asked."""
    facts = run.facts("judge", JudgeFacts)
    if facts is None:
        return {}
    return {**facts.model_dump(mode="json"), "teacher_judge": describe_cells(teacher_judge_table([run]))}


def describe_cells(cells: Sequence[TeacherJudgeCell]) -> list[JsonValue]:
    """Return the rows of the table teacher × judge as JSON."""
    return [{**asdict(one), "rate": one.rate.model_dump(mode="json")} for one in cells]


def teacher_judge_table(runs: Sequence[RunSnapshot]) -> list[TeacherJudgeCell]:
    """Return what each judge says of each teacher's students, by teacher, then by judge."""
    cells = []
    for run in runs:
        if facts := run.facts("judge", JudgeFacts):
            models = {one.name: one.model for one in facts.judges}
            for pair in facts.pairs:
                rate = pair.controlled or pair.both_orders
                teachers = facts.teachers.get(pair.stage, ())
                if rate and teachers and pair.judge != PANEL:
                    cells.append(_cell(run.name, pair, rate, teachers, models[pair.judge]))
    cells.sort(key=lambda one: (one.teacher, one.judge))
    by_judge, by_teacher = ({getattr(one, key) for one in cells} for key in ("judge", "teacher"))
    filled = {(one.judge, one.teacher) for one in cells}
    if min(len(by_judge), len(by_teacher)) < 2 or len(filled) < len(by_judge) * len(by_teacher):
        return cells
    return [_with_interaction(one, cells) for one in cells]


def _cell(
    run: str, pair: JudgedPair, rate: RateInterval, teachers: Sequence[str], model: str
) -> TeacherJudgeCell:
    return TeacherJudgeCell(
        run=run,
        teacher=", ".join(teachers),
        judge=pair.judge,
        model=model,
        system=pair.stage,
        against=pair.against,
        n=pair.n,
        rate=rate,
        family=bool(shared_families(model, teachers)),
    )


def _with_interaction(cell: TeacherJudgeCell, cells: Sequence[TeacherJudgeCell]) -> TeacherJudgeCell:
    """Return a cell with what is left of its rate after the means of its judge and its teacher."""
    judge = fmean(one.rate.value for one in cells if one.judge == cell.judge)
    teacher = fmean(one.rate.value for one in cells if one.teacher == cell.teacher)
    left = cell.rate.value - judge - teacher + fmean(one.rate.value for one in cells)
    return TeacherJudgeCell(**{**vars(cell), "interaction": round(left, 6)})
