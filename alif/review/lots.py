"""Lots: unread rows are accepted or rejected by what people found in rows that were drawn at random.

    lot            rows of a teacher and a task that were made one after another (`review.lot_rows` of them)
    faulty         a drawn row that its readers rejected or had to edit
    accepted       Wilson's interval of the faulty share lies below `review.max_faulty`
    rejected       it lies above: the unread rows of the lot are dropped
    undecided      as many rows more are drawn, up to the whole lot, which then is read and needs no inference

Rows are drawn in an order that the recipe's seed decides, and only these count: what people read of their own
choice says nothing of the others. A row that nobody read never says that it was reviewed.

Source: Wilson 1927, JASA 22:209; acceptance sampling with further draws, Wald 1945.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alif import sampling, settings
from alif.facts.review_facts import LotDecision, LotFacts
from alif.records import Dropped, Example

__all__ = ["Lot", "apply_lot", "count_lots", "draw_lots"]


@dataclass(frozen=True, eq=False)
class Lot:
    """Rows of one teacher and task, in the order in which they are drawn."""

    name: str
    ids: Sequence[str]

    def judge(self, faulty: Mapping[str, bool], review: settings.Review) -> tuple[LotFacts, Sequence[str]]:
        """Return what is known of the lot, and the drawn rows, of which some may wait for their readers.

        `faulty` has the rows that enough people have read.
        """
        count = 0
        while True:
            count = min(count + review.lot_sample, len(self.ids))
            drawn = self.ids[:count]
            if any(name not in faulty for name in drawn):
                return self._describe(drawn, faulty, "waits"), drawn
            bad = sum(faulty[name] for name in drawn)
            low, high = sampling.share_interval(bad / count, count)
            if count == len(self.ids):
                return self._describe(drawn, faulty, "read"), drawn
            if high <= review.max_faulty:
                return self._describe(drawn, faulty, "accepted"), drawn
            if low > review.max_faulty:
                return self._describe(drawn, faulty, "rejected"), drawn

    def _describe(self, drawn: Sequence[str], faulty: Mapping[str, bool], decision: LotDecision) -> LotFacts:
        read = [faulty[name] for name in drawn if name in faulty]
        share = sum(read) / (len(read) or 1)
        low, high = sampling.share_interval(share, len(read)) if read else (0.0, 1.0)
        return LotFacts(
            name=self.name,
            rows=len(self.ids),
            drawn=len(drawn),
            faulty=sum(read),
            low=round(low, 4),
            high=round(high, 4),
            decision=decision,
        )


def draw_lots(rows: Sequence[Example], review: settings.Review) -> dict[str, Lot]:
    """Return the lot of each row that a model wrote, by id; none where the recipe asks for no lots."""
    groups: dict[str, list[str]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for row in rows if review.lot_rows else ():
        if row.origin.teacher:
            key = row.origin.teacher, row.task
            name = f"{row.origin.teacher}, {row.task}, batch {seen[key] // review.lot_rows + 1}"
            groups.setdefault(name, []).append(row.id)
            seen[key] += 1
    found: dict[str, Lot] = {}
    for name, ids in groups.items():
        order = [*ids]
        sampling.seeded_rng(review.seed, "lot", name).shuffle(order)
        found |= dict.fromkeys(ids, Lot(name, order))
    return found


def count_lots(lots: Sequence[LotFacts]) -> str:
    """Return how many lots wait and how the others were judged, "" without lots."""
    states = Counter("waiting" if lot.decision == "waits" else lot.decision for lot in lots)
    return f" (lots: {', '.join(f'{n} {state}' for state, n in states.items())})" if lots else ""


def apply_lot(row: Example, lot: LotFacts) -> Example | Dropped:
    """Return a row that nobody read, as its lot was judged."""
    if lot.decision == "rejected":
        return Dropped(row=row, reason="lot_rejected", evidence=f"{lot.name}: {lot.describe()}")
    origin = row.origin.model_copy(update={"lot": f"accepted by lot ({lot.describe()})"})
    return row.model_copy(update={"origin": origin})
