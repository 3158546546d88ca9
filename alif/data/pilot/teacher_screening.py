"""Send the same requests to every teacher of a recipe, and read each one's replies as if it were alone.

    first rounds, planned from the seeds alone ─▶ one teacher ─▶ its own pool ─▶ filters ─▶ kept, or dropped
                                                └▶ the next ──▶ its own pool ─▶ …

These are the requests that `generate` asks first, so a run finds the replies in the ledger, whichever teacher
it keeps.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from alif import console, settings
from alif.data import teachers
from alif.data.filters.filter_context import FilterContext
from alif.data.filters.rules import first_fault
from alif.data.pilot.pilot_run import log_price, prepare_pilot
from alif.data.synthesis import generate
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.data.synthesis.strategies import ask_with_revision
from alif.errors import AlifError, DataError, RecipeError, ReplyError
from alif.facts.screening_facts import ScreenedReply, ScreenedTeacher
from alif.formatting import format_usd
from alif.llm import ChatRequest, Reply, gather_or_cancel
from alif.llm.session import EndpointSession, RetryPolicy
from alif.records import Dropped, Example
from alif.runs import StepContext

__all__ = ["plan_requests", "screen_teachers"]

RETRY = RetryPolicy(give_up_s=300.0, silence_s=120.0, timeouts=2)
"""Somebody waits, and the other teachers' replies are there; a run retries for half an hour."""
NO_TARGET = 10**9
"""No task is full: that a row came late says nothing about its teacher."""


def screen_teachers(context: StepContext, recipe: settings.Recipe, count: int) -> list[ScreenedTeacher]:
    """Send `count` requests to each teacher, live, and return what became of the items of each.

    A teacher that fails, or passes the cap, has its problem beside the replies that it gave.

    Raises:
        RecipeError: fewer than two teachers, or one without a price.
        DataError: `generate` asks nothing.
    """
    if len(recipe.teacher) < 2:
        names = ", ".join(recipe.teacher) or "none"
        hint = "Add a table [teacher.NAME]; without --compare one teacher is tried alone."
        raise RecipeError(f"{recipe.name}: to compare teachers takes two, the recipe has: {names}", hint)
    live = replace(prepare_pilot(context, recipe), step=context.step)  # the run asks only some of them
    growing = _initialise(live, recipe, recipe.generate)
    planned = plan_requests(growing, recipe.teacher, count)
    if not planned:
        raise DataError(
            f"{recipe.name}: --compare sends requests of the step generate, which asks nothing",
            "Set generate.target_rows above 0.",
        )
    if len(planned) < count:
        console.log(f"{len(planned)} requests are all that the recipe asks before it has read a reply")
    log_price(recipe, [(name, one.messages) for one in planned for name in recipe.teacher])
    answered = asyncio.run(_ask_teachers(live, recipe, growing, planned))
    endless = recipe.generate.model_copy(update={"target_rows": NO_TARGET})
    return [
        _read_replies(_initialise(live, recipe, endless), recipe, name, planned, *answered[name])
        for name in recipe.teacher
    ]


def _initialise(live: StepContext, recipe: settings.Recipe, wanted: settings.Generate) -> SelfInstruct:
    return generate.initialise(live, recipe.language, recipe.sources, wanted, recipe.pool)


def plan_requests(
    growing: SelfInstruct, endpoints: Mapping[str, settings.Teacher], count: int
) -> list[TeacherRequest]:
    """Return the first `count` requests of a run that has read no reply yet, the last spread over the tasks.

    Draws are counted over all teachers: each is asked everything.
    """
    rounds: list[list[TeacherRequest]] = []
    while (left := count - sum(map(len, rounds))) > 0:
        if not (round_ := growing.plan_round(endpoints, rounds)):
            break
        some = min(left, len(round_))
        rounds.append([round_[place * len(round_) // some] for place in range(some)])
    drawn, planned = Counter[object](), []
    for one in chain.from_iterable(rounds):
        planned.append(replace(one, draw=drawn[one.messages]))
        drawn[one.messages] += 1
    return planned


async def _ask_teachers(
    live: StepContext, recipe: settings.Recipe, growing: SelfInstruct, planned: Sequence[TeacherRequest]
) -> dict[str, tuple[dict[int, Reply], AlifError | None]]:
    """Return each teacher's replies by number, and why there are no more; one that fails stops no other."""
    own, texts = growing.own, growing.texts

    async def ask_all(models: EndpointSession, name: str) -> tuple[dict[int, Reply], AlifError | None]:
        replies: dict[int, Reply] = {}
        # each teacher has its share of the places, so that under a cap all get about as far
        places = asyncio.Semaphore(max(1, live.runtime.max_concurrency // len(recipe.teacher)))

        async def ask(number: int, one: TeacherRequest) -> None:
            question = ChatRequest(name, one.messages, one.draw)
            async with places:
                found = await ask_with_revision(models.reply_all, [question], [one.revised], texts, own)
            replies[number] = found[0]
            bar.advance(facts=format_usd(models.paid_usd))

        try:
            await gather_or_cancel(ask(number, one) for number, one in enumerate(planned))
        except AlifError as error:
            return replies, error
        return replies, None

    with console.progress_bar("compare", len(planned) * len(recipe.teacher), "requests") as bar:
        endpoints = teachers.item_endpoints(recipe.teacher, recipe.generate)
        async with teachers.open_endpoints(
            live, endpoints, own, growing.known, texts, recipe.sources.folder, RETRY
        ) as models:
            found = await asyncio.gather(*(ask_all(models, name) for name in recipe.teacher))
    return dict(zip(recipe.teacher, found, strict=True))


def _read_replies(
    growing: SelfInstruct,
    recipe: settings.Recipe,
    name: str,
    planned: Sequence[TeacherRequest],
    replies: Mapping[int, Reply],
    problem: AlifError | None,
) -> ScreenedTeacher:
    """Decide about every item of a teacher's replies, in the order of the requests."""
    teacher, checked = recipe.teacher[name], FilterContext(growing.own, growing.known, recipe.filter)
    factor = teacher.batch_price_factor if recipe.runtime.batch else 1.0

    def decide(piece: Example | Dropped) -> Example | Dropped:
        fault = first_fault(piece, checked) if isinstance(piece, Example) else None
        return Dropped(row=piece, reason=fault[0], evidence=fault[1]) if fault else piece

    numbers, found = sorted(replies), dict[int, ScreenedReply]()
    asked = [replace(planned[number], teacher=name) for number in numbers]
    try:
        read = growing.accept_replies(asked, [replies[number] for number in numbers])
        for number, pieces in zip(numbers, read, strict=True):
            usd = replies[number].cost_usd * factor
            found[number] = ScreenedReply(tuple(map(decide, pieces)), usd)
        growing.replies.check(ended=True)
    except ReplyError as error:
        problem = problem or error
    return ScreenedTeacher(name, teacher.model, found, problem)
