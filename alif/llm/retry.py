"""Retry a request as long as the policy says, and tell the user who is not heard and why."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from alif.errors import ReplyError
from alif.formatting import format_duration
from alif.llm.ledger import REPEAT
from alif.llm.limiter import Limiter
from alif.llm.provider_error import TIMEOUT, ProviderError
from alif.llm.request_context import RequestContext

__all__ = ["Retries"]

T = TypeVar("T")
LOGGED_FROM_S = 10.0
"""A wait of this length is logged."""


@dataclass(frozen=True)
class Retries:
    """The retries of one request to one endpoint."""

    key: str
    """The recipe key of its table, for messages."""
    host: str
    context: RequestContext
    limiter: Limiter

    async def run(self, seed: str, attempt: Callable[[int], Awaitable[T]], passed: str) -> T:
        """Retry `attempt` until it succeeds; `seed` decides the jitter of the waits.

        Raises:
            ReplyError: a retry cannot help, or the retry policy is exhausted.
            ProviderError: the one whose reason is `passed`, at once.
        """
        failing_since = unreachable_since = math.inf
        unreadable = Counter[tuple[str, int]]()
        for number in itertools.count():
            try:
                return await attempt(number)
            except ProviderError as error:
                if error.reason == passed:
                    raise
                if error.stop:
                    raise error.stop from error
                now = time.monotonic()
                began = now - self.context.timeout_s if error.reason == TIMEOUT else now
                failing_since = min(failing_since, began)
                unreachable_since = min(unreachable_since, now) if error.unreachable else math.inf
                unreadable[error.reason, self.limiter.replies] += error.unreadable
                times = unreadable[error.reason, self.limiter.replies]
                self._check_policy(error, times, round(now - failing_since, 3), now - unreachable_since)
                wait_s = self.context.retry_policy.wait_s(seed, number)
                await asyncio.sleep(max(error.wait_s or 0.0, wait_s))
        raise AssertionError("the attempts never end")

    def _check_policy(
        self, error: ProviderError, unreadable: int, failing_s: float, unreachable_s: float
    ) -> None:
        """Log a long wait, or raise when the policy is exhausted.

        That an endpoint sends nothing but what cannot be read does not pass by itself.
        """
        context, policy = self.context, self.context.retry_policy
        host, asked_s = self.host, error.wait_s or 0.0
        if unreadable >= (policy.unreadable_later if self.limiter.replies else policy.unreadable):
            raise ReplyError(
                f"{self.key}: {host} answers with {error.reason}, {unreadable} times in a row{error.words}",
                f"Check {self.key}.base_url and protocol: requests go to the chat completions of OpenAI's "
                f"interface, or Anthropic's Messages. If the provider is in trouble, {REPEAT}",
            )
        allowed_s = policy.silence_s if host in context.responded_hosts else policy.unreached_s
        timeouts_s = policy.timeouts * context.timeout_s if error.reason == TIMEOUT else 0.0
        give_up_s = max(policy.give_up_s, timeouts_s)
        if unreachable_s >= allowed_s:
            raise ReplyError(
                f"{self.key}: cannot reach {host} "
                f"(tried for {format_duration(unreachable_s)}; {error.account})",
                f"Check the network and {self.key}.base_url, and {REPEAT}",
            )
        if max(failing_s, asked_s) >= give_up_s:
            asks = f", it asks to wait {format_duration(asked_s)}" if asked_s else ""
            raise ReplyError(
                f"{self.key}: {host} has not answered a request for {format_duration(failing_s)} "
                f"(last: {error.account}{asks})",
                f"Look at the provider's status and at runtime.timeout_s, and {REPEAT}",
            )
        if error.unreachable and allowed_s >= LOGGED_FROM_S:
            context.log_once(f"{self.key}: cannot reach {host}, retrying for {format_duration(allowed_s)}")
        elif asked_s >= LOGGED_FROM_S:
            context.log_once(f"{self.key}: {host} asks to wait {format_duration(asked_s)}")
        elif failing_s >= LOGGED_FROM_S:
            until = f"retrying for {format_duration(give_up_s)}"
            context.log_once(f"{self.key}: no reply from {host} yet ({error.reason}), {until}", error.words)
