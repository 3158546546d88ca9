"""Ask one endpoint until it answers: the ledger first, then money, a place in flight, HTTP.

    reply ─▶ in the ledger? ── yes ─────────────────────────────────────────────────────────▶ Reply, free
                 └─ no ─▶ budget.reserve ─▶ limiter.slot ─▶ record_sent ─▶ POST ─▶ record_reply ─▶ Reply
                              ▲                                             │ ProviderError
                              └─────────── wait, longer each time ◀─────────┘

A request is retried until it is answered, the run stops with a sentence, or it is set aside as one that is
never answered while others are; it is never skipped.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from pydantic import JsonValue

from alif import console
from alif.formatting import format_usd
from alif.llm import endpoint, protocol
from alif.llm.budget import Overrun, Price, Reservation
from alif.llm.chat_model import UNANSWERED, ChatRequest, Reply, finish_in_flight, gather_or_cancel
from alif.llm.http import HttpResponse, HttpTransport
from alif.llm.ledger import LedgerRequest
from alif.llm.limiter import Limiter
from alif.llm.parse import BLOCKED, ParsedReply, UnparsableReply, parse_reply
from alif.llm.provider_error import TIMEOUT, ProviderError, from_status, provider_words
from alif.llm.request_context import RequestContext
from alif.llm.retry import Retries
from alif.llm.unanswerable import GREETING, EndpointWatch
from alif.records import Message
from alif.settings import Teacher

__all__ = ["EndpointClient"]

T = TypeVar("T")

TIMEOUTS = (TIMEOUT, "408", "504", "524")
"""Failures of a host, or of a gateway before it, that took too long: perhaps it is sent too much at once."""


@dataclass(frozen=True)
class EndpointClient:
    """One endpoint and everything needed to ask it."""

    name: str
    key: str
    """The recipe key of its table, for messages."""
    settings: Teacher
    answers_digest: str
    """Offline teacher only: digest of what its reply function answers from."""
    api_key: str
    price: Price
    overrun: Overrun
    limiter: Limiter
    transport: HttpTransport
    context: RequestContext
    watch: EndpointWatch = field(default_factory=EndpointWatch)

    async def reply(self, messages: Sequence[Message], *, draw: int = 0) -> Reply:
        """Answer `messages`. The same messages, settings and `draw` are answered from the ledger, free."""
        request = self.build_request(messages, draw)
        async with self.context.request_lock(request):
            return self.context.ledger.answer(request.hash) or await self.send_until_answered(
                request, messages
            )

    async def reply_all(self, questions: Sequence[ChatRequest], on_reply: Callable[[], None]) -> list[Reply]:
        """Answer questions concurrently, in their order; call `on_reply` for each reply."""

        async def ask(question: ChatRequest) -> Reply:
            reply = await self.reply(question.messages, draw=question.draw)
            on_reply()
            return reply

        return await gather_or_cancel(ask(one) for one in questions)

    def build_request(self, messages: Sequence[Message], draw: int) -> LedgerRequest:
        """Return a question as the ledger identifies it."""
        teacher = self.settings
        sent = protocol.sent_messages(teacher, messages)
        settings: dict[str, JsonValue] = {
            "max_tokens": teacher.max_tokens,
            "temperature": teacher.temperature,
        }
        if self.answers_digest:
            settings["edition"] = self.answers_digest
        if teacher.extra:
            settings["extra"] = dict(teacher.extra)
        return LedgerRequest.of(self.name, teacher.base_url, teacher.model, sent, settings, draw=draw)

    def upper_usd(self, request: LedgerRequest, *, has_output: bool = True) -> float:
        """Return the most that a request can cost, for the prompt alone where there is no output."""
        prompt_bytes = len(request.payload.encode())
        if not has_output:
            return self.price.upper_usd(prompt_bytes, 0)
        return self.price.upper_usd(prompt_bytes, self.settings.max_tokens) + self.overrun.usd

    async def send_until_answered(self, request: LedgerRequest, messages: Sequence[Message]) -> Reply:
        """Send a request, with retries, until it is answered, or set aside while others are.

        Then it is stored as its answer that there is none, so that it is never asked again.
        """
        context, ledger = self.context, self.context.ledger
        answered_before = partial(ledger.has_answers, self.name, self.settings.model, GREETING)

        async def greet() -> Reply:  # asks for a word in the same roles
            greeting = [one.model_copy(update={"content": GREETING}) for one in messages]
            requests = (self.build_request(greeting, draw) for draw in itertools.count())
            new = next(one for one in requests if not ledger.is_answered(one.hash))
            return await self._attempt(new, greeting, 0)

        async def attempt(number: int) -> Reply:
            send = partial(self._attempt, request, messages, number)
            again_s = context.retry_policy.longest_wait_s
            if reply := await suspect.attempt(send, greet, answered_before, again_s):
                return reply
            context.log_once(
                f"{self.key}: a prompt that fails while others are answered is set aside as `{UNANSWERED}`",
                f": {suspect.reason}; the row says so, and no run asks it again",
            )
            nothing = ParsedReply("", f"{UNANSWERED}: {suspect.reason}", "", 0, 0, 0, 0, metered=False)
            attempted = ledger.record_sent(request, context.run, context.step, 0.0, context.role)
            if attempted is not None:
                return ledger.record_reply(attempted, request.hash, "", nothing, 0.0)
            answer = ledger.answer(request.hash)
            assert answer is not None
            return answer

        async with self.limiter.trial():
            with self.watch.asking(request.hash) as suspect:
                return await self.retry(request.hash, attempt)

    async def retry(self, seed: str, attempt: Callable[[int], Awaitable[T]], passed: str = "") -> T:
        """Retry `attempt` until it succeeds; `seed` decides the jitter of the waits.

        Raises:
            ReplyError: a retry cannot help, or the retry policy is exhausted.
            ProviderError: the one whose reason is `passed`, at once.
        """
        host = endpoint.hostname(self.settings.base_url)
        return await Retries(self.key, host, self.context, self.limiter).run(seed, attempt, passed)

    async def _attempt(self, request: LedgerRequest, messages: Sequence[Message], attempt: int) -> Reply:
        """Send once, with money reserved; a reply is stored even if the caller is cancelled."""
        body = protocol.request_body(self.settings, messages) | protocol.stream_fields(self.settings)
        context, upper_usd = self.context, self.upper_usd(request)
        with await context.budget.reserve(upper_usd) as reservation:
            async with self.limiter.slot(retry=attempt > 0) as epoch, context.concurrency:
                sent = (request, context.run, context.step, upper_usd, context.role, context.budget.cap_usd)
                number = await context.ledger.when_free(lambda: context.ledger.record_sent(*sent))
                if number is None and (answer := context.ledger.answer(request.hash)):
                    return answer
                assert number is not None
                context.sent_count.add()
                reservation.usd = upper_usd
                return await finish_in_flight(
                    self._send(number, request, body, attempt, reservation, epoch),
                    context.retry_policy.finish_s,
                )

    async def _send(
        self,
        number: int,
        request: LedgerRequest,
        body: Mapping[str, JsonValue],
        attempt: int,
        reservation: Reservation,
        epoch: int,
    ) -> Reply:
        """Send an attempt that the ledger has, and settle it."""
        headers = {"X-Alif-Draw": str(request.draw), "X-Alif-Attempt": str(attempt)}
        path, ledger, raw = protocol.request_path(self.settings), self.context.ledger, ""
        sent_at = time.monotonic()
        try:
            response = await self.transport.post(
                path, body, headers=headers, timeout_s=self.context.timeout_s
            )
            raw = response.text
            parsed = self.parse_response(response)
        except ProviderError as error:
            usd = self.price.cost_usd(error.usage) if error.usage else 0.0
            failure = (number, error.reason, error.may_be_billed, raw if error.unreadable else "", usd)
            await ledger.when_free(lambda: ledger.record_failure(*failure))
            reservation.usd = reservation.usd if error.may_be_billed else usd
            if error.rate_limited or error.reason in TIMEOUTS:
                self.limiter.record_refusal(epoch, None if error.stop else error.wait_s)
            elif error.wait_s is not None and not error.stop:
                self.limiter.pause(error.wait_s)
            raise
        if parsed.metered:
            cost_usd = self.price.cost_usd(parsed)
        else:
            cost_usd = self.upper_usd(request, has_output=parsed.has_output)
        reservation.usd = cost_usd
        self.check_bound(parsed, cost_usd, self.upper_usd(request))
        reply = await ledger.when_free(
            lambda: ledger.record_reply(number, request.hash, raw, parsed, cost_usd)
        )
        self.limiter.record_reply()
        if parsed.finish != BLOCKED:
            self.watch.record_answer(request.hash, sent_at)
        return reply

    def check_bound(self, parsed: ParsedReply, cost_usd: float, upper_usd: float) -> None:
        """Raise the upper bound of this model's requests where a reply has cost more: the cap has to hold."""
        if cost_usd > upper_usd:
            self.overrun.raise_by(cost_usd - upper_usd)
            host = endpoint.hostname(self.settings.base_url)
            console.log(
                f"{self.key}: {host} counted {parsed.tokens_in:,} tokens in and {parsed.tokens_out:,} out "
                f"where max_tokens is {self.settings.max_tokens}: {format_usd(cost_usd)} instead of at most "
                f"{format_usd(upper_usd)}. The cap now counts {format_usd(self.overrun.usd)} more a request"
            )

    def parse_response(self, response: HttpResponse) -> ParsedReply:
        """Parse a response; a refusal that is the model's answer to the prompt is a reply too.

        Raises:
            ProviderError: it is a refusal, or cannot be parsed.
        """
        host = endpoint.hostname(self.settings.base_url)
        self.context.responded_hosts.add(host)
        if response.status >= 500:
            raise self.classify(response)
        try:
            return parse_reply(response.text, self.settings.max_tokens)
        except UnparsableReply as error:
            if status := response.status if response.status >= 300 else error.status:
                raise self.classify(replace(response, status=status)) from error
            may_be_billed = error.may_be_billed and not error.usage
            counted = (
                "each attempt counts at the most that it can cost" if may_be_billed else "that is not billed"
            )
            counted = "each attempt counts at what it reports" if error.usage else counted
            words = provider_words(response.text, self.api_key)
            self.context.log_once(
                f"{self.key}: {host} answers with {error.reason} and is asked again; {counted}", words
            )
            raise ProviderError(
                error.reason, may_be_billed=may_be_billed, words=words, unreadable=True, usage=error.usage
            ) from error

    def classify(self, response: HttpResponse) -> ProviderError:
        """Return what a refusal means."""
        return from_status(
            response.status,
            response.headers,
            response.text,
            self.key,
            self.settings,
            api_key=self.api_key,
            url=response.url,
        )
