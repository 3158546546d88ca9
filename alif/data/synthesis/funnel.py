"""The funnel: what became of every request and of every piece of its reply.

    {"requests": 9, "pieces": 54, "parsed": 52, "accepted": 40, "dropped": {"truncated": 2,
        "near_duplicate": 12},
     "tokens_in": 9021, "tokens_out": 4410, "usd": 0.031, "usd_per_accepted": 0.000775}

pieces = accepted + dropped in each of these sums; a draft, its critique and the second version are three
requests. Attempts that got no reply are not in it; they are in the step's cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from alif.facts.data_facts import FunnelCounts, FunnelFacts
from alif.llm import Reply
from alif.records import FUNNEL_GROUPS

__all__ = ["Funnel"]


@dataclass
class _Sums:
    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    usd: float = 0.0

    def add(self, other: _Sums) -> None:
        self.counts.update(other.counts)
        self.dropped.update(other.dropped)
        self.usd += other.usd

    def as_facts(self) -> FunnelCounts:
        accepted = self.counts["accepted"]
        return FunnelCounts(
            requests=self.counts["requests"],
            pieces=self.counts["pieces"],
            parsed=self.counts["parsed"],
            accepted=accepted,
            tokens_in=self.counts["tokens_in"],
            tokens_out=self.counts["tokens_out"],
            dropped=dict(sorted(self.dropped.items())),
            usd=round(self.usd, 9),
            usd_per_accepted=round(self.usd / accepted, 9) if accepted else None,
        )


class Funnel:
    """What was sent, read, dropped and accepted so far."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, str], _Sums] = {}

    def add(self, key: tuple[str, str, str], reply: Reply, parsed: int, reasons: Sequence[str]) -> None:
        """Count what was asked for one reply, and its pieces.

        Args:
            key: task, teacher and strategy, in the order of `FUNNEL_GROUPS`.
            reply: what was answered, perhaps at the end of a conversation.
            parsed: pieces that were read as candidates.
            reasons: of each piece why it was dropped, "" if it was accepted.
        """
        sums = self._sums.setdefault(key, _Sums())
        sums.counts.update(
            requests=len(reply.turns) or 1,
            pieces=len(reasons),
            parsed=parsed,
            accepted=reasons.count(""),
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
        )
        sums.dropped.update(reason for reason in reasons if reason)
        sums.usd += reply.cost_usd

    def facts(self, tasks: Sequence[str]) -> FunnelFacts:
        """Return all sums: tasks in the order of `tasks`, the other groups by pieces."""
        groups: dict[str, dict[str, FunnelCounts]] = {}
        for place, group in enumerate(FUNNEL_GROUPS):
            names = dict.fromkeys(key[place] for key in self._sums)
            sums = {
                name: _total(one for key, one in self._sums.items() if key[place] == name).as_facts()
                for name in names
            }
            by_pieces = sorted(sums, key=lambda name: (-sums[name].pieces, name))
            order = tasks if group == "tasks" else by_pieces
            groups[group] = {name: sums[name] for name in order if name in sums}
        return FunnelFacts(
            whole=_total(self._sums.values()).as_facts(),
            tasks=groups["tasks"],
            teachers=groups["teachers"],
            strategies=groups["strategies"],
        )


def _total(parts: Iterable[_Sums]) -> _Sums:
    total = _Sums()
    for part in parts:
        total.add(part)
    return total
