"""Ask the teachers for new rows, in rounds, until every task has as many as it should: modified self-instruct.

    freeze the pool ─▶ draw seeds, write requests ─▶ ask them all at once ─▶ read ─▶ accept in the order of the requests ─┐
          ▲                                                                                                               │
          └────────────────────── until each task has its rows, or its teacher has nothing new ◀──────────────────────────┘

Four rounds are under way at a time, so a round is planned without the rows of the three before it. Whatever arrives first, the
order of requests decides, so the same replies give the same rows to the byte: after a kill everything is worked out again from
the ledger. A request shows human seeds, and accepted rows of the same task once the task has enough of them; until then human
seeds only. Every item ends accepted, or dropped with its reason; an item after its task is full is dropped as `target_reached`.
Only what would spoil the pool is refused here, the rest is for `filter`.

Source: Alif, arXiv 2510.09051 (4 human and 2 machine seeds, one pool for all tasks), after Self-Instruct, arXiv 2212.10560.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any

from alif import console, recipe, store
from alif.data import teachers
from alif.data.synthesis import strategies
from alif.dedup.near_duplicates import find_near_duplicates
from alif.data.synthesis.repeated_phrases import find_repeated_phrases
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.errors import DataError
from alif.formatting import format_usd
from alif.language import language_id
from alif.language import pack as packs
from alif.llm import Reply, gather_or_cancel
from alif.records import Counts, Example
from alif.runs import StepContext

__all__ = ["ROUNDS_AT_ONCE", "generate", "initialise", "write_results"]

ROUNDS_AT_ONCE = 4
"""Rounds under way: the next are planned before the first is read, so that one slow reply keeps no place in flight empty."""

OBJECTS_PER_COLLECTION = 100_000


def generate(
    context: StepContext,
    *,
    language: recipe.Language,
    sources: recipe.Sources,
    teacher: Mapping[str, recipe.Teacher],
    generate: recipe.Generate,
    pool: recipe.Pool,
) -> Counts:
    """Write accepted rows until each task has its target, or its teachers bring nothing new.

    Raises:
        DataError: a task without seeds.
        BudgetError: the money cap is reached; what was answered is kept in the ledger.
    """
    expansion = initialise(context, language, sources, generate, pool)
    cost_usd = asyncio.run(_ask(context, expansion, teacher, sources.folder)) if generate.target_rows else 0.0
    return write_results(context, expansion, cost_usd)


def initialise(
    context: StepContext,
    language: recipe.Language,
    sources: recipe.Sources,
    generate: recipe.Generate,
    pool: recipe.Pool,
) -> SelfInstruct:
    """Return the set before the first round: the seeds alone.

    Raises:
        DataError: a task without seeds.
    """
    seeds = list(store.read_models(context.inputs["seeds"] / "examples.jsonl", Example))
    own, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    expansion = SelfInstruct(
        own, known, generate, pool, seeds, strategies.read_passages(generate, own, sources.folder)
    )
    for name, task in expansion.tasks.items():
        if task.target and not expansion.seeds[name]:
            hint = 'Add seeds of that task; generate.weights = "paper" leaves out a task with a share.'
            raise DataError(f"the task {name} has no seeds to show", hint)
    return expansion


def write_results(context: StepContext, expansion: SelfInstruct, cost_usd: float) -> Counts:
    """Write examples.jsonl, dropped.jsonl and requests.jsonl, and count."""
    found = _carriers(expansion)
    for name, wordings in found.items():
        task = expansion.tasks[name]
        console.log(
            f"{name}: the teacher brings next to nothing new, {len(task.accepted)} of {task.target} rows",
            "yellow",
        )
        for wording in wordings:
            console.log(f"{name}: {wording['rows']} of {wording['of']} refused rows say: {wording['words']}")
    store.write_rows(context.folder / "examples.jsonl", expansion.accepted)
    store.write_rows(context.folder / "dropped.jsonl", (row.record() for row in expansion.dropped))
    store.write_rows(context.folder / "requests.jsonl", expansion.requests)
    facts = expansion.facts() | {
        "prompts": strategies.prompt_digests(expansion.requests, expansion.own),
        "carriers": found,
        "near_copies": find_near_duplicates(expansion.accepted, expansion.own, expansion.settings.seed),
        "coverage": expansion.coverage.facts(),
    }
    return Counts.of(len(expansion.accepted), expansion.dropped, cost_usd=cost_usd, **facts)


def _carriers(expansion: SelfInstruct) -> dict[str, list[dict[str, object]]]:
    """Return, for each saturated task, the wordings that its refused rows share."""
    found: dict[str, list[dict[str, object]]] = {}
    for name in (name for name, task in expansion.tasks.items() if task.saturated):
        near = [one.row for one in expansion.dropped if one.reason == "near_duplicate"]
        refused = [
            expansion.crowd.words(row) for row in near if isinstance(row, Example) and row.task == name
        ]
        found[name] = [
            {"words": one.words, "rows": one.rows, "of": len(refused)}
            for one in find_repeated_phrases(refused)
        ]
    return found


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Let Python look for rings of dead objects less often: rows are kept and make none, and each look passes all of them."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_PER_COLLECTION, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


async def _ask(
    context: StepContext, expansion: SelfInstruct, shares: Mapping[str, recipe.Teacher], folder: str
) -> float:
    """Do rounds until none is left to do; return what the step has paid."""
    with _few_collections(), console.progress_bar("generate", expansion.settings.target_rows, "rows") as bar:
        async with teachers.open_endpoints(context, shares, expansion.own, expansion.known, folder) as models:

            async def answered(request: TeacherRequest) -> Reply:
                send = functools.partial(models[request.teacher].reply, draw=request.draw)
                return await strategies.ask_with_revision(
                    send, request.messages, request.revised, expansion.own
                )

            classifier = asyncio.create_task(_load_classifier())
            async for requests, replies in _rounds(expansion, shares, answered):
                await classifier
                for _ in expansion.taking(requests, replies):
                    await asyncio.sleep(0)  # what arrives meanwhile is written down, and the next is sent
                bar.to(len(expansion.accepted), format_usd(models.paid_usd))
        return models.cost_usd


async def _load_classifier() -> None:
    """Load the language classifier, half a second's work, while the first replies are on their way.

    It is unpacked into a temporary file. Where that has no room, whoever needs the classifier says so; most runs do not.
    """
    with contextlib.suppress(OSError):
        await asyncio.to_thread(language_id.language_classifier)


async def _rounds(
    expansion: SelfInstruct,
    shares: Mapping[str, recipe.Teacher],
    answered: Callable[[TeacherRequest], Coroutine[Any, Any, Reply]],
) -> AsyncIterator[tuple[list[TeacherRequest], list[Reply]]]:
    """Yield the rounds with their replies, in order. While one is awaited and taken, the next are on their way."""
    under_way: list[tuple[list[TeacherRequest], asyncio.Task[list[Reply]]]] = []
    try:
        while True:
            while len(under_way) < ROUNDS_AT_ONCE and (
                requests := expansion.plan(shares, [asked for asked, _ in under_way])
            ):
                under_way.append(
                    (
                        requests,
                        asyncio.create_task(gather_or_cancel(answered(request) for request in requests)),
                    )
                )
            if not under_way:
                return
            requests, replies = under_way.pop(0)
            yield requests, await replies
    finally:
        for _, replies in under_way:
            replies.cancel()
        await asyncio.gather(*(replies for _, replies in under_way), return_exceptions=True)
