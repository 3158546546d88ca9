"""The step `judge`: models compare the answers that `evaluate` stored, every pair in both orders.

verdicts.jsonl      one JudgedCall a judgement, with the judge's reason, or why it could not be read
dropped.jsonl       questions on which no judgement could be read
not_sampled.jsonl   questions that `judging.questions` left out
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from alif import console, sampling, settings, store
from alif.errors import DataError
from alif.evaluate import judge_measures
from alif.evaluate.judge_calibration import assess_judges, rank_systems, read_people
from alif.evaluate.judge_prompts import MOST_CHARS, load_judge_prompts
from alif.evaluate.judge_requests import AskedJudges, ask_judges, list_pairs, plan_calls
from alif.evaluate.stats import Bootstrap
from alif.facts.evaluation_facts import AnswerRow
from alif.facts.judge_facts import FamilyWarning, JudgeCard, JudgedCall, JudgeFacts
from alif.language import pack as packs
from alif.llm.model_families import find_families, warn_of_families
from alif.records import STAGES, Dropped, Example, Score
from alif.runs import StepContext, StepOutput

__all__ = ["judge_answers"]

RESAMPLES = 1000
"""Of the bootstrap behind an interval."""


def judge_answers(
    context: StepContext,
    *,
    language: settings.Language,
    judge: Mapping[str, settings.Judge],
    judging: settings.Judging,
    teacher: Mapping[str, settings.Teacher],
    system: Mapping[str, settings.ExternalSystem],
) -> JudgeFacts:
    """Run the step. Its rows are the questions of the test set, with the answers of all systems.

    Raises:
        RecipeError: a pair names a system that gave no answers.
        DataError: there is no answer to judge, or a file of people's verdicts cannot be read.
    """
    output, evaluated = context.output, context.inputs["evaluate"]
    output.require("verdicts.jsonl", "dropped.jsonl")
    own, bootstrap = packs.load_pack(language.pack), Bootstrap(RESAMPLES, judging.seed)
    prompts = load_judge_prompts(context.paths["judge prompts"], own)
    every = list(output.read(store.read_models(evaluated / "answers.jsonl", AnswerRow)))
    if not every:
        raise DataError(f"{evaluated}: no answers to judge", "Name a test set in benchmarks.test.")
    rows = sampling.sample_stratified(
        every, judging.questions or len(every), judging.seed, lambda row: row.id, lambda row: row.task
    )
    pairs = list_pairs(judging.pairs, every[0].answers)
    people, unused = read_people(context.paths, pairs)
    planned = plan_calls(rows, pairs, judge, rubric=judging.rubric)
    asked = asyncio.run(ask_judges(context, judge, planned, prompts))
    _write_rows(output, every, rows, asked.calls)
    verdicts = judge_measures.collect_verdicts(rows, asked.calls, list(judge), pairs)
    styles = judge_measures.measure_styles(rows, pairs, own)
    measured = [
        judge_measures.measure_pair(name, pair, styles, len(rows), verdicts, bootstrap)
        for name in verdicts
        for pair in pairs
    ]
    teachers = _name_teachers(context, teacher, system, every[0].answers)
    warnings = _warn_of_families(judge, teachers)
    return JudgeFacts(
        questions=len(rows),
        prompt_language=own.code if judging.prompt_language == "own" else judging.prompt_language,
        prompts=prompts.digests(),
        most_chars=MOST_CHARS,
        cut=Counter(name for row in rows for name, text in row.answers.items() if len(text) > MOST_CHARS),
        judges=tuple(_describe_judge(name, one, asked, verdicts) for name, one in judge.items()),
        pairs=tuple(measured),
        rubric=tuple(judge_measures.score_rubrics(asked.calls, bootstrap)),
        trust=assess_judges(verdicts, people, unused),
        ranks=tuple(rank_systems(measured, store.read_models(evaluated / "scores.jsonl", Score), own.code)),
        families=tuple(warnings),
        teachers=teachers,
        panels=tuple(judge_measures.rank_panels(verdicts, pairs)),
    )


def _write_rows(
    output: StepOutput, every: Sequence[AnswerRow], rows: Sequence[AnswerRow], calls: Iterable[JudgedCall]
) -> None:
    """Write all judgements, and count each question: kept, dropped as unreadable, or not sampled."""
    asked, failed = dict[str, int](), dict[str, list[str]]()
    for call in calls:
        output.write(call, "verdicts.jsonl")
        asked[call.id] = asked.get(call.id, 0) + 1
        if call.failure:
            failed.setdefault(call.id, []).append(f"{call.judge}: {call.failure}")
    sampled = {row.id for row in rows}
    for row in every:
        if row.id not in sampled:
            output.not_sampled(row.id)
        elif len(failed.get(row.id, ())) == asked.get(row.id, -1):
            evidence = ", ".join(dict.fromkeys(failed[row.id]))
            output.drop(Dropped(raw=row.instruction, reason="unreadable_verdicts", evidence=evidence))
        else:
            output.keep(None)


def _describe_judge(
    name: str, judge: settings.Judge, asked: AskedJudges, verdicts: judge_measures.Verdicts
) -> JudgeCard:
    calls = [call for call in asked.calls if call.judge == name]
    reasons = sorted({call.failure for call in calls} - {""})
    return JudgeCard(
        name=name,
        model=judge.model,
        families=find_families(judge.model),
        calls=len(calls),
        asked_again=sum(bool(call.first_failure) for call in calls),
        failures={reason: sum(call.failure == reason for call in calls) for reason in reasons},
        position_consistency=judge_measures.position_consistency(verdicts[name]),
        first_share=judge_measures.first_share(calls),
        usd=round(asked.usd.get(name, 0.0), 9),
    )


def _name_teachers(
    context: StepContext,
    teacher: Mapping[str, settings.Teacher],
    system: Mapping[str, settings.ExternalSystem],
    systems: Iterable[str],
) -> dict[str, tuple[str, ...]]:
    """Return the models that wrote what each system was trained on: the run's own, or as the recipe says."""
    trained = store.read_models(context.inputs["blend"] / "examples.jsonl", Example)
    models = [*(one.model for one in teacher.values()), *(row.origin.model for row in trained)]
    own = tuple(name for name in dict.fromkeys(models) if name)
    found = {
        name: own if name not in system else tuple(filter(None, (system[name].taught_by,)))
        for name in systems
        if name != STAGES[0]
    }
    return {name: models for name, models in found.items() if models}


def _warn_of_families(
    judges: Mapping[str, settings.Judge], teachers: Mapping[str, Sequence[str]]
) -> list[FamilyWarning]:
    """Name each judge that is of one family with a teacher, and return the warnings."""
    every = [model for models in teachers.values() for model in models]
    found = [
        FamilyWarning(judge=name, model=judge.model, teacher=teacher, sentence=sentence)
        for name, judge in judges.items()
        for teacher, sentence in warn_of_families(name, judge.model, every)
    ]
    for one in found:
        console.log(f"! {one.sentence}", style="bold red")
    return found
