"""Ask one teacher one thing until it is answered: the ledger first, then money, a place, the wire.

    reply ─▶ ledger has it? ── yes ───────────────────────────────────────────▶ Reply, free
                 └─ no ─▶ budget.hold ─▶ limiter.slot ─▶ ledger.sending ─▶ POST ─▶ ledger.answered ─▶ Reply
                              ▲                                              │ fault
                              └────────── wait, longer each time ◀───────────┘

A request is tried until it is answered or the run stops with a sentence; it is never skipped.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from alif import console
from alif.errors import ReplyError
from alif.formatting import format_duration
from alif.llm import endpoint, protocol
from alif.llm.budget import Budget, Price, Reservation
from alif.llm.chat_model import Message, Reply, finish_in_flight
from alif.llm.http import HttpResponse, HttpTransport
from alif.llm.ledger import Ledger, LedgerRequest
from alif.llm.limiter import Limiter
from alif.llm.parse import ParsedReply, UnparsableReply, parse_reply
from alif.llm.provider_error import ProviderError, from_status
from alif.recipe import Teacher

__all__ = ["EndpointClient", "RequestContext", "RetryPolicy"]

T = TypeVar("T")

TOLD_FROM_S = 10.0
"""A wait of this length is told on the screen."""
TIMEOUT = "timeout"
TOO_LATE = (TIMEOUT, "408", "504", "524")
"""Faults of a host, or of a gateway before it, that took too long: perhaps it is sent more at once than it bears."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long to try again. Each wait doubles, up to the longest, less a seeded part so that not all come back at once."""

    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    unreached_s: float = 20.0
    """How long a host that has not answered yet is tried to be reached."""
    silence_s: float = 600.0
    """The same for a host that has answered before: the network may come back."""
    give_up_s: float = 1800.0
    """How long one request is tried at all."""
    timeouts: int = 3
    """The same for a request that times out, in timeouts, where that is longer."""
    landing_s: float = 20.0
    """How long replies that are on their way are waited for when the run stops: they are paid for."""
    gather_s: float = 0.25
    """How long a batch waits for one more request."""
    first_poll_s: float = 2.0
    longest_poll_s: float = 60.0
    """The waits between two looks at a batch grow from the one to the other."""

    def wait_s(self, request: str, attempt: int) -> float:
        """Return the wait after `attempt` (from 0): a pure function of the request and the attempt."""
        longest = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(attempt, 30))
        return longest * random.Random(f"{request}:{attempt}").uniform(0.5, 1.0)


@dataclass(frozen=True)
class RequestContext:
    """What all teachers of a step share."""

    run: str
    step: str
    ledger: Ledger
    budget: Budget
    seats: asyncio.Semaphore
    """runtime.max_concurrency requests in flight, over all teachers."""
    patience: RetryPolicy
    timeout_s: float
    asking: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """One lock a request under way, so that the same request is not sent twice at once."""
    heard: set[str] = field(default_factory=set)
    """Hosts that have answered anything."""
    told: set[str] = field(default_factory=set)

    def tell(self, text: str) -> None:
        """Say something on the screen, once."""
        if text not in self.told:
            self.told.add(text)
            console.log(text)


