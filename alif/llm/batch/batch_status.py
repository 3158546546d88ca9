"""The batches of a run, for the person who waits: how far each is, and how to end one early."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import TypeGuard

from pydantic import JsonValue

from alif.errors import DataError, ReplyError
from alif.llm import endpoint
from alif.llm.batch.batch_client import BatchClient
from alif.llm.batch.batch_store import Batch, BatchStore
from alif.llm.ledger import Ledger
from alif.llm.provider_error import ProviderError
from alif.llm.retry_policy import RetryPolicy
from alif.llm.session import open_session
from alif.runs import StepContext
from alif.settings import Teacher

__all__ = ["BatchRow", "cancel_batch", "list_batches"]


COLUMNS = ("id", "teacher", "step", "written_at", "state", "size")
BatchRow = dict[str, JsonValue]
"""These and `done`: requests that the provider says are done, and once a batch is over its replies."""


def list_batches(
    context: StepContext, endpoints: Mapping[str, Teacher], retry_policy: RetryPolicy | None = None
) -> list[BatchRow]:
    """Return every batch of the run, with what the provider says about those under way."""
    batches = _read_batches(context)
    open_names = {batch.teacher for batch, _ in batches if batch.state == "open"}
    asked = {name: endpoints[name] for name in sorted(open_names & endpoints.keys())}

    async def list_rows() -> list[BatchRow]:
        rows = []
        async with open_session(_in_batches(context), asked, retry_policy=retry_policy) as session:
            for batch, row in batches:
                client = session.get(batch.teacher)
                if batch.state == "open" and _is_of(client, batch):
                    try:
                        progress = await client.status(batch)
                        row |= {"state": progress.state, "done": progress.done}
                    except ProviderError:
                        row |= {"state": "unknown to the provider"}
                rows.append(row)
        return rows

    return asyncio.run(list_rows()) if asked else [row for _, row in batches]


def cancel_batch(
    context: StepContext, endpoints: Mapping[str, Teacher], id: str, retry_policy: RetryPolicy | None = None
) -> BatchRow:
    """Cancel a batch, wait for its end and keep what it brought; an unknown one is given up.

    Raises:
        DataError: the run has no such batch under way.
    """
    under_way = {batch.id: batch for batch, _ in _read_batches(context) if batch.state == "open"}
    if (batch := under_way.get(id)) is None:
        hint = f"Under way: {', '.join(under_way) or 'none'}."
        raise DataError(f"{context.run}: no batch {id} is under way", hint)
    asked = {name: one for name, one in endpoints.items() if name == batch.teacher}

    async def cancel() -> None:
        async with open_session(_in_batches(context), asked, retry_policy=retry_policy) as session:
            client = session.get(batch.teacher)
            if not _is_of(client, batch):
                host = endpoint.hostname(batch.address)
                raise ReplyError(
                    f"batch {id}: the recipe has no endpoint {batch.teacher} at {host} any more",
                    "Put that table back into the recipe of the run.",
                )
            await client.cancel(batch)

    asyncio.run(cancel())
    return next(row for one, row in _read_batches(context) if one.number == batch.number)


def _is_of(client: object, batch: Batch) -> TypeGuard[BatchClient]:
    """Tell whether a batch was sent to a client's endpoint."""
    return isinstance(client, BatchClient) and client.live.settings.base_url == batch.address


def _in_batches(context: StepContext) -> StepContext:
    return replace(context, runtime=context.runtime.model_copy(update={"batch": True}))


def _read_batches(context: StepContext) -> list[tuple[Batch, BatchRow]]:
    """Return every batch of the run, and what the ledger says about it."""
    if not context.ledger.is_file():
        return []
    found = []
    with closing(Ledger(context.ledger)) as ledger:
        store = BatchStore(ledger)
        for batch in store.batches_of(context.run):
            row: BatchRow = {key: getattr(batch, key) for key in COLUMNS}
            row["done"] = store.count_replies(batch) if batch.is_over else None
            found.append((batch, row))
    return found
