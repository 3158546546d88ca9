"""Ask one endpoint through its provider's batch API: submit a list of requests, poll, collect.

    reply_all ─▶ in the ledger? ─ no ─▶ in a batch under way? ─ no ─▶ budget ─▶ written ─▶ create ─▶ open
                     ▲                             └──── yes ────────▶ poll, wait, poll … ─▶ collect results
                     └────────────────── what is missing is tried again ◀─────────────────────────┘

What a batch does not bring (expired, cancelled, an error) goes into the next one, and is asked live after
that. A batch under way is found in the ledger: a kill while waiting loses nothing and creates no second one.
Where the run asks live now, the results of batches that have ended are still collected. At the cap a batch of
an earlier try, which counts at its upper bound, is waited for before anything is refused.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

from alif.errors import ReplyError
from alif.llm import endpoint, protocol
from alif.llm.batch import batch_apis
from alif.llm.batch.batch_apis import BatchProgress
from alif.llm.batch.batch_store import Batch, BatchStore, custom_id
from alif.llm.batch.settlement import BatchSettlement
from alif.llm.budget import Reservation
from alif.llm.chat_model import ChatRequest, Reply, cancel_tasks, gather_or_cancel
from alif.llm.client import EndpointClient
from alif.llm.ledger import LedgerRequest
from alif.llm.provider_error import ProviderError
from alif.records import Message

__all__ = ["BatchClient", "wait_for_any_batch"]

TRIES = 2
"""Batches that a request goes into before it is asked live."""
Pending = tuple[LedgerRequest, Sequence[Message]]


class BatchClient:
    """One endpoint, asked in batches where it `submits`; `live` asks it one by one."""

    def __init__(self, live: EndpointClient, *, submits: bool) -> None:
        self.live = live
        self.store = BatchStore(live.context.ledger)
        self.api = batch_apis.open_batch_api(live)
        self._submits = submits
        self._max_requests = batch_apis.MAX_REQUESTS
        self._watches: dict[int, asyncio.Task[None]] = {}

    async def reply(self, messages: Sequence[Message], *, draw: int = 0) -> Reply:
        """Answer `messages`; where batches are submitted, by a batch of one: prefer `reply_all`."""
        return (await self._reply_together([ChatRequest(self.live.name, messages, draw)]))[0]

    async def reply_all(self, questions: Sequence[ChatRequest], on_reply: Callable[[], None]) -> list[Reply]:
        """Answer questions by one batch, or by as few as the provider and the budget take; in their order."""
        if self._submits:
            replies = await self._reply_together(questions)
        else:
            replies = await gather_or_cancel(self.reply(one.messages, draw=one.draw) for one in questions)
        for _ in replies:
            on_reply()
        return replies

    async def _reply_together(self, questions: Sequence[ChatRequest]) -> list[Reply]:
        live, context = self.live, self.live.context
        requests = [live.build_request(one.messages, one.draw) for one in questions]
        pairs = zip(requests, questions, strict=True)
        asked = {
            request.hash: (request, question.messages)
            for request, question in pairs
            if not context.ledger.is_answered(request.hash)
        }
        async with AsyncExitStack() as stack:
            for _, (request, _) in sorted(asked.items()):  # in one order everywhere: no two calls deadlock
                await stack.enter_async_context(context.request_lock(request))
            for _ in range(TRIES):  # wait for batches under way that hold some of them, submit the others
                missing = self._unanswered(asked.values())
                holding = [self.store.find_holding(one.hash, context.run) for one, _ in missing]
                numbers = sorted({number for number in holding if number is not None})
                calls = [self.wait_for(self.store.batch(number)) for number in numbers]
                new = [one for one, number in zip(missing, holding, strict=True) if number is None]
                if new and self._submits:
                    calls.append(self._submit(new))
                await gather_or_cancel(calls)
            missing = self._unanswered(asked.values())
            if missing and self._submits:
                context.log_once(
                    f"{live.key}: what {TRIES} batches have not brought is asked live, at the full price"
                )
            await gather_or_cancel(live.send_until_answered(*pending) for pending in missing)
        replies = [context.ledger.answer(request.hash) for request in requests]
        return [one.model_copy(update={"stored": one.request not in asked}) for one in replies if one]

    def _unanswered(self, asked: Iterable[Pending]) -> list[Pending]:
        return [pending for pending in asked if not self.live.context.ledger.is_answered(pending[0].hash)]

    async def _submit(self, requests: Sequence[Pending]) -> None:
        """Send requests in as few batches as fit, and wait until all are over."""
        live, context = self.live, self.live.context
        factor = live.settings.batch_price_factor
        priced = [(one, live.upper_usd(one) * factor) for one, _ in requests]
        lines = [
            self.api.encode(custom_id(one.hash, one.draw), protocol.request_body(live.settings, messages))
            for one, messages in requests
        ]
        tasks: list[asyncio.Task[None]] = []
        first = 0
        try:
            while first < len(lines) and not any(task.done() and task.exception() for task in tasks):
                sizes = itertools.accumulate(map(len, lines[first : first + self._max_requests]))
                fitting = max(1, sum(size <= self.api.max_bytes for size in sizes))
                uppers = [upper_usd for _, upper_usd in priced[first : first + fitting]]
                count, reservation = await context.budget.reserve_first(uppers)
                where = (context.run, context.step, live.name, live.settings.base_url, context.role)
                part = slice(first, first := first + count)
                written = (priced[part], *where, context.budget.cap_usd)
                batch = await context.ledger.when_free(partial(self.store.write_batch, *written))
                uppers_usd = {member.request: member.upper_usd for member in self.store.members(batch)}
                kept = [
                    lines[one] for one in range(part.start, part.stop) if priced[one][0].hash in uppers_usd
                ]
                context.sent_count.add(len(kept))
                reservation.usd = sum(uppers_usd.values())
                task = asyncio.create_task(self._run(batch, kept, reservation))
                task.add_done_callback(reservation.close)
                tasks.append(task)
            await asyncio.gather(*tasks)
        finally:
            await cancel_tasks(tasks)

    async def _run(self, batch: Batch, lines: Sequence[bytes], reservation: Reservation) -> None:
        """Create a batch that is written, poll it and collect its results."""
        live, may_exist = self.live, False
        if not lines:  # a sibling has all its replies
            return

        async def create(attempt: int) -> str:
            nonlocal may_exist
            if may_exist and (found := await self._find(batch, live.context.retry_policy.find_batch_s)):
                return found
            try:
                return await self.api.create(batch.token, lines)
            except ProviderError as error:
                may_exist = may_exist or error.may_be_billed or error.reason.startswith("5")
                raise

        try:
            id = await live.retry(batch.token, create, passed="404")
        except (ReplyError, ProviderError) as error:
            refusal = error if isinstance(error, ProviderError) else error.__cause__
            if isinstance(refusal, ProviderError):  # otherwise the retries ended, and the batch may exist
                settlement = BatchSettlement(live, self.store, batch, reservation)
                settlement.close_unanswered(refusal.reason, "refused", may_be_billed=may_exist)
            if isinstance(error, ProviderError):
                message = f"{live.key}: {endpoint.hostname(live.settings.base_url)} has no batch interface"
                raise ReplyError(message, "Set runtime.batch = false to ask live.") from error
            raise
        await self._poll_and_collect(self.store.mark_open(batch, id), reservation)

    async def _find(self, batch: Batch, within_s: float) -> str:
        """Return the id of a batch that may have been created, "" if it is not listed in time."""
        deadline = time.monotonic() + within_s
        while not (id := await self.api.find_by_token(batch, self.store.known_ids())):
            if time.monotonic() >= deadline:
                break
            await asyncio.sleep(self.live.context.retry_policy.first_poll_s)
        return id

    def watches(self) -> list[asyncio.Task[None]]:
        """Return the watch of each batch of this run and endpoint that is under way."""
        name, address = self.live.name, self.live.settings.base_url
        batches = self.store.under_way(self.live.context.run)
        return [self._watch(one) for one in batches if (one.teacher, one.address) == (name, address)]

    async def wait_for(self, batch: Batch) -> None:
        """Wait until a batch of an earlier try is over."""
        await asyncio.shield(self._watch(batch))

    async def close(self) -> None:
        """Stop waiting; batches go on and are found again."""
        await cancel_tasks(self._watches.values())

    def _watch(self, batch: Batch) -> asyncio.Task[None]:
        """Return the one watch of a batch, shared by all who wait for it."""
        task = self._watches.get(batch.number)
        if task is None or task.done():
            task = self._watches[batch.number] = asyncio.create_task(self._resume(batch))
        return task

    async def _resume(self, batch: Batch) -> None:
        """Go on with a batch of an earlier try."""
        live, listed_s = self.live, self.live.context.retry_policy.find_batch_s
        if not batch.id:
            age_s = (datetime.now(UTC) - datetime.fromisoformat(batch.written_at)).total_seconds()
            within_s = min(listed_s, max(0.0, listed_s - age_s))
            id = await live.retry(batch.token, lambda attempt: self._find(batch, within_s))
            if not id:
                live.context.log_once(
                    f"{live.key}: a batch of {batch.size} requests, created when alif stopped, is not "
                    "listed by the provider: it counts at its upper bound"
                )
                settlement = BatchSettlement(live, self.store, batch, None)
                settlement.close_unanswered("batch not found", "gone", may_be_billed=True)
                return
            batch = self.store.mark_open(batch, id)
        await self._poll_and_collect(batch, None)

    async def _poll_and_collect(self, batch: Batch, reservation: Reservation | None) -> None:
        live, policy = self.live, self.live.context.retry_policy
        settlement = BatchSettlement(live, self.store, batch, reservation)
        if self._submits:
            live.context.log_once(
                f"{live.key}: batch {batch.id}, {batch.size} requests; this may take a day. Stopping is "
                f"safe, the same command goes on; `alif batches {batch.run}` lists and cancels."
            )
        wait_s = policy.first_poll_s
        try:
            while not (progress := await self.status(batch)).ended:
                if not self._submits:
                    how_far = f"{progress.state}, {progress.done} of {batch.size} done"
                    raise ReplyError(
                        f"{live.key}: batch {batch.id} is under way ({how_far})",
                        "Set runtime.batch = true to wait for it, or "
                        f"`alif batches {batch.run} --cancel {batch.id}`: "
                        "what is done is kept, and the rest is asked live.",
                    )
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 1.5, policy.longest_poll_s)
            results = await live.retry(batch.token, lambda attempt: self.api.results(progress), passed="404")
        except ProviderError as error:
            if not endpoint.is_local(live.settings.base_url):  # a paid one only when a person says so
                variable = endpoint.api_key_env(live.settings)
                raise ReplyError(
                    f"{live.key}: {endpoint.hostname(live.settings.base_url)} knows no batch {batch.id}",
                    f"Is {variable} of the project that created it? If the batch is lost, "
                    f"`alif batches {batch.run} --cancel {batch.id}` gives it up, and its requests are asked "
                    "and paid again.",
                ) from error
            settlement.close_unanswered("batch gone", "gone", may_be_billed=True)
            return
        await live.context.ledger.when_free(lambda: settlement.collect(progress, results))
        if not progress.refusal:
            return
        if not progress.queue_full or self._max_requests == 1:  # a refusal of the whole batch for good
            raise ReplyError(
                f"{live.key}: batch {batch.id} is refused ({progress.refusal[:200]})",
                "Fix what it says, or set runtime.batch = false to ask live.",
            )
        smaller = self._max_requests = max(1, min(self._max_requests, batch.size) // 2)
        live.context.log_once(f"{live.key}: too much is queued; batches of {smaller} requests from now on")
        await asyncio.sleep(policy.longest_poll_s)

    async def status(self, batch: Batch) -> BatchProgress:
        """Return how far a batch is.

        Raises:
            ProviderError: the provider knows no such batch.
        """
        return await self.live.retry(batch.token, lambda attempt: self.api.status(batch.id), passed="404")

    async def cancel(self, batch: Batch) -> None:
        """Ask for the end of a batch, wait for it and keep what is done; an unknown one is given up."""
        try:
            await self.live.retry(batch.token, lambda attempt: self.api.cancel(batch.id), passed="404")
        except ProviderError:
            settlement = BatchSettlement(self.live, self.store, batch, None)
            settlement.close_unanswered("batch gone", "gone", may_be_billed=True)
        else:
            await self.wait_for(batch)


async def wait_for_any_batch(clients: Iterable[BatchClient]) -> bool:
    """Wait until a batch of the run is over, whichever is first; return False where none is under way."""
    watches = [watch for client in clients for watch in client.watches()]
    if not watches:
        return False
    await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    errors = [error for watch in watches if watch.done() and (error := watch.exception())]
    if errors:
        raise errors[0]
    return True
