"""How the fake provider fails on purpose, as real providers do without one.

What goes wrong is a pure function of the request and the attempt, and from a stated attempt on nothing does.
So every request is answered in the end, and two runs under the same faults end with the same replies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

__all__ = ["InjectedFaults"]


@dataclass(frozen=True)
class InjectedFaults:
    """How often what goes wrong, as shares (0..1) of the attempts that can go wrong; their sum is at most 1.

    The first group brings no reply and is drawn for each attempt; the second changes the reply and is drawn
    for each request, so that what a request is answered does not depend on how often it was tried."""

    crowded: float = 0.0
    """429 without Retry-After."""
    crowded_until: float = 0.0
    """429 with Retry-After."""
    error: float = 0.0
    """500."""
    hung: float = 0.0
    """No answer for a minute."""
    broken: float = 0.0
    """The first half of the JSON, as a whole body."""
    closed: float = 0.0
    """The connection closes in the middle of the body."""
    empty: float = 0.0
    """An empty body."""
    choiceless: float = 0.0
    """A reply without choices."""

    huge: float = 0.0
    """One megabyte, most of it blanks."""
    nul: float = 0.0
    """A NUL at the end of the text."""
    surrogate: float = 0.0
    """Half a character at the end of the text."""
    misnamed: float = 0.0
    """A reply that names another model than was asked."""

    slow: float = 0.0
    """Share of the replies that take `slow_s` longer; drawn for each attempt."""
    slow_s: float = 0.05
    retry_after_s: float = 1.0
    attempts: int = 3
    """From this attempt on (counted from 0) every request is answered."""
    seed: int = 0

    def no_reply(self, request: str, attempt: int) -> str:
        """Return which fault of the first group meets this attempt, "" for none."""
        return self._draw(_NO_REPLY, f"{request}:{attempt}") if attempt < self.attempts else ""

    def other_reply(self, request: str) -> str:
        """Return which fault of the second group meets this request, "" for none."""
        return self._draw(_OTHER_REPLY, request)

    def delay_s(self, request: str, attempt: int) -> float:
        """Return how much longer this attempt takes."""
        return self.slow_s if self._draw(("slow",), f"slow:{request}:{attempt}") else 0.0

    def _draw(self, names: tuple[str, ...], key: str) -> str:
        digest = hashlib.sha256(f"{self.seed}:{key}".encode()).digest()
        point = int.from_bytes(digest[:8], "big") / 2**64
        for name in names:
            point -= getattr(self, name)
            if point < 0:
                return name
        return ""


_NAMES = tuple(field.name for field in fields(InjectedFaults))
_NO_REPLY = _NAMES[: _NAMES.index("huge")]
_OTHER_REPLY = _NAMES[_NAMES.index("huge") : _NAMES.index("slow")]
