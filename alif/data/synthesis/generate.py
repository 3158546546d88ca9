"""Ask the teachers for new rows, in rounds, until every task has its target: modified self-instruct.

    freeze the pool ─▶ draw seeds, write requests ─▶ ask all at once ─▶ parse ─▶ accept in request order ─┐
          ▲                                                                                               │
          └──────────────── until each task has its rows, or its teacher has nothing new ◀────────────────┘

Four rounds are in flight at a time, so a round is planned without the rows of the three before it. Whatever
arrives first, the order of requests decides: the same replies give the same rows to the byte, and after a
kill everything is worked out again from the ledger. A request shows human seeds, and accepted rows of its
task once there are enough. Every item ends accepted or dropped with its reason; an item after its task is
full is dropped as `target_reached`. Only what would spoil the pool is dropped here, the rest is for `filter`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from alif import console, settings, store
from alif.data import teachers
from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis.passages import read_passages
from alif.data.synthesis.repeated_phrases import find_repeated_phrases
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.data.synthesis.strategies import ask_with_revision
from alif.data.unreadable_replies import UNREADABLE
from alif.dedup.near_duplicates import find_near_duplicates
from alif.errors import DataError
from alif.facts.data_facts import GenerateFacts
from alif.formatting import format_usd
from alif.language import language_id
from alif.language import pack as packs
from alif.llm import ChatRequest, Reply
from alif.records import Dropped, Example
from alif.runs import StepContext

__all__ = ["ROUNDS_IN_FLIGHT", "generate", "initialise", "summarise", "write_results"]

ROUNDS_IN_FLIGHT = 4
"""The next rounds are asked before the first is read, so that one slow reply keeps no place in flight
empty."""
OBJECTS_PER_COLLECTION = 100_000
FILES = ("examples.jsonl", "dropped.jsonl", "requests.jsonl")

Round: TypeAlias = tuple[list[TeacherRequest], list[Reply]]


def generate(
    context: StepContext,
    *,
    language: settings.Language,
    sources: settings.Sources,
    teacher: Mapping[str, settings.Teacher],
    generate: settings.Generate,
    pool: settings.Pool,
) -> GenerateFacts:
    """Keep accepted rows until each task has its target, or its teachers bring nothing new.

    Raises:
        DataError: a task without seeds.
        ReplyError: nothing can be read of what a teacher answers.
        BudgetError: the money cap is reached; what was answered is kept in the ledger.
    """
    growing = initialise(context, language, sources, generate, pool)
    context.output.require(*FILES)
    if generate.target_rows:
        asyncio.run(_generate_rows(context, growing, teacher, sources.folder))
    return summarise(growing)


def initialise(
    context: StepContext,
    language: settings.Language,
    sources: settings.Sources,
    generate: settings.Generate,
    pool: settings.Pool,
) -> SelfInstruct:
    """Return the set before the first round: the seeds alone.

    Raises:
        DataError: a task without seeds.
    """
    seeds = list(store.read_models(context.inputs["seeds"] / "examples.jsonl", Example))
    own, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    texts = load_prompt_texts(context.paths["prompts"])
    passages = read_passages(generate, own, sources.folder)
    growing = SelfInstruct(own, known, generate, pool, texts, seeds, passages)
    for name, task in growing.tasks.items():
        if task.target and not growing.seeds[name]:
            hint = 'Add seeds of that task; generate.weights = "paper" leaves out a task with a share.'
            raise DataError(f"the task {name} has no seeds to show", hint)
    return growing


def write_results(
    context: StepContext, growing: SelfInstruct, requests: list[TeacherRequest], replies: list[Reply]
) -> Iterator[None]:
    """Accept a round and write its rows and requests, reply by reply."""
    output = context.output
    for results in growing.accept_replies(requests, replies):
        for result in output.read(results):
            if isinstance(result, Dropped):
                output.drop(result)
            else:
                output.keep(result)
        output.write(growing.requests[-1], "requests.jsonl")
        yield


def summarise(growing: SelfInstruct) -> GenerateFacts:
    """Return how the set has grown, and log which tasks are saturated.

    Raises:
        ReplyError: nothing could be read of what a teacher answered.
    """
    growing.replies.check(ended=True)
    funnel = growing.funnel.facts(list(growing.own.tasks))
    saturated = {name: task for name, task in growing.tasks.items() if task.saturated}
    phrases = {
        name: find_repeated_phrases([growing.pool.compared_words(row) for row in task.near_duplicates])
        for name, task in saturated.items()
    }
    for name, task in saturated.items():
        have = f"{len(task.accepted)} of {task.target} rows"
        lost = {reason: n for reason, n in funnel.tasks[name].dropped.items() if reason in UNREADABLE}
        if 2 * sum(lost.values()) > funnel.tasks[name].pieces:
            reasons = ", ".join(f"{count} {reason}" for reason, count in lost.items())
            why = f"most of what the teacher answers cannot be used ({reasons}), {have}"
        else:
            why = f"the teacher brings next to nothing new, {have}"
        console.log(f"{name}: {why}", "yellow")
        for phrase in phrases[name]:
            console.log(f"{name}: {phrase.rows} of {phrase.of} refused rows say: {phrase.words}")
    return GenerateFacts(
        rounds=growing.rounds,
        saturated=tuple(saturated),
        targets={name: task.target for name, task in growing.tasks.items()},
        funnel=funnel,
        format_deviations=dict(sorted(growing.format_deviations.items())),
        prompts=growing.prompt_digests(),
        repeated_phrases=phrases,
        near_duplicates=find_near_duplicates(growing.accepted, growing.own, growing.settings.seed),
        coverage=growing.coverage.facts(),
    )


@contextlib.contextmanager
def _fewer_collections() -> Iterator[None]:
    """Collect garbage less often: rows make no cycles, and each collection visits all of them."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_PER_COLLECTION, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


