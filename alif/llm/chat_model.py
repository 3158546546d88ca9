"""What a chat model is asked and what it answers, whoever the model is.

    messages, draw  ──▶  ChatModel.reply  ──▶  Reply

`draw` numbers repetitions of the same messages: two draws are two requests, the same draw is the same
request.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from alif.llm.parse import BLOCKED
from alif.records import FrozenModel, Message

__all__ = [
    "UNANSWERED", "ChatModel", "ChatRequest", "Reply", "ReplyFunction", "Role", "ScriptedReply",
    "cancel_tasks", "finish_in_flight", "gather_or_cancel",
]  # fmt: skip

T = TypeVar("T")
UNANSWERED = "unanswered"
"""What the finish of a request begins with that was set aside; the reason follows."""
Role = Literal["teacher", "translator", "judge", "baseline", "student"]
"""What an endpoint is asked for; the ledger sums up costs by it."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request to one endpoint."""

    endpoint: str
    """Its name in the recipe."""
    messages: Sequence[Message]
    draw: int = 0


class Reply(FrozenModel):
    """What a model answered, and what that took."""

    text: str
    """The answer, sanitized."""
    finish: str
    """Why it ended: "stop", "length" (max_tokens reached), "content_filter", "unanswered: …" (set aside), or
    the provider's own word."""
    model: str
    """The model as the provider names it in the reply."""
    request: str
    """Hash of the request in the ledger."""
    tokens_in: int
    tokens_out: int
    """Reasoning tokens included."""
    cost_usd: float
    """What the reply cost when it was requested."""
    stored: bool = False
    """Whether it came from the ledger, free."""
    turns: tuple[str, ...] = ()
    """Hashes of all requests of its conversation, in order, where it took several; tokens and cost are
    sums."""

    @property
    def unanswered(self) -> bool:
        """Whether the model answered nothing: the prompt was set aside, or a filter withheld it."""
        return not self.text and self.finish.startswith((UNANSWERED, BLOCKED))


class ChatModel(Protocol):
    """Any model that is asked: teacher, translator, judge, baseline, student."""

    async def reply(self, messages: Sequence[Message], *, draw: int = 0) -> Reply:
        """Answer `messages`. The same messages, settings and `draw` are answered from the ledger, free."""


class ScriptedReply(FrozenModel):
    """What a reply function answers: a text, or with a `status` from 400 a refusal with that message."""

    text: str
    finish: str = "stop"
    status: int = 200
    code: str = ""
    """The provider's word for a refusal, such as `insufficient_quota`."""


class ReplyFunction(Protocol):
    """What the offline teacher answers: a pure function of the messages and the draw."""

    def __call__(self, messages: Sequence[Message], draw: int, /) -> ScriptedReply:
        """Answer `messages` for the repetition `draw`."""


async def gather_or_cancel(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Await `calls` concurrently and return their results in order.

    At the first failure the others are cancelled and that failure is raised as it is.
    """
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await cancel_tasks(tasks)


async def cancel_tasks(tasks: Iterable[asyncio.Task[T]]) -> None:
    """Cancel what is not done and wait until all are; their errors are dropped."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def finish_in_flight(call: Coroutine[Any, Any, T], within_s: float) -> T:
    """Await `call`; when cancelled, give it up to `within_s` to end before the cancellation is raised."""
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
        await cancel_tasks([task])
