"""The funnel: what became of every request and of every piece of its reply, by task, teacher and way.

    {"task": "qa", "teacher": "gpt", "way": "grounded", "requests": 9, "pieces": 54, "parsed": 52, "accepted": 40,
     "dropped": {"cut_off": 2, "too_near": 12}, "tokens_in": 9021, "tokens_out": 4410, "usd": 0.031}

Whatever is told of a task, a teacher or a way is a sum over these lines; pieces = accepted + dropped in each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alif.models import Reply

__all__ = ["Funnel"]


@dataclass
class _Line:
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    usd: float = 0.0


class Funnel:
    """What was sent, read, dropped and accepted so far."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], _Line] = {}

    def add(self, key: tuple[str, str, str], reply: Reply, parsed: int, outcomes: Sequence[str]) -> None:
        """Count one request of a (task, teacher, way) and the pieces of its reply.

        Args:
            key: task, teacher and way.
            reply: what was answered.
            parsed: pieces that were read as candidates.
            outcomes: of each piece "" if it was accepted, else the reason why it was dropped.
        """
        line = self._lines.setdefault(key, _Line())
        line.counts.update(requests=1, pieces=len(outcomes), parsed=parsed, accepted=outcomes.count(""))
        line.counts.update(tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)
        line.dropped.update(reason for reason in outcomes if reason)
        line.usd += reply.cost_usd  # its price when it was sent for, also where a sibling run has paid it

    def facts(self) -> list[dict[str, Any]]:
        """Return the lines, in the order in which they were first asked for."""
        return [
            {"task": task, "teacher": teacher, "way": way}
            | {key: line.counts[key] for key in ("requests", "pieces", "parsed", "accepted")}
            | {"dropped": dict(sorted(line.dropped.items()))}
            | {key: line.counts[key] for key in ("tokens_in", "tokens_out")}
            | {"usd": round(line.usd, 9)}
            for (task, teacher, way), line in self._lines.items()
        ]
