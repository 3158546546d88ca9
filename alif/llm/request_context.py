"""What all endpoints of a session share: the run and its books, what is in flight, what was told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from alif import console
from alif.llm.budget import Budget
from alif.llm.chat_model import Role
from alif.llm.ledger import Ledger, LedgerRequest
from alif.llm.retry_policy import RetryPolicy
from alif.llm.sent_count import SentCount

__all__ = ["RequestContext"]


@dataclass(frozen=True)
class RequestContext:
    """What all endpoints of a session share; one a session."""

    run: str
    step: str
    role: Role
    ledger: Ledger
    sent_count: SentCount
    budget: Budget
    concurrency: asyncio.Semaphore
    """runtime.max_concurrency requests in flight, over all endpoints."""
    retry_policy: RetryPolicy
    timeout_s: float
    request_locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """By request hash, so that a request is not sent twice concurrently."""
    responded_hosts: set[str] = field(default_factory=set)
    logged: set[str] = field(default_factory=set)

    def request_lock(self, request: LedgerRequest) -> asyncio.Lock:
        """Return the lock of a request."""
        return self.request_locks.setdefault(request.hash, asyncio.Lock())

    def log_once(self, text: str, words: str = "") -> None:
        """Log something, once a session whatever the provider's `words` to it are."""
        if text not in self.logged:
            self.logged.add(text)
            console.log(text + words)
