"""Open the endpoints of a step, ask them, and close everything behind.

async with open_session(context, recipe.teacher, role="teacher") as models:
    reply = await models["gpt"].reply([Message(role="user", content="…")], draw=0)
    replies = await models.reply_all([ChatRequest("gpt", messages) for messages in many])  # perhaps one batch
"""

from __future__ import annotations

import asyncio
import itertools
import operator
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing

from alif import console
from alif.errors import RecipeError
from alif.llm import endpoint
from alif.llm.batch.batch_client import BatchClient, wait_for_any_batch
from alif.llm.batch.batch_store import BatchStore
from alif.llm.budget import Budget, Overrun, price_of
from alif.llm.chat_model import ChatModel, ChatRequest, Reply, ReplyFunction, Role, gather_or_cancel
from alif.llm.client import EndpointClient
from alif.llm.demo_server import DemoServer, serve_demo
from alif.llm.http import open_transport
from alif.llm.ledger import Account, Ledger
from alif.llm.limiter import Limiter
from alif.llm.request_context import RequestContext
from alif.llm.retry_policy import RetryPolicy
from alif.llm.sent_count import SentCount
from alif.runs import StepContext, describe_new_ledger
from alif.settings import Runtime, Teacher

__all__ = ["ROLE_TABLES", "EndpointSession", "RetryPolicy", "open_session"]

ROLE_TABLES: Mapping[Role, str] = {
    "teacher": "teacher",
    "translator": "teacher",
    "judge": "judge",
    "baseline": "system",
    "student": "system",
}
"""The recipe table in which an endpoint of a role is configured."""


class EndpointSession(Mapping[str, ChatModel]):
    """The endpoints of a step by their names in the recipe, and what the step has paid."""

    def __init__(self, clients: Mapping[str, EndpointClient | BatchClient], context: RequestContext) -> None:
        self._clients, self._context = clients, context
        self._closed: Account | None = None
        self._earlier_usd = self.cost_usd - context.budget.spent_usd

    def __getitem__(self, name: str) -> EndpointClient | BatchClient:
        return self._clients[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clients)

    def __len__(self) -> int:
        return len(self._clients)

    async def reply_all(
        self, questions: Sequence[ChatRequest], on_reply: Callable[[], None] = lambda: None
    ) -> list[Reply]:
        """Answer questions concurrently, in their order; call `on_reply` for each reply.

        With `runtime.batch`, the questions to each endpoint go out as one batch.
        """
        asked: dict[str, list[int]] = {}
        for number, question in enumerate(questions):
            asked.setdefault(question.endpoint, []).append(number)
        answered = await gather_or_cancel(
            self[name].reply_all([questions[number] for number in numbers], on_reply)
            for name, numbers in asked.items()
        )
        numbered = zip(itertools.chain(*asked.values()), itertools.chain(*answered), strict=True)
        return [reply for _, reply in sorted(numbered, key=operator.itemgetter(0))]

    @property
    def account(self) -> Account:
        """What this run and step have sent, got and spent, earlier tries of the same step included."""
        return self._closed or self._context.ledger.account(self._context.run, self._context.step)

    @property
    def cost_usd(self) -> float:
        """What this step has paid for."""
        return self.account.usd

    @property
    def paid_usd(self) -> float:
        """The same from the budget, for progress bars: the ledger is not summed up each time."""
        return self._earlier_usd + self._context.budget.spent_usd

    def close(self) -> None:
        """Keep the account, so that it can be read when the ledger is closed."""
        self._closed = self.account


def _check_endpoints(
    endpoints: Mapping[str, Teacher], role: Role, reply_function: ReplyFunction | None
) -> dict[str, str]:
    """Return each endpoint's recipe key; refuse addresses, prices and API keys that cannot be used."""
    keys = {name: f"{ROLE_TABLES[role]}.{name}" for name in endpoints}
    for name, settings in endpoints.items():
        endpoint.validate_endpoint(keys[name], settings)
        price_of(keys[name], settings)
        endpoint.read_api_key(keys[name], settings)
        if settings.base_url == endpoint.SCRIPTED and reply_function is None:
            raise RecipeError(
                f'{keys[name]}.base_url: this step has no answers for "scripted"',
                "Name a chat model's address.",
            )
    return keys


