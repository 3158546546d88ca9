"""Adapt the number of requests in flight to what a provider bears.

    in flight   16 ────────┐429s              ┌─ +1 after every 25 answers
                           └ 12 ──────────────┘

Additive increase, multiplicative decrease: published limits are often not the real ones, so the limiter listens. A burst of
refusals is one message: only a request that was sent after the last cut can cause the next one. A refusal now and then is no
message at all: some providers refuse at any pace, and a limit that is cut each time would fall to a handful.
"""

from __future__ import annotations

import asyncio
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
        self._turn = asyncio.Lock()
        self._landed = asyncio.Event()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Wait for a place in flight and keep it for the length of a block; yield the burst it was sent in."""
        async with self._turn:
            while True:
                pause_s = self._resume_at - time.monotonic()
                if pause_s > 0:
                    await asyncio.sleep(pause_s)
                elif self._flying >= self.limit:
                    self._landed.clear()
                    await self._landed.wait()
                else:
                    break
            self._flying += 1
        try:
            yield self._burst
        finally:
            self._flying -= 1
            self._landed.set()

    def answered(self) -> None:
        """Note an answer; after enough of them one more request may fly."""
        self._answers += 1
        self._refusals *= 1 - 1 / MEMORY
        if self._answers >= ANSWERS_PER_STEP:
            self._answers = 0
            self.limit = min(self._most, self.limit + 1)

    def refused(self, burst: int) -> None:
        """Note that a request sent in `burst` met a full provider; where that is the rule the limit is cut, once a burst."""
        if burst != self._burst:
            return
        self._refusals += (1 - self._refusals) / MEMORY
        if self._refusals > TOLERATED:
            self._burst += 1
            self._answers, self._refusals = 0, 0.0
            self.limit = max(1, int(self.limit * CUT))

    def pause(self, seconds: float) -> None:
        """Send nothing for so long: the provider's Retry-After."""
        self._resume_at = max(self._resume_at, time.monotonic() + seconds)
