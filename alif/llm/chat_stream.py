"""One question to one endpoint, its answer seen while it comes: what a chat asks by.

It goes through the same door as every request: ledger, cost cap, key policy, proxy. A model that costs
nothing may be broken off; one that costs is read to its end, so that the ledger knows what it cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from alif.llm.budget import price_of
from alif.llm.chat_model import Reply
from alif.llm.client import EndpointClient
from alif.llm.reply_body import text_so_far
from alif.llm.retry_policy import RetryPolicy
from alif.llm.session import open_session
from alif.records import Message
from alif.runs import StepContext
from alif.settings import Teacher

__all__ = ["BrokenOff", "is_paid", "stream_reply"]

PATIENCE = RetryPolicy(unreached_s=5.0, silence_s=20.0, give_up_s=60.0, timeouts=1)
"""Somebody sits and waits."""


class BrokenOff(Exception):
    """Whoever asked does not want the rest."""


def is_paid(model: Teacher) -> bool:
    """Tell whether a request to it can cost anything.

    Raises:
        RecipeError: its price is unknown.
    """
    return price_of("chat", model).upper_usd(1, 1) > 0


async def stream_reply(
    context: StepContext,
    name: str,
    model: Teacher,
    messages: Sequence[Message],
    draw: int,
    watch: Callable[[str], bool],
) -> Reply:
    """Answer `messages`; `watch` is called with the text so far, and answers False to break off.

    Raises:
        BrokenOff: it was broken off, and costs nothing.
        AlifError: what the endpoint or the cost cap refuses.
    """
    can_break = not is_paid(model)

    def see(raw: bytes) -> None:
        if not watch(text_so_far(raw)) and can_break:
            raise BrokenOff

    async with open_session(context, {name: model}, role="baseline", retry_policy=PATIENCE) as session:
        client = session[name]
        if isinstance(client, EndpointClient):
            streaming = model.model_copy(update={"stream": True})
            client = replace(client, settings=streaming, transport=replace(client.transport, watch=see))
        return await client.reply(messages, draw=draw)
