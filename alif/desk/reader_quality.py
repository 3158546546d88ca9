"""How each reader reads: practice, checks, verdicts that came too fast. For a lead's eyes; never a verdict.

A number of few rows says little, so each share has its interval.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from alif.desk.database import item, person, slot
from alif.desk.decisions import Decision
from alif.evaluate.stats import Estimate, Items, wilson_interval
from alif.records import Example
from alif.review.verdicts import TEXTS

__all__ = ["SHARES", "measure_readers", "reading_floor_ms"]

WORDS_A_MINUTE = 180
"""Read aloud, 184 ± 29 over 17 languages, Urdu not among them (IReST, Trauzettel-Klosinski et al. 2012)."""
TOO_FAST = 1 / 3
"""Of the time that reading takes: nobody reads three times as fast."""
SHARES = ("calibration", "found", "faulted", "fast")
"""Practice rows decided as known; planted errors found; sound seeds rejected or edited; verdicts too fast."""


def reading_floor_ms(row: Example) -> float:
    """Return how long it takes to read a row's texts, from the number of its words."""
    texts: list[str] = [getattr(row, name) for name in TEXTS]
    words = sum(1 + text.count(" ") for text in texts if text)
    return words * 60_000 / WORDS_A_MINUTE


def measure_readers(connection: sa.Connection) -> dict[str, Mapping[str, Estimate]]:
    """Return each reader's SHARES with intervals; a share of nothing is left out."""
    query = (
        sa.select(person.c.name, item.c.kind, item.c.row, item.c.known, slot.c.verdict)
        .select_from(slot.join(item).join(person, person.c.id == slot.c.person_id))
        .where(slot.c.verdict.is_not(None))
        .order_by(person.c.id)
    )
    found: dict[str, dict[str, list[bool]]] = {}
    for name, kind, row, known, verdict in connection.execute(query):
        share, counts = _look(kind, Example.model_validate_json(row), known or {}, verdict)
        found.setdefault(name, {}).setdefault(share, []).append(counts)
    return {
        name: {share: wilson_interval(Items.of(counts)) for share, counts in shares.items()}
        for name, shares in found.items()
    }


def _look(kind: str, row: Example, known: Mapping[str, str], verdict: Decision) -> tuple[str, bool]:
    """Return which share a verdict belongs to, and whether it counts there."""
    decision = verdict["decision"]
    if kind == "calibration":
        return "calibration", decision == known["decision"]
    if kind == "check" and known["error"]:
        return "found", decision == "reject" or "output" in verdict["texts"]
    if kind == "check":
        return "faulted", decision != "approve"
    return "fast", verdict["dwell_ms"] < TOO_FAST * reading_floor_ms(row)
