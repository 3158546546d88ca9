"""Prove key, model and price of every teacher by one real reply of one token.

Each proof is a request of its own, since a stored reply proves nothing about today's key; it is kept in the ledger and counts
against the cap like any other.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alif import console, recipe
from alif.data import teachers
from alif.errors import AlifError, BudgetError
from alif.formatting import format_usd
from alif.language import pack as packs
from alif.llm import Message, Reply
from alif.llm.budget import price_of
from alif.llm.endpoint import hostname
from alif.llm.session import RetryPolicy
from alif.runs import StepContext

__all__ = ["ping_endpoint"]

GREETING = (Message(role="user", content="Say yes."),)
TIMEOUT_S = 120.0
"""Longest wait for one token, whatever runtime.timeout_s is: a server at home may have to load its model first."""
PATIENCE = RetryPolicy(give_up_s=60.0, silence_s=60.0, timeouts=1)
"""Somebody sits and waits for the proof; a run has half an hour."""


def ping_endpoint(context: StepContext, recipe: recipe.Recipe) -> list[dict[str, Any]]:
    """Ask every teacher for one token; tell first what that can cost.

    Returns:
        {teacher, host, model, answered_by, usd, seconds} of each that answered, {…, message, hint} of each that did not.

    Raises:
        RecipeError: an unknown price.
        BudgetError: the cap is reached.
    """
    asked = {name: teacher.model_copy(update={"max_tokens": 1}) for name, teacher in recipe.teacher.items()}
    for name, teacher in asked.items():
        cost = price_of(name, teacher)
        most = cost.upper_usd(len(GREETING[0].content.encode()) + 1000, 1)
        console.log(
            f"teacher.{name}: {teacher.model} at {hostname(teacher.base_url)}, {format_usd(cost.usd_per_million_in)} in and "
            f"{format_usd(cost.usd_per_million_out)} out a million tokens; this check costs at most {format_usd(most)}"
        )
    runtime = {"batch": False, "timeout_s": min(context.runtime.timeout_s, TIMEOUT_S)}
    live = replace(context, runtime=context.runtime.model_copy(update=runtime))
    return [asyncio.run(_greet(live, recipe, name, teacher)) for name, teacher in asked.items()]


async def _greet(
    context: StepContext, recipe: recipe.Recipe, name: str, teacher: recipe.Teacher
) -> dict[str, Any]:
    facts = {"teacher": name, "host": hostname(teacher.base_url), "model": teacher.model}
    own, known = packs.load_pack(recipe.language.pack), packs.load_pack(recipe.language.source)
    try:
        async with teachers.open_endpoints(
            context, {name: teacher}, own, known, recipe.sources.folder, PATIENCE
        ) as models:
            reply, seconds = await _fresh(models, name)
    except BudgetError:
        raise
    except AlifError as error:
        return {**facts, "message": error.message, "hint": error.hint}
    return {**facts, "answered_by": reply.model, "usd": reply.cost_usd, "seconds": round(seconds, 2)}


async def _fresh(models: Mapping[str, Any], name: str) -> tuple[Reply, float]:
    """Return a reply that is not a stored one, and how long it took."""
    for draw in itertools.count():
        began = time.monotonic()
        reply: Reply = await models[name].reply(GREETING, draw=draw)
        if not reply.stored:
            return reply, time.monotonic() - began
    raise AssertionError("the draws never end")
