"""The teachers of a step: open their endpoints, and choose one for each request by their weights."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager

from alif import settings
from alif.data.demo import demo_teacher
from alif.data.filters.filter_context import OTHER_TASK
from alif.data.prompt_texts import PromptTexts
from alif.errors import RecipeError
from alif.language.pack import Pack
from alif.language.replies.json_items import ITEMS_SCHEMA
from alif.llm.chat_model import Role
from alif.llm.endpoint import SCRIPTED, protocol_of
from alif.llm.session import EndpointSession, RetryPolicy, open_session
from alif.runs import StepContext

__all__ = ["choose_endpoint", "endpoint_problems", "item_endpoints", "open_endpoints"]


@asynccontextmanager
async def open_endpoints(
    context: StepContext,
    teachers: Mapping[str, settings.Teacher],
    own: Pack,
    known: Pack,
    texts: PromptTexts,
    folder: str,
    retry: RetryPolicy | None = None,
    role: Role = "teacher",
) -> AsyncIterator[EndpointSession]:
    """Open the recipe's teachers; a scripted one answers from the packs' demo folders and its parallel files.

    Raises:
        RecipeError: the recipe has no teacher.
    """
    if not teachers:
        raise RecipeError(
            f"the step {context.step} needs a teacher, and the recipe has none",
            "Add a table [teacher.NAME] with model and base_url.",
        )
    scripted = [teacher for teacher in teachers.values() if teacher.base_url == SCRIPTED]
    reply, digest = None, ""
    if scripted:
        files = tuple(dict.fromkeys(pattern for teacher in scripted for pattern in teacher.parallel_files))
        answers = demo_teacher.load_demo_answers(own, known, files, folder)
        reply, digest = demo_teacher.demo_reply(own, known, texts, answers), answers.answers_digest
    async with open_session(
        context, teachers, reply, role=role, answers_digest=digest, retry_policy=retry
    ) as models:
        yield models


def item_endpoints(
    teachers: Mapping[str, settings.Teacher], generate: settings.Generate
) -> dict[str, settings.Teacher]:
    """Return the teachers as they are asked for new rows: with the schema of their replies, where wanted.

    Raises:
        RecipeError: a schema where the protocol has none, or where other requests than for rows are sent.
    """
    found = dict(teachers)
    for name, teacher in teachers.items():
        if not teacher.json_schema:
            continue
        hint = "Leave it out: the text format is read as well."
        if protocol_of(teacher) == "anthropic":
            raise RecipeError(
                f"teacher.{name}.json_schema: Anthropic's protocol has no response_format", hint
            )
        if generate.reverse_share or generate.revise_share:
            what = "reverse and revised requests ask for other texts than rows"
            raise RecipeError(f"teacher.{name}.json_schema: {what}", hint)
        extra = {"response_format": ITEMS_SCHEMA, **teacher.extra}
        found[name] = teacher.model_copy(update={"extra": extra})
    return found


def choose_endpoint(teachers: Mapping[str, settings.Teacher], task: str, rng: random.Random) -> str:
    """Return the name of one teacher for a request of `task`, drawn by weight.

    Raises:
        RecipeError: no teacher has a weight for the task.
    """
    weights = [
        weight.get(task, weight.get(OTHER_TASK, 0.0)) if isinstance(weight, Mapping) else weight
        for weight in (teacher.weight for teacher in teachers.values())
    ]
    if not any(weights):
        raise RecipeError(
            f"teacher.NAME.weight: no teacher has a weight for the task {task}",
            "Give one of them a weight, or other.",
        )
    return rng.choices(list(teachers), weights)[0]


def endpoint_problems(
    teachers: Mapping[str, settings.Teacher], own: Pack, tasks: Iterable[str]
) -> Iterator[RecipeError]:
    """Yield weights of unknown tasks, and each of `tasks` that no teacher has a weight for."""
    known = [*own.tasks, OTHER_TASK]
    for name, teacher in teachers.items():
        for task in teacher.weight if isinstance(teacher.weight, Mapping) else ():
            if task not in known:
                hint = f"Tasks: {' '.join(known)}."
                yield RecipeError(f"teacher.{name}.weight.{task}: no task of the pack {own.code}", hint)
    for task in tasks:
        try:
            choose_endpoint(teachers, task, random.Random(0))
        except RecipeError as error:
            yield error
