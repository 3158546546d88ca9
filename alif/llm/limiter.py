"""Adaptive concurrency: additive increase, multiplicative decrease (AIMD) of the requests in flight.

    in flight   16 ────────┐429s, timeouts    ┌─ +1 after every 25 replies
                           └ 12 ──────────────┘

Published limits are often not the real ones, so the limiter adapts. A burst of refusals cuts once: only a
request sent after the last cut (in the current epoch) can cause the next. Isolated refusals do not cut at
all, since some providers refuse at any rate; the wait that they ask for holds for the request itself, and for
all once refusals are frequent. A timeout counts as a refusal: a server that answers one request at a time
keeps the others waiting until they time out.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alif.errors import AlifError

__all__ = ["Limiter"]

REPLIES_PER_INCREASE = 25
"""Replies after which one more request may be in flight. Source: NeMo Data Designer 0.9.7, request
admission."""
DECREASE_FACTOR = 0.75
"""What a burst of refusals leaves of the limit. Source: NeMo Data Designer 0.9.7, request admission."""
AVERAGED_OVER = 20
"""Attempts over which the share of refusals is an exponential moving average."""
TOLERATED_SHARE = 0.12
"""Share of refusals that changes nothing: one in twenty is below it, three in a row are not."""


class Limiter:
    """How many requests one model at one address is sent concurrently, between 1 and `maximum`."""

    def __init__(self, maximum: int, *, has_trial: bool = False) -> None:
        self.limit = maximum
        self.epoch = 0
        """Number of cuts so far."""
        self.replies = 0
        """Number of replies so far."""
        self._maximum = maximum
        self._has_trial = has_trial
        self._on_trial = False
        self._trial_error: AlifError | None = None
        self._in_flight = 0
        self._since_increase = 0
        self._refused_share = 0.0
        self._resume_at = 0.0
        self._retries_waiting = 0
        self._queues = (asyncio.Lock(), asyncio.Lock())
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[None]:
        """Let one request alone through the block until the first reply.

        A paid endpoint shows with one request whether it can be read and keeps to max_tokens. What stops that
        one stops those who wait for it.
        """
        while self._has_trial and self._on_trial and not self.replies:
            self._changed.clear()
            await self._changed.wait()
            if self._trial_error and not self.replies:
                raise self._trial_error
        self._on_trial, self._trial_error = True, None
        try:
            yield
        except AlifError as error:
            self._trial_error = error
            raise
        finally:
            self._on_trial = False
            self._changed.set()

    @asynccontextmanager
    async def slot(self, *, retry: bool = False) -> AsyncIterator[int]:
        """Wait for a place in flight and keep it for the length of a block; yield the epoch it was sent in.

        Retries take priority: a round is as slow as its slowest request.
        """
        self._retries_waiting += retry
        try:
            async with self._queues[retry]:
                while (wait_s := self._wait_s(retry)) != 0:
                    self._changed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._changed.wait()
                self._in_flight += 1
        finally:
            self._retries_waiting -= retry
            self._changed.set()
        try:
            yield self.epoch
        finally:
            self._in_flight -= 1
            self._changed.set()

    def _wait_s(self, retry: bool) -> float | None:
        """Return how long to wait for a place; None where that depends on others."""
        if (pause_s := self._resume_at - time.monotonic()) > 0:
            return pause_s
        return None if self._in_flight >= self.limit or (self._retries_waiting and not retry) else 0

    def record_reply(self) -> None:
        """Count a reply; after enough of them one more request may be in flight."""
        self.replies += 1
        self._since_increase += 1
        self._refused_share *= 1 - 1 / AVERAGED_OVER
        if self._since_increase >= REPLIES_PER_INCREASE:
            self._since_increase = 0
            self.limit = min(self._maximum, self.limit + 1)

    def record_refusal(self, epoch: int, wait_s: float | None = None) -> None:
        """Count a request, sent in `epoch`, that was rate limited (asked to wait `wait_s`) or timed out.

        Where refusals are frequent the limit is cut, once an epoch, and all requests wait.
        """
        if epoch == self.epoch:
            self._refused_share += (1 - self._refused_share) / AVERAGED_OVER
            if self._refused_share <= TOLERATED_SHARE:
                return
            self.epoch += 1
            self._since_increase, self._refused_share = 0, 0.0
            self.limit = max(1, int(self.limit * DECREASE_FACTOR))
        self.pause(wait_s or 0.0)

    def pause(self, seconds: float) -> None:
        """Send nothing for so long: the provider is down, or full."""
        self._resume_at = max(self._resume_at, time.monotonic() + seconds)
