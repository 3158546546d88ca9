"""Tell a prompt that can never be answered from a teacher that answers nobody.

    fails ─▶ does the endpoint answer others? ─ yes ─▶ fails again while it does ─▶ set aside, with its reason
                 └─ nobody knows ─▶ one word in the same roles is asked ─ no answer ─▶ the teacher's fault

A prompt that is too long, filtered in silence or brings the model down fails whenever it is asked. A wrong
setting, a revoked key or an outage fails every prompt: those are waited for, or stop the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from alif.llm.provider_error import ProviderError

__all__ = ["GREETING", "EndpointWatch", "Suspect"]

T = TypeVar("T")

GREETING = "Say yes."
"""What the endpoint is asked, in each message of the failing request, to see whether it answers anybody."""
TRIES = 4
"""Failures that may pass by themselves before they are the prompt's."""
REFUSALS = 2
"""The same for a refusal that a retry cannot help."""
FEW = 16
"""Prompts that may be set aside one after the other while no other is asked, where the endpoint has answered
before; and one in so many that it has answered in this session, since a batch may leave more."""
TEACHERS_OWN = ("401", "402", "404", "503")
"""Statuses that are never about one prompt: key, money, model, load."""


@dataclass
class EndpointWatch:
    """Whom one endpoint answers, and whom it does not."""

    answers: int = 0
    """In this session."""
    answered_at: float = -math.inf
    """When the latest request that got its answer was sent."""
    greeted_at: float = -math.inf
    """When the latest greeting that got its answer was sent."""
    in_a_row: int = 0
    """Requests set aside since the latest answer."""
    asked: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    """Those of `asked` whose latest attempt failed."""
    _greeting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refused: ProviderError | None = None
    _refused_at: float = -math.inf

    @contextlib.contextmanager
    def asking(self, request: str) -> Iterator[Suspect]:
        """Watch one request until it is answered, set aside or given up."""
        self.asked.add(request)
        try:
            yield Suspect(self, request)
        finally:
            self.asked.discard(request)
            self.failing.discard(request)

    def record_answer(self, request: str, sent_at: float) -> None:
        """Count the answer to a request; a greeting is none of `asked`."""
        if request in self.asked:
            self.answers += 1
            self.in_a_row = 0
            self.answered_at = max(self.answered_at, sent_at)
        else:
            self.greeted_at = max(self.greeted_at, sent_at)

    async def greet(
        self, ask: Callable[[], Awaitable[object]], since: float, again_s: float
    ) -> ProviderError | None:
        """Greet the endpoint, unless it has answered `since` or refused just now; return its refusal."""
        async with self._greeting:
            if max(self.answered_at, self.greeted_at) > since:
                return None
            if time.monotonic() - self._refused_at > again_s:
                try:
                    self._refused = None
                    await ask()
                except ProviderError as error:
                    self._refused, self._refused_at = error, time.monotonic()
            return self._refused


@dataclass
class Suspect:
    """One request that is asked, and what its failures say."""

    watch: EndpointWatch
    request: str
    reason: str = ""
    """Of its latest failure."""
    failures: int = 0
    failed_first: float = math.inf
    failed_last: float = math.inf

    async def attempt(
        self,
        send: Callable[[], Awaitable[T]],
        greet: Callable[[], Awaitable[object]],
        answered_before: Callable[[], bool],
        again_s: float,
    ) -> T | None:
        """Send the request once; return None where it is to be set aside.

        Args:
            send: sends it.
            greet: asks the endpoint for one word.
            answered_before: whether the endpoint has answered anything in earlier sessions.
            again_s: how long a refused greeting speaks for all.

        Raises:
            ProviderError: it failed; without `stop` it is worth another attempt.
        """
        watch = self.watch
        alive = max(watch.answered_at, watch.greeted_at) > self.failed_last
        others = watch.answered_at > self.failed_first
        try:
            return await send()
        except ProviderError as error:
            busy = error.rate_limited or error.unreachable or error.wait_s is not None
            if busy or error.reason in TEACHERS_OWN or error.reason.startswith("3"):  # not about this prompt
                raise
            self.reason = f"{error.reason}{error.words}"
            self.failures += 1
            self.failed_last = time.monotonic()
            self.failed_first = min(self.failed_first, self.failed_last)
            watch.failing.add(self.request)
            enough = self.failures >= (REFUSALS if error.stop else TRIES)
            if enough and alive and (others or watch.asked == watch.failing):
                few = FEW * (watch.answers > 0 or answered_before())
                if others or watch.in_a_row + len(watch.failing) <= max(few, watch.answers // FEW):
                    watch.in_a_row += 1
                    return None
                raise  # the greeting is answered, and no prompt
            if not enough and not error.stop:
                raise
            refusal = await watch.greet(greet, self.failed_last, again_s)
            if error.stop and refusal and refusal.stop:
                raise
            raise replace(error, stop=None) from error