@dataclass(frozen=True)
class EndpointClient:
    """One teacher and everything needed to ask it."""

    name: str
    teacher: Teacher
    edition: str
    key: str
    price: Price
    limiter: Limiter
    wire: HttpTransport
    desk: RequestContext

    async def reply(self, messages: Sequence[Message], *, draw: int = 0) -> Reply:
        """Answer `messages`. The same messages, settings and `draw` are answered from the ledger, free."""
        request = self.request(messages, draw)
        async with self.alone(request):
            return self.desk.ledger.answer(request.hash) or await self.answered(
                request, protocol.request_body(self.teacher, messages)
            )

    def request(self, messages: Sequence[Message], draw: int) -> LedgerRequest:
        """Return what the ledger calls this question."""
        settings: dict[str, Any] = {
            "max_tokens": self.teacher.max_tokens,
            "temperature": self.teacher.temperature,
        }
        if self.edition:
            settings["edition"] = self.edition
        return LedgerRequest.of(
            self.name, self.teacher.base_url, self.teacher.model, messages, settings, draw=draw
        )

    def alone(self, request: LedgerRequest) -> asyncio.Lock:
        """Return the lock that keeps a request from being sent twice at the same time."""
        return self.desk.asking.setdefault(request.hash, asyncio.Lock())

    def upper_usd(self, request: LedgerRequest, *, written: bool = True) -> float:
        """Return the most that a request can cost; where nothing was written for it, that is the prompt alone."""
        return self.price.upper_usd(len(request.payload.encode()), self.teacher.max_tokens if written else 0)

    async def answered(self, request: LedgerRequest, body: dict[str, Any]) -> Reply:
        """Send a request until it is answered."""
        return await self.persist(request.hash, lambda attempt: self._attempt(request, body, attempt))

    async def persist(self, key: str, attempt: Callable[[int], Awaitable[T]], leave: str = "") -> T:
        """Try something until it is done; the waits between two tries are those of `key`.

        Raises:
            ReplyError: no other try can help, or patience is at its end.
            Fault: the one named in `leave`, at once.
        """
        troubled_since = unreachable_since = math.inf
        for number in itertools.count():
            try:
                return await attempt(number)
            except ProviderError as fault:
                if fault.why == leave:
                    raise
                if fault.stop:
                    raise fault.stop from fault
                now = time.monotonic()
                troubled_since = min(
                    troubled_since, now - self.desk.timeout_s if fault.why == TIMEOUT else now
                )
                unreachable_since = min(unreachable_since, now) if fault.unreachable else math.inf
                self._check_patience(fault, round(now - troubled_since, 3), now - unreachable_since)
                await asyncio.sleep(max(fault.wait_s or 0.0, self.desk.patience.wait_s(key, number)))
        raise AssertionError("the attempts never end")

    async def _attempt(self, request: LedgerRequest, body: dict[str, Any], attempt: int) -> Reply:
        """Send once, with money held and a place in flight; what has been sent is kept even if nobody waits for it any more."""
        desk, upper_usd = self.desk, self.upper_usd(request)
        async with (
            desk.budget.hold(upper_usd) as hold,
            self.limiter.slot(again=attempt > 0) as burst,
            desk.seats,
        ):
            number = desk.ledger.sending(request, desk.run, desk.step, upper_usd)
            hold.usd = upper_usd
            return await finish_in_flight(
                self._sent(number, request, body, attempt, hold, burst), desk.patience.landing_s
            )

    async def _sent(
        self,
        number: int,
        request: LedgerRequest,
        body: dict[str, Any],
        attempt: int,
        hold: Reservation,
        burst: int,
    ) -> Reply:
        """Send an attempt that is written down, and settle it."""
        try:
            raw, reading = await self._send(body, request.draw, attempt)
        except ProviderError as fault:
            self.desk.ledger.failed(number, fault.why, fault.billed)
            hold.usd = hold.usd if fault.billed else 0.0
            if fault.crowded or fault.why in TOO_LATE:
                self.limiter.refused(burst, None if fault.stop else fault.wait_s)
            elif fault.wait_s is not None and not fault.stop:
                self.limiter.pause(fault.wait_s)
            raise
        cost_usd = (
            self.price.cost_usd(reading)
            if reading.metered
            else self.upper_usd(request, written=reading.written)
        )
        reply = self.desk.ledger.answered(number, request.hash, raw, reading, cost_usd)
        hold.usd = cost_usd
        self.limiter.answered()
        return reply

    async def _send(self, body: dict[str, Any], draw: int, attempt: int) -> tuple[str, ParsedReply]:
        """Send once and read the reply.

        Raises:
            Fault: there is none.
        """
        headers = {"X-Alif-Draw": str(draw), "X-Alif-Attempt": str(attempt)}
        answer = await self.wire.post(
            protocol.request_path(self.teacher), body, headers=headers, timeout_s=self.desk.timeout_s
        )
        return answer.text, self.understood(answer)

    def understood(self, answer: HttpResponse) -> ParsedReply:
        """Read an answer; a refusal that is the model's answer to the prompt is one too.

        Raises:
            Fault: it is a refusal, or cannot be read.
        """
        host = endpoint.hostname(self.teacher.base_url)
        self.desk.heard.add(host)
        if answer.status >= 500:
            raise self.refused(answer)
        try:
            return parse_reply(answer.text)
        except UnparsableReply as error:
            status = answer.status if answer.status >= 400 else error.status
            if status:
                raise self.refused(replace(answer, status=status)) from error
            counted = (
                "each try counts at the most that it can cost"
                if error.billed
                else "nobody is billed for that"
            )
            self.desk.tell(
                f"teacher.{self.name}: {host} answers with {error.why} and is asked again; {counted}"
            )
            raise ProviderError(error.why, billed=error.billed) from error

    def refused(self, answer: HttpResponse) -> ProviderError:
        """Return what a refusal means."""
        return from_status(
            answer.status, answer.headers, answer.text, self.name, self.teacher, key=self.key, url=answer.url
        )

    def _check_patience(self, fault: ProviderError, troubled_s: float, unreachable_s: float) -> None:
        """Tell of a long wait, or raise when patience is at its end."""
        host, patience, asked_s = (
            endpoint.hostname(self.teacher.base_url),
            self.desk.patience,
            fault.wait_s or 0.0,
        )
        allowed_s = patience.silence_s if host in self.desk.heard else patience.unreached_s
        timeouts_s = patience.timeouts * self.desk.timeout_s if fault.why == TIMEOUT else 0.0
        give_up_s = max(patience.give_up_s, timeouts_s)
        if unreachable_s >= allowed_s:
            raise ReplyError(
                f"teacher.{self.name}: cannot reach {host} (tried for {format_duration(unreachable_s)}; {fault.why})",
                "Check the network and teacher.NAME.base_url, and repeat the command: it goes on where it stopped.",
            )
        if max(troubled_s, asked_s) >= give_up_s:
            asks = f", it asks to wait {format_duration(asked_s)}" if asked_s else ""
            raise ReplyError(
                f"teacher.{self.name}: {host} has not answered a request for {format_duration(troubled_s)} (last: {fault.why}{asks})",
                "Look at the provider's status and at runtime.timeout_s, and repeat the command: it goes on where it stopped.",
            )
        if fault.unreachable and allowed_s >= TOLD_FROM_S:
            self.desk.tell(
                f"teacher.{self.name}: cannot reach {host}, trying again for {format_duration(allowed_s)}"
            )
        elif asked_s >= TOLD_FROM_S:
            self.desk.tell(f"teacher.{self.name}: {host} asks to wait {format_duration(asked_s)}")
        elif troubled_s >= TOLD_FROM_S:
            self.desk.tell(
                f"teacher.{self.name}: no reply from {host} yet ({fault.why}), trying again for {format_duration(give_up_s)}"
            )
