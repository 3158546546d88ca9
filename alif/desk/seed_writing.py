"""People write seeds: the nearest one is shown meanwhile, a second person approves, the pack's files get it.

A pack that came with the package stays as it is: its seeds go into a file of the run, which a recipe names in
`seeds.source`.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from alif import settings, store
from alif.data.normalise_example import normalise_example
from alif.data.synthesis.example_pool import ExamplePool
from alif.desk.database import TABLES, Database, RowId, now_ms
from alif.desk.people import DeskPerson, Refused
from alif.language.marked_text import has_hidden
from alif.language.pack import SHIPPED, Pack
from alif.language.text import split_words
from alif.records import Example, Neighbour, Origin

__all__ = ["SeedDesk", "WrittenSeed", "append_line"]

SHOWN = 0.05
"""Similarity from which on the nearest seed is shown; the pool's own threshold decides."""
MOST = 20_000
"""Characters of a text."""
SEEDS_FILE = "written_seeds.jsonl"

STATES = ("waiting", "approved", "rejected")

written = sa.Table(
    "written_seed",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("author_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("row", sa.Text, nullable=False),
    sa.Column("state", sa.Text, sa.CheckConstraint(f"state IN {STATES}"), nullable=False),
    sa.Column("reviewer_id", sa.ForeignKey("person.id")),
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
)


class WrittenSeed(NamedTuple):
    """A seed that somebody wrote at the desk."""

    id: int
    author_id: int
    row: Example
    state: str
    note: str


class SeedDesk:
    """The seeds of a run's pack, and those that its people write."""

    def __init__(
        self, db: Database, pack: Pack, pool: settings.Pool, seeds: Sequence[Example], folder: Path
    ) -> None:
        self.pack, self.threshold = pack, pool.threshold
        self._db, self._seeds, self._folder = db, seeds, folder
        self._loose = pool.model_copy(update={"threshold": min(SHOWN, pool.threshold)})
        self._lock = threading.Lock()
        self._pool, self._known = ExamplePool(pack, self._loose), set[str]()

    @property
    def is_ours(self) -> bool:
        """Whether the pack's own files may be written: it is no part of an installed package."""
        folder = self.pack.folder / "seeds"
        return not folder.is_relative_to(SHIPPED) and os.access(folder, os.W_OK)

    def path_of(self, task: str) -> Path:
        """Return the file that gets a seed of a task."""
        if self.is_ours:
            return self.pack.folder / "seeds" / f"{task}.jsonl"
        return self._folder / SEEDS_FILE

    def read_seed(self, who: DeskPerson, sent: Mapping[str, str]) -> Example:
        """Return a seed as it was typed, normalised.

        Raises:
            Refused: no such task, or far too long.
        """
        instruction, given, output = (sent.get(name, "") for name in ("instruction", "input", "output"))
        task = sent.get("task", "")
        if task not in self.pack.tasks or max(map(len, (instruction, given, output))) > MOST:
            raise Refused("not_understood", 400)
        origin = Origin(kind="seed", author=who.name)
        row = Example.make(self.pack.code, task, instruction, given, output, origin)
        return normalise_example(row, self.pack)

    def find_nearest(self, row: Example) -> Neighbour | None:
        """Return the most similar seed of all tasks that was not rejected; None where none is similar."""
        ours = [one.row for one in self.list_seeds() if one.state != "rejected"]
        seeds = {other.id: other for other in (*self._seeds, *ours)}
        with self._lock:
            if not self._known <= seeds.keys():  # one was rejected: it is in nobody's way
                self._pool, self._known = ExamplePool(self.pack, self._loose), set()
            for name in seeds.keys() - self._known:
                self._known.add(name)
                self._pool.add(seeds[name])
            return self._pool.nearest(row) if self._pool.compared_words(row) else None

    def is_too_near(self, nearest: Neighbour | None) -> bool:
        """Tell whether the step `seeds` would drop a seed for its nearest one."""
        return nearest is not None and nearest.similarity >= self.threshold

    def propose(self, who: DeskPerson, row: Example) -> None:
        """Have a seed wait for a second person.

        Raises:
            Refused: it says nothing, holds characters that nobody sees, or is a near-duplicate.
        """
        if not split_words(row.instruction, self.pack) or not row.output:
            raise Refused("seed_empty")
        if any(map(has_hidden, (row.instruction, row.input, row.output))):
            raise Refused("hidden_left")
        if self.is_too_near(self.find_nearest(row)):
            raise Refused("seed_too_near", 409)
        values = {"author_id": who.id, "row": row.model_dump_json(), "state": "waiting", "at_ms": now_ms()}
        with self._db.writing() as connection:
            connection.execute(written.insert().values(values))

    def decide(self, who: DeskPerson, seed_id: int, *, approve: bool, note: str = "") -> None:
        """Approve or reject somebody else's seed; an approved one is saved to its file.

        Raises:
            Refused: it is one's own, or does not wait.
        """
        query = sa.select(written.c.row, written.c.author_id, written.c.state).where(written.c.id == seed_id)
        with self._db.writing() as connection:
            found = connection.execute(query.with_for_update()).first()
            if found is None or found.state != "waiting":
                raise Refused("seed_not_waiting", 409)
            if found.author_id == who.id:
                raise Refused("seed_own", 403)
            state = "approved" if approve else "rejected"
            change = {"state": state, "reviewer_id": who.id, "note": note}
            connection.execute(written.update().where(written.c.id == seed_id).values(change))
            if approve:
                row = Example.model_validate_json(found.row)
                line = {"task": row.task} if not self.is_ours else {}
                line |= {"instruction": row.instruction, "input": row.input, "output": row.output}
                line |= {"author": row.origin.author, "reviewed_by": who.name}
                append_line(self.path_of(row.task), json.dumps(line, ensure_ascii=False))

    def list_seeds(self) -> list[WrittenSeed]:
        """Return what was written, the newest first."""
        columns = (written.c.id, written.c.author_id, written.c.row, written.c.state, written.c.note)
        with self._db.reading() as connection:
            return [
                WrittenSeed(one.id, one.author_id, Example.model_validate_json(one.row), one.state, one.note)
                for one in connection.execute(sa.select(*columns).order_by(written.c.id.desc()))
            ]


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, once: it is replaced as a whole, so that a kill leaves a readable one."""
    text = store.read_text(path) if path.is_file() else ""
    if line not in text.split("\n"):
        store.write_text(path, f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")
