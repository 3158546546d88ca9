"""Reviewed rows as files: exported with pseudonyms, and verdicts of other tools taken in.

A verdict from elsewhere fills a free slot of its row, as a reader's would, so a row never has more verdicts
than it wants; who gave it stands in the list of people under a name of the tool's, and cannot log in.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from alif.desk.database import Database, event, item, now_ms, person, slot
from alif.desk.decisions import SKIP, read_decision
from alif.desk.office import HERE
from alif.desk.people import MAX_NAME, DeskPerson, Refused
from alif.desk.review_formats import READERS, WRITERS, ForeignVerdict, ReviewedRow
from alif.desk.review_slots import store_decision
from alif.language.pack import Pack
from alif.records import Example, sanitize_text

__all__ = ["Taken", "events_lines", "export_lines", "guide_version", "import_verdicts", "pseudonym"]

BROKEN = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What a line that is none of a shape raises."""
AT_ONCE = 500
"""Rows that are read from the database at once."""


class Taken(NamedTuple):
    """What came of an import."""

    stored: int
    left: int
    """Verdicts that were taken before, or whose row wants none any more."""


def pseudonym(person_id: int) -> str:
    """Return what a person is called in files."""
    return f"reviewer-{person_id}"


def guide_version() -> str:
    """Return a short name of the guide's words, in all languages."""
    texts = b"".join(path.read_bytes() for path in sorted((HERE / "templates").glob("guide_*.html")))
    return hashlib.sha256(texts).hexdigest()[:12]


def export_lines(db: Database, shape: str) -> Iterator[str]:
    """Yield every row that is under review as lines of a shape of WRITERS."""
    columns = (item.c.id, item.c.row, item.c.state, item.c.final, slot.c.person_id, slot.c.verdict)
    query = (
        sa.select(*columns)
        .select_from(item.outerjoin(slot))
        .where(item.c.kind == "row", item.c.state != "withdrawn")
        .order_by(item.c.id, slot.c.id)
    )
    guide = guide_version()
    with db.reading() as connection:
        found = connection.execution_options(yield_per=AT_ONCE).execute(query)
        for _, slots in itertools.groupby(found, key=lambda one: one.id):
            first, *others = slots
            given = [(pseudonym(one.person_id), one.verdict) for one in (first, *others) if one.verdict]
            row = Example.model_validate_json(first.row)
            for line in WRITERS[shape](ReviewedRow(row, given, first.final, first.state, guide)):
                yield json.dumps(line, ensure_ascii=False) + "\n"


def events_lines(db: Database) -> Iterator[str]:
    """Yield every event of the review: the audit trail. `of` says whether it is of the run or of practice."""
    columns = (*event.c, item.c.kind.label("of"))
    query = sa.select(*columns).select_from(event.join(item)).order_by(event.c.id)
    with db.reading() as connection:
        for found in connection.execution_options(yield_per=AT_ONCE).execute(query).mappings():
            line = {**found, "reviewer": pseudonym(found["person_id"])}
            yield json.dumps(line, ensure_ascii=False) + "\n"


def import_verdicts(
    db: Database, shape: str, lines: str, packs: Mapping[str, Pack | None], *, first: int = 1
) -> Taken:
    """Store the verdicts of another tool's lines, all of them or none.

    Raises:
        Refused: a line that cannot be read, with its number; `first` is the number of the first.
    """
    stored = seen = 0
    with db.writing() as connection:
        for number, line in enumerate(lines.split("\n"), first):
            if not line.strip():
                continue
            try:
                for one in READERS[shape](json.loads(line)):
                    seen += 1
                    stored += _store(db, connection, shape, one, packs)
            except Refused as refusal:
                raise Refused("import_line", 422, f"{number}: {refusal.hint or refusal.message}") from refusal
            except BROKEN as error:
                raise Refused("import_line", 422, f"{number}: {type(error).__name__} {error}") from error
    return Taken(stored, seen - stored)


def _store(
    db: Database, connection: sa.Connection, shape: str, one: ForeignVerdict, packs: Mapping[str, Pack | None]
) -> bool:
    """Store one verdict in a free slot of its row; return whether there was one."""
    item_id = sanitize_text(one.item_id)
    row = connection.scalar(sa.select(item.c.row).where(item.c.id == item_id, item.c.kind == "row"))
    if row is None:
        raise Refused("no_such_row", hint=f"no row under review has the id {item_id[:MAX_NAME]}")
    name = sanitize_text(f"{shape}:{one.reviewer}")[:MAX_NAME]
    known = connection.scalar(sa.select(person.c.id).where(person.c.name == name))
    if known is None:  # without a password they cannot log in
        values = {"name": name, "role": "annotator", "password": "", "active": False}
        known = connection.execute(person.insert().values(values).returning(person.c.id)).scalar_one()
    who = DeskPerson(known, name, "annotator")
    decision = read_decision(Example.model_validate_json(row), who.name, one.sent, packs)
    if decision["decision"] == SKIP:
        return False
    own = slot.alias("own")
    has_own = sa.exists().where(own.c.item_id == item_id, own.c.person_id == who.id)
    free = (slot.c.item_id == item_id) & slot.c.open
    free &= slot.c.person_id.is_(None) | (slot.c.leased_ms < now_ms())
    first = sa.select(slot.c.id).where(free, ~has_own).order_by(slot.c.id).limit(1)
    found = connection.scalar(first.with_for_update(skip_locked=True))
    if found is None:
        return False
    connection.execute(slot.update().where(slot.c.id == found).values(person_id=who.id))
    store_decision(db, connection, who, found, f"import {item_id[:40]}", decision)
    return True
