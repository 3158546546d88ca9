"""Adapt the number of requests in flight to what a provider bears.

    in flight   16 ────────┐429s, timeouts    ┌─ +1 after every 25 answers
                           └ 12 ──────────────┘

Additive increase, multiplicative decrease: published limits are often not the real ones, so the limiter listens. A burst of
refusals is one message: only a request that was sent after the last cut can cause the next one. A refusal now and then is no
message at all: some providers refuse at any pace, and a limit that is cut each time would fall to a handful. The same holds for
the wait that a refusal asks for: the request itself always keeps it, all the others once refusals are the rule. A timeout is a
refusal too: a server at home that answers one request at a time keeps the others waiting until nobody waits for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Limiter"]

ANSWERS_PER_STEP = 25
"""Answers after which one more request may be in flight. Source: NeMo Data Designer 0.9.7, request admission."""
CUT = 0.75
"""What a burst of refusals leaves of the limit. Source: NeMo Data Designer 0.9.7, request admission."""
MEMORY = 20
"""Answers and refusals over which the share of refusals is taken, the latest counting most."""
TOLERATED = 0.12
"""Share of refusals that is borne: one in twenty is, three in a row are not."""


class Limiter:
    """How many requests one model at one address is sent at the same time, between 1 and `most`."""

    def __init__(self, most: int) -> None:
        self.limit = most
        self._most = most
        self._flying = 0
        self._burst = 0
        self._answers = 0
        self._refusals = 0.0
        self._resume_at = 0.0
        self._again = 0
        self._turns = (asyncio.Lock(), asyncio.Lock())
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def slot(self, *, again: bool = False) -> AsyncIterator[int]:
        """Wait for a place in flight and keep it for the length of a block; yield the burst it was sent in.

        What is tried `again` goes first: a round ends with its last reply.
        """
        self._again += again
        try:
            async with self._turns[again]:
                while (wait_s := self._wait_s(again)) != 0:
                    self._changed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._changed.wait()
                self._flying += 1
        finally:
            self._again -= again
            self._changed.set()
        try:
            yield self._burst
        finally:
            self._flying -= 1
            self._changed.set()

    def _wait_s(self, again: bool) -> float | None:
        """Return how long to wait for a place; None where that depends on others."""
        if (pause_s := self._resume_at - time.monotonic()) > 0:
            return pause_s
        return None if self._flying >= self.limit or (self._again and not again) else 0

    def answered(self) -> None:
        """Note an answer; after enough of them one more request may fly."""
        self._answers += 1
        self._refusals *= 1 - 1 / MEMORY
        if self._answers >= ANSWERS_PER_STEP:
            self._answers = 0
            self.limit = min(self._most, self.limit + 1)

    def refused(self, burst: int, wait_s: float | None = None) -> None:
        """Note that a request sent in `burst` met a full provider, which asks to wait so long, or was not answered in time.

        Where that is the rule the limit is cut, once a burst, and all wait; now and then is that request's affair alone.
        """
        if burst == self._burst:
            self._refusals += (1 - self._refusals) / MEMORY
            if self._refusals <= TOLERATED:
                return
            self._burst += 1
            self._answers, self._refusals = 0, 0.0
            self.limit = max(1, int(self.limit * CUT))
        self.pause(wait_s or 0.0)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long: the provider is down, or full."""
        self._resume_at = max(self._resume_at, time.monotonic() + seconds)
