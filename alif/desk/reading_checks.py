"""Checks of the reading itself: seeds of the pack among the rows, every second one with a planted error.

How many planted errors are found, and how many sound seeds are faulted, tells how much the verdicts of a
review are worth. A check is a copy that stands apart: its verdict never reaches the run, and on its card
nothing tells it from a row, so what a machine notices is flagged on it as on any other.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import sqlalchemy as sa

from alif.desk.database import Database, item, slot
from alif.desk.desk_settings import read_settings
from alif.desk.exchange import find_flags
from alif.desk.people import DeskPerson
from alif.desk.practice import FOREVER, hidden_tasks
from alif.language.pack import Pack
from alif.language.planted_errors import plant_error
from alif.records import Example

__all__ = ["ReadingChecks"]

TRIES = 5
"""Seeds in which an error is tried to be planted, for one check."""


class ReadingChecks:
    """Makes the checks of a desk from the seeds of its pack."""

    def __init__(self, db: Database, pack: Pack, seeds: Sequence[Example]) -> None:
        self._db, self._pack, self._seeds = db, pack, seeds
        self._rng: random.Random = random.SystemRandom()

    def add_beside(self, connection: sa.Connection, who: DeskPerson, taken: Sequence[int]) -> list[int]:
        """Return slots of checks for an annotator who has just claimed rows: for most rows there is none."""
        share = read_settings(connection).planted_percent / 100
        found = []
        for beside in taken if who.role == "annotator" else ():
            check = self._make_check(connection, who) if self._rng.random() < share else None
            if check:
                place = sa.select(slot.c.place).where(slot.c.id == beside).scalar_subquery()
                values = {"item_id": check, "place": place, "person_id": who.id, "leased_ms": FOREVER}
                added = slot.insert().values(values).returning(slot.c.id)
                found.append(connection.execute(added).scalar_one())
        return found

    def _make_check(self, connection: sa.Connection, who: DeskPerson) -> str | None:
        """Make a check of a seed that the person has not had yet, and return its name."""
        theirs = (item.c.kind == "check") & (slot.c.person_id == who.id)
        query = sa.select(item.c.known).select_from(slot.join(item)).where(theirs)
        had = {known["seed"] for known in connection.scalars(query)}
        hidden = hidden_tasks(connection, who)
        left = [seed for seed in self._seeds if seed.id not in had and seed.task not in hidden]
        for seed in self._rng.sample(left, min(len(left), TRIES)):
            is_sound = self._rng.random() < 0.5
            made = ("", seed) if is_sound else plant_error(seed, self._seeds, self._pack, self._rng)
            if made:
                error, row = made
                name, flags = f"check {row.id}", find_flags(row, self._pack)
                values = {"row": row.model_dump_json(), "flags": flags, "state": "open", "task": row.task,
                          "kind": "check", "known": {"error": error, "seed": seed.id}}  # fmt: skip
                self._db.upsert(connection, item, {"id": name}, values)
                return name
        return None
