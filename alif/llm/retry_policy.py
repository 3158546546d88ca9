"""How long requests are retried, and how long batches are polled."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["RetryPolicy"]


@dataclass(frozen=True)
class RetryPolicy:
    """How long to retry. Each wait doubles, up to the longest, less a seeded jitter."""

    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    unreached_s: float = 20.0
    """How long a host that has never responded is retried while there is no connection."""
    silence_s: float = 600.0
    """The same for a host that has responded before: the network may come back."""
    give_up_s: float = 1800.0
    """How long one request is retried at all."""
    timeouts: int = 3
    """The same for a request that times out, in timeouts, where that is longer."""
    unreadable: int = 4
    """How often one request may be answered, alike each time, with what is neither a completion nor a known
    refusal while the endpoint answers nothing else."""
    unreadable_later: int = 8
    """The same for an endpoint that has answered before in this session."""
    finish_s: float = 20.0
    """How long replies in flight are waited for when the run stops: they are paid for."""
    first_poll_s: float = 2.0
    longest_poll_s: float = 60.0
    """The waits between two polls of a batch grow from the one to the other."""
    find_batch_s: float = 60.0
    """How long after its creation a batch may be missing from the provider's list of batches."""

    def wait_s(self, request: str, attempt: int) -> float:
        """Return the wait after `attempt` (from 0): a pure function of the request and the attempt."""
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(attempt, 30))
        return longest * random.Random(f"{request}:{attempt}").uniform(0.5, 1.0)
