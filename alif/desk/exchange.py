"""Rows come from the run, verdicts go back to it: the two files that the step `review` writes and reads.

The file of verdicts is derived from the database and replaced as a whole, so that a kill at any moment leaves
a readable one. Lines of people who are not at this desk are kept as they are.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import sqlalchemy as sa

from alif import console, store
from alif.desk.database import Database, item, person, slot
from alif.desk.decisions import Decision
from alif.errors import AlifError
from alif.language.answers.arithmetic import check_equations
from alif.language.language_id import find_lookalikes
from alif.language.marked_text import mark_text
from alif.language.pack import Pack
from alif.records import Example
from alif.review.verdicts import TEXTS

__all__ = ["Exchange", "find_flags", "verdict_line"]

EVERY_S = 1.0
"""How often new rows are looked for and changed verdicts written."""
FLAGGED_FIRST, TASK = 10**15, 10**9
"""Places in the queue: flagged rows first, then task by task, so that a reader stays in one frame of mind."""
MOST_FLAGS = 20
WANTED = ("open", "disputed")
"""States of rows that people still have to decide on."""


def find_flags(row: Example, pack: Pack | None) -> list[dict[str, str]]:
    """Return what a machine noticed in a row: foreign letters, hidden characters, sums that do not hold."""
    found: dict[tuple[str, str], None] = {}
    for text in (getattr(row, name) for name in TEXTS):
        pieces = (
            piece for line in mark_text(text, pack) for span in line["spans"] for piece in span["pieces"]
        )
        found |= {("hidden", piece.title): None for piece in pieces if piece.kind == "hidden"}
        if pack:
            found |= {("lookalike", f"{bad} → {good}"): None for _, bad, good in find_lookalikes(text, pack)}
            found |= {("sum", shown): None for shown, holds in check_equations(text, pack) if not holds}
    return [{"kind": kind, "what": what} for kind, what in itertools.islice(found, MOST_FLAGS)]


def verdict_line(item_id: str, reviewer: str, decision: Decision, *, final: bool) -> dict[str, object]:
    """Return a verdict as the run's file has it: the first reason decides, the others stand in the note."""
    reasons = decision["reasons"] if decision["decision"] == "reject" else []
    note = "; ".join(filter(None, [decision["note"], *(f"also {reason}" for reason in reasons[1:])]))
    line = {"id": item_id, "decision": decision["decision"], "reviewer": reviewer, **decision["texts"]}
    more = {"reason": "".join(reasons[:1]), "note": note, "final": final}
    return line | {name: value for name, value in more.items() if value}


class Exchange:
    """Keeps a run's folder and the desk's tables in step, from a thread of its own while the desk is open."""

    def __init__(
        self, db: Database, requests: Path, verdicts: Path, reviewers: int, packs: Mapping[str, Pack | None]
    ) -> None:
        self.db, self.requests, self.verdicts, self.reviewers = db, requests, verdicts, reviewers
        self.packs = packs
        self._seen: tuple[int, int] | None = None
        self._changed, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="exchange", daemon=True)

    def open(self) -> None:
        """Take in the rows that wait, if there are any yet, write what was decided before, and go on so."""
        self.take_rows()
        self.write_verdicts()
        self._thread.start()

    def verdict_was_given(self) -> None:
        """Have the file of verdicts written soon."""
        self._changed.set()

    def close(self) -> None:
        """Write what is not written yet."""
        self._closed.set()
        self._thread.join()
        self.write_verdicts()

    @property
    def is_over(self) -> bool:
        """Whether the run has read the verdicts: a change would be drift."""
        return (self.requests.parent / "review" / "step.json").is_file()

    def _work(self) -> None:
        while not self._closed.wait(EVERY_S):
            try:
                self.take_rows()
                if self._changed.is_set():
                    self._changed.clear()
                    self.write_verdicts()
            except (AlifError, OSError, sa.exc.SQLAlchemyError) as error:  # a full disk: tried again
                self._changed.set()
                console.log(f"The desk could not write or read the run: {error}", style="bold red")

    def take_rows(self) -> None:
        """Take in rows that are new, and withdraw those that the run does not ask for any more."""
        try:
            stat = self.requests.stat()
        except FileNotFoundError:
            return
        if (stat.st_mtime_ns, stat.st_size) == self._seen:
            return
        rows = {row.id: row for row in store.read_models(self.requests, Example)}
        with self.db.reading() as connection:
            of_run = sa.select(item.c.id, item.c.state).where(item.c.kind == "row")
            known = dict(connection.execute(of_run).all())
        new = [row for name, row in rows.items() if name not in known]
        flags = {row.id: find_flags(row, self.packs.get(row.language)) for row in new}
        tasks = {task: place for place, task in enumerate(dict.fromkeys(row.task for row in rows.values()))}
        items = [
            {
                "id": row.id,
                "row": row.model_dump_json(),
                "flags": flags[row.id],
                "state": "open",
                "task": row.task,
            }
            for row in new
        ]
        slots = [
            {"item_id": row.id, "place": (not flags[row.id]) * FLAGGED_FIRST + tasks[row.task] * TASK + place}
            for place, row in enumerate(new)
            for _ in range(self.reviewers)
        ]
        gone = [{"name": name} for name, state in known.items() if state in WANTED and name not in rows]
        back = [{"name": name} for name, state in known.items() if state == "withdrawn" and name in rows]
        with self.db.writing() as connection:
            if new:
                connection.execute(item.insert(), items)
                connection.execute(slot.insert(), slots)
            named: sa.BindParameter[str] = sa.bindparam("name")
            for names, state in ((gone, "withdrawn"), (back, "open")):
                if names:
                    theirs = (slot.c.item_id == named) & slot.c.verdict.is_(None)
                    connection.execute(item.update().where(item.c.id == named).values(state=state), names)
                    connection.execute(slot.update().where(theirs).values(open=state == "open"), names)
        self._seen = (stat.st_mtime_ns, stat.st_size)

    def write_verdicts(self) -> None:
        """Replace the file of verdicts by one with what this desk's people decided on settled rows."""
        if self.is_over:
            return
        with self.db.reading() as connection:
            names = set(connection.scalars(sa.select(person.c.name)))
            ids = set(connection.scalars(sa.select(item.c.id)))
            query = (
                sa.select(item.c.id, person.c.name, slot.c.verdict, item.c.final)
                .select_from(item.join(slot).join(person))
                .where(item.c.state.in_(("agreed", "adjudicated")), item.c.kind == "row")
                .order_by(slot.c.id)
            )
            settled = connection.execute(query).all()
        given = [verdict_line(one.id, one.name, one.verdict, final=False) for one in settled]
        decided = [one for one in settled if one.final]
        given += [verdict_line(one.id, one.final["name"], one.final, final=True) for one in decided]
        lines = dict.fromkeys(self._foreign_lines(ids, names))
        lines |= dict.fromkeys(json.dumps(line, ensure_ascii=False) for line in given)
        if lines or self.verdicts.is_file():
            store.write_chunks(self.verdicts, (f"{line}\n" for line in lines))

    def _foreign_lines(self, ids: Set[str], names: Set[str]) -> Iterator[str]:
        """Yield the lines of the file that this desk did not write: other people's, or on other rows."""
        if not self.verdicts.is_file():
            return
        for _, line in store.read_lines(self.verdicts):
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if isinstance(found, dict) and found.get("id") in ids and found.get("reviewer") in names:
                    continue
            yield line
