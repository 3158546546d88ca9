"""The batches of a run, for the person who waits: how far each is, and how to end one early."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from alif.errors import DataError, ReplyError
from alif.models import address
from alif.models.asking import Patience
from alif.models.batch import BatchLine
from alif.models.batch_book import Batch, BatchBook
from alif.models.chat import Message, ScriptedReply
from alif.models.client import open_models
from alif.models.faults import Fault
from alif.models.ledger import Ledger
from alif.recipe import Teacher
from alif.runs import Given

__all__ = ["cancel", "listed"]


def listed(given: Given, teachers: Mapping[str, Teacher], patience: Patience | None = None) -> list[dict[str, Any]]:
    """Return {id, teacher, step, written_at, state, size, done} of every batch of the run; asks about those under way.

    `done` is what the provider says that it has done, and once a batch is over the replies that it brought.
    """
    return asyncio.run(_listed(given, teachers, patience))


async def _listed(given: Given, teachers: Mapping[str, Teacher], patience: Patience | None) -> list[dict[str, Any]]:
    batches = _all(given)
    if not batches:
        return []
    reached = {
        batch.teacher: teachers[batch.teacher] for batch in batches if batch.state == "open" and _reaches(batch, teachers)
    }
    rows = []
    async with open_models(_asking(given), reached, patience=patience) as models:
        for batch, brought in batches.items():
            state, done = batch.state, brought if batch.over else None
            line = models.get(batch.teacher)
            if batch.state == "open" and isinstance(line, BatchLine):
                try:
                    progress = await line.looked(batch)
                    state, done = progress.word, progress.done
                except Fault:
                    state = "unknown to the provider"
            rows.append(_row(batch) | {"state": state, "done": done})
    return rows


def cancel(given: Given, teachers: Mapping[str, Teacher], id: str, patience: Patience | None = None) -> dict[str, Any]:
    """Cancel a batch, wait for its end and keep what it brought; one that nobody can reach any more is given up.

    Raises:
        DataError: the run has no such batch under way.
    """
    batch = next((batch for batch in _all(given) if batch.id == id and batch.state == "open"), None)
    if batch is None:
        open_ = ", ".join(batch.id for batch in _all(given) if batch.state == "open")
        raise DataError(f"{given.run}: no batch {id} is under way", f"Under way: {open_ or 'none'}.")
    return asyncio.run(_cancel(given, teachers, batch, patience))


async def _cancel(given: Given, teachers: Mapping[str, Teacher], batch: Batch, patience: Patience | None) -> dict[str, Any]:
    teacher = teachers.get(batch.teacher)
    if teacher is None or teacher.address != batch.address:
        raise ReplyError(
            f"batch {batch.id}: the recipe has no teacher.{batch.teacher} at {address.host(batch.address)} any more",
            "Put that table back into the recipe of the run.",
        )
    async with open_models(_asking(given), {batch.teacher: teacher}, nobody, patience=patience) as models:
        line = models[batch.teacher]
        assert isinstance(line, BatchLine)
        await line.cancel(batch)
    return next(_row(one) | {"done": brought} for one, brought in _all(given).items() if one.number == batch.number)


def nobody(messages: Sequence[Message], draw: int) -> ScriptedReply:
    """Stand for the offline teacher, whose batches are gone with the process that it lived in."""
    return ScriptedReply(text="", status=404)


def _all(given: Given) -> dict[Batch, int]:
    """Return every batch of the run, each with the number of replies that it has brought."""
    if not given.ledger.is_file():
        return {}
    with closing(Ledger(given.ledger)) as ledger:
        book = BatchBook(ledger)
        return {batch: book.brought(batch) for batch in book.all(given.run)}


def _reaches(batch: Batch, teachers: Mapping[str, Teacher]) -> bool:
    teacher = teachers.get(batch.teacher)
    return teacher is not None and teacher.address == batch.address and batch.address != address.SCRIPTED


def _asking(given: Given) -> Given:
    return replace(given, runtime=given.runtime.model_copy(update={"batch": True}))


def _row(batch: Batch) -> dict[str, Any]:
    keys = ("id", "teacher", "step", "written_at", "state", "size")
    return {key: getattr(batch, key) for key in keys}
