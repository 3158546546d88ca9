"""The teachers of a step: opened through one door, and each request given to one of them by lot, by their shares."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager

from alif import recipe
from alif.data.demo import demo_teacher
from alif.data.filters.rules import OTHER_TASK
from alif.errors import RecipeError
from alif.language.pack import Pack
from alif.llm.endpoint import SCRIPTED
from alif.llm.session import EndpointSession, RetryPolicy, open_session
from alif.runs import StepContext

__all__ = ["choose_endpoint", "endpoint_problems", "open_endpoints"]


@asynccontextmanager
async def open_endpoints(
    context: StepContext,
    teachers: Mapping[str, recipe.Teacher],
    own: Pack,
    known: Pack,
    folder: str,
    patience: RetryPolicy | None = None,
) -> AsyncIterator[EndpointSession]:
    """Open the door to the recipe's teachers; a scripted one answers from the packs' demo folders and its phrasebook.

    Raises:
        RecipeError: the recipe has no teacher.
    """
    if not teachers:
        raise RecipeError(
            f"the step {context.step} needs a teacher, and the recipe has none",
            "Add a table [teacher.NAME] with model and address.",
        )
    scripted = [teacher for teacher in teachers.values() if teacher.base_url == SCRIPTED]
    if not scripted:
        async with open_session(context, teachers, patience=patience) as models:
            yield models
        return
    phrasebook = tuple(dict.fromkeys(pattern for teacher in scripted for pattern in teacher.parallel_files))
    answers = demo_teacher.load_demo_answers(own, known, phrasebook, folder)
    acted = demo_teacher.demo_reply(own, known, answers)
    async with open_session(context, teachers, acted, edition=answers.edition, patience=patience) as models:
        yield models


def choose_endpoint(teachers: Mapping[str, recipe.Teacher], task: str, numbers: random.Random) -> str:
    """Return the name of one teacher for a request of `task`, by lot.

    Raises:
        RecipeError: no teacher has a share of the task.
    """
    shares = [_share(teacher.weight, task) for teacher in teachers.values()]
    if not any(shares):
        raise RecipeError(
            f"teacher.NAME.weight: no teacher has a share of the task {task}",
            "Give one of them a share, or other.",
        )
    return numbers.choices(list(teachers), shares)[0]


def endpoint_problems(
    teachers: Mapping[str, recipe.Teacher], own: Pack, tasks: Iterable[str]
) -> Iterator[RecipeError]:
    """Yield what is wrong with the shares: a name of no task, and each of the wanted `tasks` that no teacher has a share of."""
    known = [*own.tasks, OTHER_TASK]
    for name, teacher in teachers.items():
        for task in teacher.weight if isinstance(teacher.weight, Mapping) else ():
            if task not in known:
                yield RecipeError(
                    f"teacher.{name}.weight.{task}: no task of the pack {own.code}",
                    f"Tasks: {' '.join(known)}.",
                )
    for task in tasks:
        try:
            choose_endpoint(teachers, task, random.Random(0))
        except RecipeError as error:
            yield error


def _share(share: float | Mapping[str, float], task: str) -> float:
    return share.get(task, share.get(OTHER_TASK, 0.0)) if isinstance(share, Mapping) else share
