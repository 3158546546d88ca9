"""The funnel: what became of every request and of every piece of its reply, as a whole and by task, teacher and way.

    {"requests": 9, "pieces": 54, "parsed": 52, "accepted": 40, "dropped": {"truncated": 2, "near_duplicate": 12},
     "tokens_in": 9021, "tokens_out": 4410, "usd": 0.031, "usd_per_accepted": 0.000775}

pieces = accepted + dropped in each of these sums; a draft, its critique and the second version are three requests. Cost is the
price of the replies when they were sent for, also where a sibling run has paid it; attempts that got no reply are not in it,
they stand in the step's cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from alif.llm import Reply
from alif.records import FUNNEL_GROUPS

__all__ = ["Funnel"]

COUNTS = ("requests", "pieces", "parsed", "accepted", "tokens_in", "tokens_out")


@dataclass
class _Sums:
    """The counts of some requests."""

    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    usd: float = 0.0

    def facts(self) -> dict[str, Any]:
        accepted = self.counts["accepted"]
        usd = {
            "usd": round(self.usd, 9),
            "usd_per_accepted": round(self.usd / accepted, 9) if accepted else None,
        }
        return (
            {key: self.counts[key] for key in COUNTS} | {"dropped": dict(sorted(self.dropped.items()))} | usd
        )


class Funnel:
    """What was sent, read, dropped and accepted so far."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], _Sums] = {}

    def add(self, key: tuple[str, str, str], reply: Reply, parsed: int, outcomes: Sequence[str]) -> None:
        """Count what was asked for one reply, and its pieces.

        Args:
            key: task, teacher and way, in the order of `FUNNEL_GROUPS`.
            reply: what was answered, perhaps at the end of a conversation.
            parsed: pieces that were read as candidates.
            outcomes: of each piece "" if it was accepted, else the reason why it was dropped.
        """
        line = self._lines.setdefault(key, _Sums())
        line.counts.update(
            requests=len(reply.turns) or 1, pieces=len(outcomes), parsed=parsed, accepted=outcomes.count("")
        )
        line.counts.update(tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)
        line.dropped.update(reason for reason in outcomes if reason)
        line.usd += reply.cost_usd

    def facts(self, tasks: Sequence[str]) -> dict[str, Any]:
        """Return {"whole": sums, "tasks": {name: sums}, "teachers": …, "strategies": …}.

        Tasks come in the order of `tasks`, teachers and ways by how much they wrote, the most first.
        """
        found: dict[str, Any] = {"whole": _sum(self._lines.values()).facts()}
        for place, group in enumerate(FUNNEL_GROUPS):
            names = dict.fromkeys(key[place] for key in self._lines)
            sums = {
                name: _sum(line for key, line in self._lines.items() if key[place] == name).facts()
                for name in names
            }
            order = (
                tasks if group == "tasks" else sorted(sums, key=lambda name: (-sums[name]["pieces"], name))
            )
            found[group] = {name: sums[name] for name in order if name in sums}
        return found


def _sum(lines: Iterable[_Sums]) -> _Sums:
    whole = _Sums()
    for line in lines:
        whole.counts.update(line.counts)
        whole.dropped.update(line.dropped)
        whole.usd += line.usd
    return whole