async def _open_clients(
    stack: AsyncExitStack,
    endpoints: Mapping[str, Teacher],
    keys: Mapping[str, str],
    shared: RequestContext,
    runtime: Runtime,
    server: DemoServer | None,
    answers_digest: str,
) -> dict[str, EndpointClient]:
    """Connect to every endpoint; endpoints that are one model at one address share a limiter and a bound."""
    limiters: dict[tuple[str, str], Limiter] = {}
    overruns: dict[tuple[str, str], Overrun] = {}
    clients = {}
    for name, settings in endpoints.items():
        demo = server if settings.base_url == endpoint.SCRIPTED else None
        key = endpoint.read_api_key(keys[name], settings)
        transport = open_transport(keys[name], settings, key, runtime.timeout_s, demo.address if demo else "")
        served, price = (settings.base_url, settings.model), price_of(keys[name], settings)
        if served not in limiters:
            limiters[served] = Limiter(runtime.max_concurrency, has_trial=price.upper_usd(0, 1) > 0)
            overruns[served] = Overrun()
            overruns[served].raise_by(shared.ledger.overrun_usd(settings.model))
        clients[name] = EndpointClient(
            name=name,
            key=keys[name],
            settings=settings,
            answers_digest=answers_digest if demo else "",
            api_key=key,
            price=price,
            overrun=overruns[served],
            limiter=limiters[served],
            transport=await stack.enter_async_context(transport),
            context=shared,
        )
    return clients


@asynccontextmanager
async def open_session(
    context: StepContext,
    endpoints: Mapping[str, Teacher],
    reply_function: ReplyFunction | None = None,
    *,
    role: Role = "teacher",
    answers_digest: str = "",
    retry_policy: RetryPolicy | None = None,
) -> AsyncIterator[EndpointSession]:
    """Open `endpoints` for the length of a block.

    Args:
        context: the run, the step, their ledger and the runtime table.
        endpoints: by their names in the recipe.
        reply_function: answers for endpoints whose base_url is "scripted".
        role: what they are asked for, recorded with each attempt.
        answers_digest: of what the reply function answers from: other answers get no stored replies.
        retry_policy: how long to retry.

    Raises:
        RecipeError: a malformed address, an unknown price.
        ReplyError: a missing API key.
    """
    keys, runtime = _check_endpoints(endpoints, role, reply_function), context.runtime
    scripted = {name for name, settings in endpoints.items() if settings.base_url == endpoint.SCRIPTED}
    async with AsyncExitStack() as stack:
        server = stack.enter_context(serve_demo(reply_function)) if scripted and reply_function else None
        if note := describe_new_ledger(runtime):
            console.log(note)
        ledger = stack.enter_context(closing(Ledger(context.ledger)))
        ledger.reread_bodies()
        ledger.leave_waiting()
        batch_clients: dict[str, BatchClient] = {}
        earlier = ledger.account(context.run)
        shared = RequestContext(
            run=context.run,
            step=context.step,
            role=role,
            ledger=ledger,
            sent_count=SentCount(context.scratch.parent, ledger.path, earlier.attempts),
            budget=Budget(
                runtime.max_cost_usd, earlier.usd, lambda: wait_for_any_batch(batch_clients.values())
            ),
            concurrency=asyncio.Semaphore(runtime.max_concurrency),
            retry_policy=retry_policy or RetryPolicy(),
            timeout_s=runtime.timeout_s,
        )
        live = await _open_clients(stack, endpoints, keys, shared, runtime, server, answers_digest)
        if runtime.batch or BatchStore(ledger).under_way():
            paid = {name: client for name, client in live.items() if name not in scripted}
            batch_clients |= {name: BatchClient(paid[name], submits=runtime.batch) for name in paid}
        session = EndpointSession({**live, **batch_clients}, shared)
        stack.callback(session.close)
        stack.callback(shared.sent_count.write)
        for batch_client in batch_clients.values():
            stack.push_async_callback(batch_client.close)
        try:
            yield session
        except Exception as error:  # a bug of the reply function: its traceback, not a sentence
            raise (server.failure if server and server.failure else error) from None
