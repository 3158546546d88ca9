"""What is asked of a chat model and what it answers, whoever the model is.

    messages, draw  ──▶  ChatModel.reply  ──▶  Reply

`draw` says which repetition of the same messages is meant: two draws are two requests, the same draw is one request for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import AfterValidator

from alif.records import FrozenModel, Message, sanitize_text

__all__ = [
    "ChatModel",
    "Message",
    "Reply",
    "ReplyFunction",
    "ScriptedReply",
    "finish_in_flight",
    "gather_or_cancel",
    "sanitize_text",
]

T = TypeVar("T")


class Reply(FrozenModel):
    """What a model answered, and what that took."""

    text: str
    """The answer, made `whole`."""
    finish: str
    """Why it ended: "stop", "length" (cut off at max_tokens), "content_filter", or the provider's own word."""
    model: str
    """The model as the provider names it in the reply."""
    request: str
    """Hash of the request in the ledger."""
    tokens_in: int
    tokens_out: int
    """Reasoning tokens included."""
    cost_usd: float
    """What the reply cost when it was sent for."""
    stored: bool = False
    """Whether it came from the ledger, free."""
    turns: tuple[str, ...] = ()
    """Hashes of all requests of its conversation, in order, where it took several: tokens and cost are those of all."""


class ChatModel(Protocol):
    """One door to every model: teacher, translator, judge, our own student."""

    async def reply(self, messages: Sequence[Message], *, draw: int = 0) -> Reply:
        """Answer `messages`. The same messages, settings and `draw` are answered from the ledger, free."""


class ScriptedReply(FrozenModel):
    """What a script answers: a text, or with a `status` of 400 and more a refusal with the text as its message."""

    text: str
    finish: str = "stop"
    status: int = 200
    code: str = ""
    """The provider's word for a refusal, such as `insufficient_quota`."""


class ReplyFunction(Protocol):
    """What the offline teacher answers: a pure function of the messages and the draw."""

    def __call__(self, messages: Sequence[Message], draw: int, /) -> ScriptedReply:
        """Answer `messages` for the time numbered `draw`."""


async def gather_or_cancel(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await `calls` at the same time and return their results in order.

    At the first failure the others are cancelled and that failure is raised as it is.
    """
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def finish_in_flight(call: Coroutine[Any, Any, T], within_s: float) -> T:
    """Await `call`; when cancelled, however often, let it end all the same, but no longer than `within_s` or the event loop."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        deadline = time.monotonic() + within_s
        while not task.done() and (left_s := deadline - time.monotonic()) > 0:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=left_s)
        raise
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
