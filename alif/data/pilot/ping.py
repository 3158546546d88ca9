"""Check key, model and price of every endpoint by one real reply of a word.

Each check is a request of its own, since a stored reply proves nothing about today's key; it is kept in the
ledger and counts against the cap like any other.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import NotRequired, TypedDict

from alif import console, settings
from alif.data import teachers
from alif.data.prompt_texts import load_prompt_texts
from alif.data.unreadable_replies import describe_unreadable
from alif.errors import AlifError, BudgetError
from alif.formatting import format_usd
from alif.language import pack as packs
from alif.language.replies.reply_cleanup import strip_thinking
from alif.llm import ChatModel, Message, Reply
from alif.llm.budget import price_of
from alif.llm.chat_model import Role
from alif.llm.endpoint import hostname
from alif.llm.session import ROLE_TABLES, RetryPolicy
from alif.runs import StepContext

__all__ = ["PingResult", "ping_endpoints"]

GREETING = (Message(role="user", content="Say yes."),)
MAX_TOKENS = 512
"""Room for a word, and for the thinking that a model may do before it."""
TIMEOUT_S = 120.0
"""Longest wait for a word, whatever runtime.timeout_s is: a local server may have to load its model
first."""
RETRY = RetryPolicy(give_up_s=60.0, silence_s=60.0, timeouts=1)
"""Somebody waits for the answer; a run retries for half an hour."""


class PingResult(TypedDict):
    """An endpoint, and its answer, or what is wrong with it or came instead."""

    role: str
    """Its table in the recipe: teacher, judge, system."""
    teacher: str
    """Its name there, whatever its role is."""
    host: str
    model: str
    answered_by: NotRequired[str]
    usd: NotRequired[float]
    seconds: NotRequired[float]
    message: NotRequired[str]
    hint: NotRequired[str]


def ping_endpoints(
    context: StepContext,
    recipe: settings.Recipe,
    others: Mapping[Role, Mapping[str, settings.Teacher]] | None = None,
) -> list[PingResult]:
    """Ask every teacher for a word, and every other model that the recipe asks; say first what that can cost.

    Returns:
        {role, teacher, host, model, answered_by, usd, seconds} of each that answered; with {message, hint}
            where that is no word, {…, message, hint} of the others.

    Raises:
        RecipeError: an unknown price.
        BudgetError: the cap is reached.
    """
    roles: dict[Role, Mapping[str, settings.Teacher]] = {"teacher": recipe.teacher, **(others or {})}
    asked = [
        (role, name, one.model_copy(update={"max_tokens": min(one.max_tokens, MAX_TOKENS)}))
        for role, endpoints in roles.items()
        for name, one in endpoints.items()
    ]
    for role, name, one in asked:
        key = f"{ROLE_TABLES[role]}.{name}"
        price = price_of(key, one)
        most = price.upper_usd(len(GREETING[0].content.encode()) + 1000, one.max_tokens)
        console.log(
            f"{key}: {one.model} at {hostname(one.base_url)}, "
            f"{format_usd(price.usd_per_million_in)} in and {format_usd(price.usd_per_million_out)} out "
            f"a million tokens; this check costs at most {format_usd(most)}"
        )
    runtime = {"batch": False, "timeout_s": min(context.runtime.timeout_s, TIMEOUT_S)}
    live = replace(context, runtime=context.runtime.model_copy(update=runtime))
    return [asyncio.run(_ping(live, recipe, role, name, one)) for role, name, one in asked]


async def _ping(
    context: StepContext, recipe: settings.Recipe, role: Role, name: str, teacher: settings.Teacher
) -> PingResult:
    found: PingResult = {
        "role": ROLE_TABLES[role],
        "teacher": name,
        "host": hostname(teacher.base_url),
        "model": teacher.model,
    }
    own, known = packs.load_pack(recipe.language.pack), packs.load_pack(recipe.language.source)
    texts, folder = load_prompt_texts(), recipe.sources.folder
    try:
        async with teachers.open_endpoints(
            context, {name: teacher}, own, known, texts, folder, RETRY, role
        ) as models:
            reply, seconds = await _fresh_reply(models, name)
    except BudgetError:
        raise
    except AlifError as error:
        return {**found, "message": error.message, "hint": error.hint}
    found |= {"answered_by": reply.model, "usd": reply.cost_usd, "seconds": round(seconds, 2)}
    if reply.unanswered or not strip_thinking(reply.text)[0].strip():
        problem = describe_unreadable(f"{ROLE_TABLES[role]}.{name}", [reply])
        found |= {"message": problem.message, "hint": problem.hint}
    return found


async def _fresh_reply(models: Mapping[str, ChatModel], name: str) -> tuple[Reply, float]:
    """Return a reply that is not a stored one, and how long it took."""
    for draw in itertools.count():
        began = time.monotonic()
        reply = await models[name].reply(GREETING, draw=draw)
        if not reply.stored:
            return reply, time.monotonic() - began
    raise AssertionError("the draws never end")
