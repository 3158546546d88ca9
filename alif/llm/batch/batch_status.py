"""The batches of a run, for the person who waits: how far each is, and how to end one early."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import TypedDict

from alif.errors import DataError, ReplyError
from alif.llm import endpoint
from alif.llm.batch.batch_client import BatchClient
from alif.llm.batch.batch_store import Batch, BatchStore
from alif.llm.client import RetryPolicy
from alif.llm.ledger import Ledger
from alif.llm.provider_error import ProviderError
from alif.llm.session import open_session
from alif.runs import StepContext
from alif.settings import Teacher

__all__ = ["BatchRow", "cancel_batch", "list_batches"]


class BatchRow(TypedDict):
    """One entry of `alif batches --json`."""

    id: str
    teacher: str
    step: str
    written_at: str
    state: str
    size: int
    done: int | None
    """Requests that the provider says are done, and once a batch is over the replies that it brought."""


def list_batches(
    context: StepContext, endpoints: Mapping[str, Teacher], retry_policy: RetryPolicy | None = None
) -> list[BatchRow]:
    """Return every batch of the run, with the provider's answer about those under way."""
    return asyncio.run(_list_batches(context, endpoints, retry_policy))


async def _list_batches(
    context: StepContext, endpoints: Mapping[str, Teacher], retry_policy: RetryPolicy | None
) -> list[BatchRow]:
    batches = _read_batches(context)
    reachable = {
        batch.teacher: settings
        for batch in batches
        if batch.state == "open"
        and (settings := endpoints.get(batch.teacher))
        and settings.base_url == batch.address
    }
    if not reachable:
        return [_row(batch, replies if batch.is_over else None) for batch, replies in batches.items()]
    rows = []
    async with open_session(_in_batches(context), reachable, retry_policy=retry_policy) as session:
        for batch, replies in batches.items():
            row, client = _row(batch, replies if batch.is_over else None), session.get(batch.teacher)
            if batch.state == "open" and isinstance(client, BatchClient):
                try:
                    progress = await client.status(batch)
                    row["state"], row["done"] = progress.state, progress.done
                except ProviderError:
                    row["state"] = "unknown to the provider"
            rows.append(row)
    return rows


def cancel_batch(
    context: StepContext, endpoints: Mapping[str, Teacher], id: str, retry_policy: RetryPolicy | None = None
) -> BatchRow:
    """Cancel a batch, wait for its end and keep what it brought; one that the provider does not know is given up.

    Raises:
        DataError: the run has no such batch under way.
    """
    under_way = {batch.id: batch for batch in _read_batches(context) if batch.state == "open"}
    if (batch := under_way.get(id)) is None:
        raise DataError(
            f"{context.run}: no batch {id} is under way", f"Under way: {', '.join(under_way) or 'none'}."
        )
    settings = endpoints.get(batch.teacher)
    if settings is None or settings.base_url != batch.address:
        raise ReplyError(
            f"batch {id}: the recipe has no teacher.{batch.teacher} at {endpoint.hostname(batch.address)} any more",
            "Put that table back into the recipe of the run.",
        )
    asyncio.run(_cancel(context, settings, batch, retry_policy))
    ended = {one.number: (one, replies) for one, replies in _read_batches(context).items()}
    return _row(*ended[batch.number])


async def _cancel(
    context: StepContext, settings: Teacher, batch: Batch, retry_policy: RetryPolicy | None
) -> None:
    async with open_session(
        _in_batches(context), {batch.teacher: settings}, retry_policy=retry_policy
    ) as session:
        client = session[batch.teacher]
        assert isinstance(client, BatchClient)
        await client.cancel(batch)


def _in_batches(context: StepContext) -> StepContext:
    return replace(context, runtime=context.runtime.model_copy(update={"batch": True}))


def _read_batches(context: StepContext) -> dict[Batch, int]:
    """Return every batch of the run, each with the number of replies that it has brought."""
    if not context.ledger.is_file():
        return {}
    with closing(Ledger(context.ledger)) as ledger:
        store = BatchStore(ledger)
        return {batch: store.count_replies(batch) for batch in store.batches_of(context.run)}


def _row(batch: Batch, done: int | None) -> BatchRow:
    return {
        "id": batch.id,
        "teacher": batch.teacher,
        "step": batch.step,
        "written_at": batch.written_at,
        "state": batch.state,
        "size": batch.size,
        "done": done,
    }