async def _generate_rows(
    context: StepContext, growing: SelfInstruct, endpoints: Mapping[str, settings.Teacher], folder: str
) -> None:
    """Ask and accept rounds until none is left."""
    own, known, texts = growing.own, growing.known, growing.texts
    endpoints = teachers.item_endpoints(endpoints, growing.settings)
    with _fewer_collections(), console.progress_bar("generate", growing.settings.target_rows, "rows") as bar:
        async with teachers.open_endpoints(context, endpoints, own, known, texts, folder) as models:

            async def ask(requests: Sequence[TeacherRequest]) -> list[Reply]:
                questions = [ChatRequest(one.teacher, one.messages, one.draw) for one in requests]
                revised = [one.revised for one in requests]
                return await ask_with_revision(models.reply_all, questions, revised, texts, own)

            classifier = asyncio.create_task(_load_classifier())
            async for requests, replies in _rounds(growing, endpoints, ask, context.runtime.batch):
                await classifier
                for _ in write_results(context, growing, requests, replies):
                    await asyncio.sleep(0)  # replies that arrive meanwhile are stored, and the next are sent
                bar.to(len(growing.accepted), format_usd(models.paid_usd))
        context.output.cost_usd = models.cost_usd


async def _load_classifier() -> None:
    """Load the language classifier, half a second's work, while the first replies are on their way.

    It is unpacked into a temporary file. Where that has no room, whoever needs the classifier reports it.
    """
    with contextlib.suppress(OSError):
        await asyncio.to_thread(language_id.language_classifier)


async def _rounds(
    growing: SelfInstruct,
    endpoints: Mapping[str, settings.Teacher],
    ask: Callable[[Sequence[TeacherRequest]], Coroutine[Any, Any, list[Reply]]],
    batch: bool,
) -> AsyncIterator[Round]:
    """Yield the rounds with their replies, in order, while the next are in flight.

    The second is not sent before the first is read, which may show that no reply can be; a batch that waits
    for another would cost a day.
    """
    first_read = asyncio.Event()

    async def ask_later(requests: Sequence[TeacherRequest]) -> list[Reply]:
        await first_read.wait()
        return await ask(requests)

    in_flight: list[tuple[list[TeacherRequest], asyncio.Task[list[Reply]]]] = []
    try:
        while True:
            while len(in_flight) < ROUNDS_IN_FLIGHT:
                requests = growing.plan_round(endpoints, [asked for asked, _ in in_flight])
                if not requests:
                    break
                at_once = batch or not (in_flight or growing.rounds)
                replies = asyncio.create_task((ask if at_once else ask_later)(requests))
                in_flight.append((requests, replies))
            if not in_flight:
                return
            requests, replies = in_flight.pop(0)
            yield requests, await replies
            first_read.set()
    finally:
        for _, replies in in_flight:
            replies.cancel()
        await asyncio.gather(*(replies for _, replies in in_flight), return_exceptions=True)
