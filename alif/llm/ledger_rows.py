"""What the ledger is asked to keep, and what it sums up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from alif.records import Message

__all__ = ["Account", "LedgerRequest"]


@dataclass(frozen=True)
class LedgerRequest:
    """What is asked: the canonical payload and its hash."""

    hash: str
    payload: str
    teacher: str
    """The recipe's name of the endpoint."""
    model: str
    draw: int

    @classmethod
    def of(
        cls, name: str, address: str, model: str, messages: Sequence[Message],
        settings: Mapping[str, JsonValue], *, draw: int,
    ) -> LedgerRequest:  # fmt: skip
        """Build a request; equal content has an equal hash, whatever the order of the settings."""
        content = {
            "address": address,
            "draw": draw,
            "messages": [message.model_dump() for message in messages],
            "model": model,
            "settings": dict(settings),
        }
        payload = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return cls(hashlib.sha256(payload.encode()).hexdigest(), payload, name, model, draw)


@dataclass(frozen=True)
class Account:
    """What a run, a step or a whole ledger sent, got and spent."""

    requests: int
    """Distinct requests."""
    attempts: int
    """Times that they were sent."""
    replies: int
    usd: float
    """What it counts for: replies at their cost, everything unsettled at its upper bound."""
    unsettled_usd: float
    """The part of `usd` that is in flight or was lost: an upper bound, not a bill."""
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    tokens_reasoning: int
