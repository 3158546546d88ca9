"""What a study takes before anything is done: runs, steps that siblings share, hours, memory, money.

A step's fingerprint is known before the step is done, so the siblings of each distinct step are counted, not
guessed. Hours are those of `alif plan` for the training on a GPU; where the same step has been done on this
machine, by a sibling or by a run of the base recipe, its own time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import TypedDict

from alif import store
from alif.ablate.grid import StudyRun
from alif.ablate.training_hours import ENDS, Range, TrainingHours
from alif.errors import RecipeError
from alif.evaluate.judge_cost import bound_judging
from alif.formatting import format_duration, format_usd
from alif.llm.endpoint import is_local
from alif.llm.ledger import Ledger
from alif.pipeline import EXPORT, PIPELINE
from alif.runs import Run, Step
from alif.runs.identity import predict_fingerprints
from alif.settings import Recipe

__all__ = ["STEPS", "StudyPlan", "describe_plan", "plan_study", "refuse_many", "spent_usd"]

STEPS: tuple[Step, ...] = tuple(step for step in PIPELINE if step is not EXPORT)
"""What a sibling does: a merged model of each would fill the disk. `alif export STUDY/SIBLING` makes one."""
MANY = 100
"""Runs above which a study wants to be confirmed."""
TRAINING = ("pretrain", "finetune", "prefer")


class StepPlan(TypedDict):
    """One step over all siblings that do it."""

    step: str
    runs: int
    distinct: int
    """How often it is done, once for each identity."""
    done: int
    """Of these, how many are."""
    hours: Range | None
    """Of those that are to do; None: not known before they are done."""


class StudyMoney(TypedDict):
    """What a study costs beside its hours, and what may be spent."""

    cap_usd: float
    spent_usd: float
    teachers_usd: float | None
    """None: not known before some requests were sent."""
    judges_usd_at_most: float
    gpu_usd: Range | None


class StudyPlan(TypedDict):
    """The JSON document of `alif ablate --plan`."""

    study: str
    recipe: str
    runs: int
    points: Sequence[str]
    reference: str
    seeds: int
    steps: Sequence[StepPlan]
    shared_steps: int
    """How many steps of siblings are taken from another one."""
    hours: Range | None
    hours_from: str
    memory_gb: float | None
    """The most that a stage of any sibling needs."""
    money: StudyMoney


def plan_study(found: StudyRun, gpu: str, cap_usd: float, runs: Sequence[Run] = ()) -> StudyPlan:
    """Return the plan of a study as one JSON document; `runs` may have steps that it shares."""
    digest = cache(store.sha256_tree)
    fingerprints = {
        sibling.run.name: predict_fingerprints(STEPS, sibling.recipe, sibling.run, digest)
        for sibling in found.siblings
    }
    done = [*(sibling.run for sibling in found.siblings), *runs]
    training = TrainingHours(found.recipe, gpu, found.root)
    steps, measured = [], True
    for step in STEPS:
        siblings = [one for one in found.siblings if step.enabled(one.recipe)]
        if not siblings:
            continue
        first = {fingerprints[one.run.name][step.name]: one for one in reversed(siblings)}
        there = {record.fingerprint for run in done if (record := run.record(step.name))}
        todo = [one for fingerprint, one in first.items() if fingerprint not in there]
        hours = _measured_hours(step, done, len(todo))
        if hours is None and step.name in TRAINING:
            hours, measured = training.add_up(step.name, [one.recipe for one in todo]), False
        counts = len(siblings), len(first), len(first) - len(todo)
        steps.append(
            StepPlan(step=step.name, runs=counts[0], distinct=counts[1], done=counts[2], hours=hours)
        )
    known = [one["hours"] for one in steps if one["hours"] is not None]
    training_known = all(one["hours"] is not None for one in steps if one["step"] in ("pretrain", "finetune"))
    return StudyPlan(
        study=found.name,
        recipe=found.recipe.name,
        runs=len(found.siblings),
        points=list(found.points),
        reference=found.reference,
        seeds=found.study.seeds,
        steps=steps,
        shared_steps=sum(one["runs"] - one["distinct"] for one in steps),
        hours={end: round(sum(one[end] for one in known), 3) for end in ENDS} if training_known else None,
        hours_from="such steps done here" if measured else f"training alone, on {training.where}",
        memory_gb=training.memory_gb,
        money={
            "cap_usd": cap_usd,
            "spent_usd": spent_usd(found),
            "teachers_usd": _teachers_usd(found, steps, done),
            "judges_usd_at_most": sum(
                bound.usd for one in found.siblings for bound in bound_judging(one.recipe).values()
            ),
            "gpu_usd": None if measured or training.on_cpu else training.usd,
        },
    )


def _measured_hours(step: Step, done: Sequence[Run], count: int) -> Range | None:
    """Return the hours of a step by what it took before on this machine; 0 where nothing is to do."""
    seconds = [record.seconds for run in done if (record := run.record(step.name))]
    if count and not seconds:
        return None
    hours = count * fmean(seconds) / 3600 if count else 0.0
    return dict.fromkeys(ENDS, hours)


def _teachers_usd(found: StudyRun, steps: Sequence[StepPlan], done: Sequence[Run]) -> float | None:
    """Return what teachers will cost: nothing, or as such steps have cost; None where that is not known."""
    asked = [one.recipe for one in found.siblings]
    asked = [one for one in asked if one.generate.target_rows or one.translate.rows]
    teachers = (teacher for one in asked for teacher in one.teacher.values())
    if not any(
        one.usd_per_million_in or one.usd_per_million_out or not is_local(one.base_url) for one in teachers
    ):
        return 0.0
    total = 0.0
    for step in steps:
        todo = step["distinct"] - step["done"]
        costs = [record.cost_usd for run in done if (record := run.record(step["step"]))]
        if step["step"] in ("generate", "translate") and todo:
            if not costs:
                return None
            total += todo * fmean(costs)
    return total


def spent_usd(found: StudyRun, sibling: str | None = None) -> float:
    """Return what one sibling or all have spent, requests without a reply at their most."""
    if not found.ledger.is_file():
        return 0.0
    with closing(Ledger(found.ledger)) as ledger:
        return ledger.account(sibling).usd


def refuse_many(count: int, recipe: Recipe, gpu: str, cap_usd: float) -> None:
    """Refuse a grid of more runs than anybody means to do unseen, with what it would take.

    Raises:
        RecipeError: there are more than MANY.
    """
    if count <= MANY:
        return
    takes = f"at most {format_usd(cap_usd)} for teachers and judges"
    training = TrainingHours(recipe, gpu, Path("runs"))
    hours = [training.add_up(stage, [recipe]) for stage in recipe.stages()]
    if all(hours):
        each = sum(one["mid"] for one in hours if one)
        longest = format_duration(3600 * count * each)
        usd = format_usd(round(count * training.usd["mid"], 2))
        takes = f"up to {longest} and {usd} of training on {training.where}, {takes}"
    hint = "Name fewer values, or --seeds 1; --yes if you mean it."
    raise RecipeError(f"{count:,} runs: {takes}", hint)


def describe_plan(plan: StudyPlan) -> Iterator[str]:
    """Yield the plan's sums as sentences."""
    each = plan["runs"] // len(plan["points"])
    points = f"{plan['runs']} runs: {len(plan['points'])} points, {each} trainings each"
    yield f"{points}, compared with {plan['reference']}. {plan['shared_steps']} steps are shared."
    hours = plan["hours"]
    if hours is None:
        yield "Hours: not known for this base; `alif plan` says why."
    else:
        low, mid, high = (format_duration(3600 * hours[end]) for end in ENDS)
        span = mid if low == high else f"{mid} ({low} to {high})"
        yield f"Time: {span}, from {plan['hours_from']}."
    if plan["memory_gb"] is not None:
        yield f"Memory: {max(0.1, plan['memory_gb']):.1f} GB to train, at most."
    money, teachers = plan["money"], plan["money"]["teachers_usd"]
    expected = (
        "not known (`alif estimate RECIPE` asks)" if teachers is None else format_usd(float(str(teachers)))
    )
    cap, spent = (format_usd(float(str(money[key]))) for key in ("cap_usd", "spent_usd"))
    yield f"Money: teachers {expected}; {spent} spent of {cap}, the cap over all runs."
