"""The same requests through a provider's batch interface, cheaper and slower, behind the same door.

    reply ─▶ ledger has it? ── no ─▶ a batch under way has it? ── no ─▶ budget.hold ─▶ gather ─▶ written ─▶ made ─▶ open
                 ▲                             └──────────── yes ─────────────▶ look, wait, look … ─▶ ended ─▶ gather results
                 └──────────────────────────── each request looks again ◀────────────────────────────────────────┘

Requests that are asked at the same time go out together. What a batch does not bring (expired, cancelled, a fault) is asked
again in the next one, and live after that. A batch under way is found in the ledger, so a kill or Ctrl-C while waiting loses
nothing and makes no second batch; where the run asks live now, results are gathered from batches that have ended. At the cap it
is waited for before anything is refused: until it is over, it counts at its upper bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alif.errors import ReplyError
from alif.llm import endpoint, protocol
from alif.llm.batch.batch_apis import (
    MOST_REQUESTS,
    AnthropicBatchApi,
    BatchApi,
    BatchProgress,
    OpenAIBatchApi,
)
from alif.llm.batch.batch_store import Batch, BatchStore, custom_id
from alif.llm.batch.settlement import BatchSettlement
from alif.llm.budget import Reservation
from alif.llm.chat_model import Message, Reply
from alif.llm.client import EndpointClient
from alif.llm.http import HttpResponse
from alif.llm.ledger import LedgerRequest
from alif.llm.provider_error import ProviderError

__all__ = ["BatchClient", "wait_for_any_batch"]

TRIES = 2
"""Batches that a request goes into before it is asked live."""


@dataclass(eq=False)
class WaitingRequest:
    """A request that waits for its batch, with the money set aside for it."""

    request: LedgerRequest
    line: bytes
    upper_usd: float
    hold: Reservation
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class BatchClient:
    """One teacher, asked in batches; `live` asks it one by one."""

    def __init__(self, live: EndpointClient, in_batches: bool) -> None:
        self.live = live
        self.book = BatchStore(live.desk.ledger)
        self.settling = BatchSettlement(live, self.book)
        self.counter = _counter(live)
        self._in_batches = in_batches
        self._most = MOST_REQUESTS
        self._gathered: list[WaitingRequest] = []
        self._bell: asyncio.TimerHandle | None = None
        self._watched: dict[int, asyncio.Task[None]] = {}

    async def reply(self, messages: Sequence[Message], *, draw: int = 0) -> Reply:
        """Answer `messages`. The same messages, settings and `draw` are answered from the ledger, free."""
        live = self.live
        request = live.request(messages, draw)
        async with live.alone(request):
            return live.desk.ledger.answer(request.hash) or await self._answered(
                request, protocol.request_body(live.teacher, messages)
            )

    def watches(self) -> list[asyncio.Task[None]]:
        """Return the watch of each batch of this run that is under way."""
        run, where = self.live.desk.run, (self.live.name, self.live.teacher.base_url)
        under_way = [batch for batch in self.book.under_way(run) if (batch.teacher, batch.address) == where]
        for batch in under_way:
            self._tell_of(batch)
        return [self._watch(batch) for batch in under_way]

    async def close(self) -> None:
        """Stop waiting; batches go on at the provider and are found again."""
        if self._bell:
            self._bell.cancel()
        for task in self._watched.values():
            task.cancel()
        await asyncio.gather(*self._watched.values(), return_exceptions=True)

    async def _answered(self, request: LedgerRequest, body: dict[str, Any]) -> Reply:
        ledger, run = self.live.desk.ledger, self.live.desk.run
        for _ in range(TRIES):
            if batch := self.book.holding(request.hash, run):
                self._tell_of(batch)
                await self.watched(batch)
            elif self._in_batches:
                await self._join(request, body)
            if reply := ledger.answer(request.hash):
                return reply.model_copy(update={"stored": False})
        if self._in_batches:
            self.live.desk.tell(
                f"teacher.{self.live.name}: what {TRIES} batches have not brought is asked live, at the full price"
            )
        return await self.live.answered(request, body)

    def _tell_of(self, batch: Batch) -> None:
        """Say that a batch is waited for; a run that asks live does not wait."""
        if self._in_batches and batch.id:
            self.live.desk.tell(
                f"teacher.{self.live.name}: batch {batch.id}, {batch.size} requests; this may take a day. "
                f"Stopping is safe, the same command goes on; `alif batches {batch.run}` lists and cancels."
            )

    async def _join(self, request: LedgerRequest, body: Mapping[str, Any]) -> None:
        """Go into the next batch and wait until it is over."""
        upper_usd = self.live.upper_usd(request) * self.live.teacher.batch_price_factor
        line = self.counter.line(custom_id(request.hash, request.draw), body)
        async with self.live.desk.budget.hold(upper_usd) as hold:
            waiting = WaitingRequest(request, line, upper_usd, hold)
            if sum(len(one.line) for one in self._gathered) + len(line) > self.counter.most_bytes:
                self._send_off()
            self._gathered.append(waiting)
            if len(self._gathered) >= self._most:
                self._send_off()
            else:
                self._ring_later()
            try:
                await waiting.done
            finally:
                if waiting in self._gathered:
                    self._gathered.remove(waiting)

    def _ring_later(self) -> None:
        if self._bell:
            self._bell.cancel()
        self._bell = asyncio.get_running_loop().call_later(self.live.desk.patience.gather_s, self._send_off)

    def _send_off(self) -> None:
        """Make a batch of what is gathered."""
        gathered, self._gathered = self._gathered, []
        if self._bell:
            self._bell.cancel()
        if gathered:
            desk, line = self.live.desk, self.live
            pairs = [(one.request, one.upper_usd) for one in gathered]
            batch = self.book.write(pairs, desk.run, desk.step, line.name, line.teacher.base_url)
            for one in gathered:
                one.hold.usd = one.upper_usd
                self.settling.holds[one.request.hash] = one.hold
            task = asyncio.ensure_future(self._whole_way(batch, [one.line for one in gathered]))
            self._watched[batch.number] = task
            task.add_done_callback(lambda task: _tell(task, gathered))

    async def watched(self, batch: Batch) -> None:
        """Wait until a batch is over that was made before."""
        await asyncio.shield(self._watch(batch))

    def _watch(self, batch: Batch) -> asyncio.Task[None]:
        """Return the one watch of a batch, which everybody shares who waits for it."""
        task = self._watched.get(batch.number)
        if task is None or task.done():
            task = self._watched[batch.number] = asyncio.ensure_future(self._found_again(batch))
        return task

    async def _whole_way(self, batch: Batch, lines: Sequence[bytes]) -> None:
        async def made(attempt: int) -> str:
            found = (
                await self.counter.find(batch) if attempt else ""
            )  # the try before may have reached the provider
            return found or await self.counter.make(batch.token, lines)

        try:
            id = await self.live.persist(batch.token, made, leave="404")
        except (ReplyError, ProviderError) as error:
            refusal = error if isinstance(error, ProviderError) else error.__cause__
            if isinstance(
                refusal, ProviderError
            ):  # said by the provider; without one patience ended, and the batch may be there
                self.settling.refused(batch, refusal.why)
            if isinstance(error, ProviderError):
                host = endpoint.hostname(self.live.teacher.base_url)
                raise ReplyError(
                    f"teacher.{self.live.name}: {host} has no batch interface",
                    "Set runtime.batch = false to ask live.",
                ) from error
            raise
        batch = self.book.opened(batch, id)
        self._tell_of(batch)
        await self._until_over(batch)

    async def _found_again(self, batch: Batch) -> None:
        """Go on with a batch of an earlier try."""
        if not batch.id:
            id = await self.live.persist(batch.token, lambda attempt: self.counter.find(batch))
            if not id:
                self.settling.refused(batch, "never sent")
                return
            batch = self.book.opened(batch, id)
        await self._until_over(batch)

    async def _until_over(self, batch: Batch) -> None:
        live, wait_s = self.live, self.live.desk.patience.first_poll_s
        try:
            while not (progress := await self.looked(batch)).ended:
                if not self._in_batches:
                    far = f"{progress.word}, {progress.done} of {batch.size} done"
                    raise ReplyError(
                        f"teacher.{live.name}: batch {batch.id} is under way ({far})",
                        f"Set runtime.batch = true to wait for it, or `alif batches {batch.run} --cancel {batch.id}`: "
                        "what is done is kept, and the rest is asked live.",
                    )
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 1.5, live.desk.patience.longest_poll_s)
            results = await live.persist(
                batch.token, lambda attempt: self.counter.results(progress), leave="404"
            )
        except ProviderError as fault:
            self._gone(batch, fault)
            return
        self.settling.gather(batch, progress, results)
        if progress.why:
            await self._refused_whole(batch, progress)

    async def looked(self, batch: Batch) -> BatchProgress:
        """Return how far a batch is.

        Raises:
            Fault: the provider knows no such batch.
        """
        return await self.live.persist(batch.token, lambda attempt: self.counter.look(batch.id), leave="404")

    async def cancel(self, batch: Batch) -> None:
        """Ask for the end of a batch, wait for it and keep what is done; one that the provider does not know is given up."""
        try:
            await self.live.persist(batch.token, lambda attempt: self.counter.cancel(batch.id), leave="404")
        except ProviderError:
            self.settling.give_up(batch)
        else:
            await self.watched(batch)

    def _gone(self, batch: Batch, fault: ProviderError) -> None:
        """Give up a batch that nobody knows any more, at its upper bound; a paid one only when a person says so."""
        if not endpoint.is_local(self.live.teacher.base_url):
            host = endpoint.hostname(self.live.teacher.base_url)
            raise ReplyError(
                f"teacher.{self.live.name}: {host} knows no batch {batch.id}",
                f"Is {endpoint.api_key_env(self.live.teacher)} of the project that made it? If the batch is lost, "
                f"`alif batches {batch.run} --cancel {batch.id}` gives it up, and its requests are asked and paid again.",
            ) from fault
        self.settling.give_up(batch)

    async def _refused_whole(self, batch: Batch, progress: BatchProgress) -> None:
        """Try smaller batches where too much is queued; any other refusal of a whole batch is for good."""
        if not progress.crowded or self._most == 1:
            raise ReplyError(
                f"teacher.{self.live.name}: batch {batch.id} is refused ({progress.why[:200]})",
                "Mend what it says, or set runtime.batch = false to ask live.",
            )
        self._most = max(1, min(self._most, batch.size) // 2)
        self.live.desk.tell(
            f"teacher.{self.live.name}: too much is queued; batches of {self._most} requests from now on"
        )
        await asyncio.sleep(self.live.desk.patience.longest_poll_s)


async def wait_for_any_batch(lines: Iterable[BatchClient]) -> bool:
    """Wait until a batch of the run is over, whichever is first; return False where none is under way.

    Raises:
        ReplyError: it never will be, or the run asks live and does not wait for it.
    """
    watches = [watch for line in lines for watch in line.watches()]
    if not watches:
        return False
    await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    errors = [error for watch in watches if watch.done() and (error := watch.exception())]
    if errors:
        raise errors[0]
    return True


def _tell(task: asyncio.Task[None], gathered: Sequence[WaitingRequest]) -> None:
    """Wake everybody who waits for a batch that is over, or say why it never will be."""
    error = None if task.cancelled() else task.exception()
    for one in gathered:
        if not one.done.done():
            if task.cancelled():
                one.done.cancel()
            elif error:
                one.done.set_exception(error)
            else:
                one.done.set_result(None)


def _counter(live: EndpointClient) -> BatchApi:
    async def ask(path: str, body: Mapping[str, Any] | None = None, files: Any = None) -> HttpResponse:
        answer = await (live.wire.get(path) if body is None else live.wire.post(path, body, files=files))
        if answer.status >= 400:
            raise live.refused(answer)
        return answer

    spoken = endpoint.protocol_of(live.teacher)
    if spoken == "anthropic":
        return AnthropicBatchApi(ask)
    return OpenAIBatchApi(ask, "/chat/completions" if spoken == "azure" else "/v1/chat/completions")
