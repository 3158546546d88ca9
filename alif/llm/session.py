"""The door to every chat model: open it with a recipe's teachers, ask through it, and it closes everything behind you.

async with open_session(context, recipe.teacher, script) as models:
    reply = await models["gpt"].reply([Message(role="user", content="…")], draw=0)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing

from alif import console
from alif.errors import RecipeError
from alif.llm import endpoint
from alif.llm.batch.batch_client import BatchClient, wait_for_any_batch
from alif.llm.batch.batch_store import BatchStore
from alif.llm.budget import Budget, price_of
from alif.llm.chat_model import ChatModel, Message, Reply, ReplyFunction, ScriptedReply, gather_or_cancel
from alif.llm.client import EndpointClient, RequestContext, RetryPolicy
from alif.llm.demo_server import InjectedFaults, ScriptedServer, serve_scripted
from alif.llm.endpoint import contacted_hosts
from alif.llm.http import HttpTransport, open_transport
from alif.llm.ledger import Account, Ledger
from alif.llm.limiter import Limiter
from alif.recipe import Teacher
from alif.runs import StepContext, describe_new_ledger

__all__ = [
    "ChatModel",
    "EndpointSession",
    "Message",
    "Reply",
    "ReplyFunction",
    "RetryPolicy",
    "ScriptedReply",
    "contacted_hosts",
    "gather_or_cancel",
    "open_session",
]


class EndpointSession(Mapping[str, ChatModel]):
    """The chat models of a step by their names in the recipe, and what the step has paid."""

    def __init__(self, lines: Mapping[str, ChatModel], desk: RequestContext) -> None:
        self._lines, self._desk = lines, desk
        self._closed: Account | None = None
        self._earlier_usd = self.cost_usd - desk.budget.spent_usd

    def __getitem__(self, name: str) -> ChatModel:
        return self._lines[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def account(self) -> Account:
        """What this run and step have sent, got and spent, earlier tries of the same step included."""
        return self._closed or self._desk.ledger.account(self._desk.run, self._desk.step)

    @property
    def cost_usd(self) -> float:
        """What this step has paid for, for `Counts.cost_usd`."""
        return self.account.usd

    @property
    def paid_usd(self) -> float:
        """The same as the budget has it, to show while the step goes on: the ledger is not summed up each time."""
        return self._earlier_usd + self._desk.budget.spent_usd

    def close(self) -> None:
        """Keep the account, so that it can be read when the ledger is closed."""
        self._closed = self.account


@asynccontextmanager
async def open_session(
    context: StepContext,
    teachers: Mapping[str, Teacher],
    script: ReplyFunction | None = None,
    *,
    edition: str = "",
    chaos: InjectedFaults | None = None,
    patience: RetryPolicy | None = None,
) -> AsyncIterator[EndpointSession]:
    """Open the door to `teachers` for the length of a block.

    Args:
        context: the run, the step, their ledger and the runtime table.
        teachers: by their names in the recipe.
        script: answers for teachers whose address is "scripted".
        edition: digest of what the script answers from; another edition does not get this one's stored replies.
        chaos: how the scripted teacher misbehaves.
        patience: how long to try again.

    Raises:
        RecipeError: an address that is none, an unknown price.
        ReplyError: a key that is not there.
    """
    for name, teacher in teachers.items():
        endpoint.validate_endpoint(name, teacher)
    prices = {name: price_of(name, teacher) for name, teacher in teachers.items()}
    keys = {name: endpoint.read_api_key(name, teacher) for name, teacher in teachers.items()}
    runtime = context.runtime
    async with AsyncExitStack() as stack:
        server = _scripted(stack, teachers, script, chaos)
        ledger = stack.enter_context(closing(_ledger(context)))
        budget = Budget(
            runtime.max_cost_usd, ledger.account(context.run).usd, lambda: wait_for_any_batch(batch_lines)
        )
        seats = asyncio.Semaphore(runtime.max_concurrency)
        desk = RequestContext(
            context.run, context.step, ledger, budget, seats, patience or RetryPolicy(), runtime.timeout_s
        )
        batched = runtime.batch or bool(BatchStore(ledger).under_way())
        limiters = {
            (teacher.base_url, teacher.model): Limiter(runtime.max_concurrency)
            for teacher in teachers.values()
        }
        lines = {
            name: EndpointClient(
                name=name,
                teacher=teacher,
                edition=edition if teacher.base_url == endpoint.SCRIPTED else "",
                key=keys[name],
                price=prices[name],
                limiter=limiters[teacher.base_url, teacher.model],
                wire=await stack.enter_async_context(
                    _connection(name, teacher, keys[name], server, runtime.timeout_s)
                ),
                desk=desk,
            )
            for name, teacher in teachers.items()
        }
        batch_lines = [BatchClient(line, runtime.batch) for line in lines.values()] if batched else []
        models = EndpointSession(lines | {line.live.name: line for line in batch_lines}, desk)
        stack.callback(models.close)
        for line in batch_lines:
            stack.push_async_callback(line.close)
        try:
            yield models
        except Exception:
            if server and server.failure:
                raise server.failure from None  # the script has a bug: its traceback, not a sentence
            raise


def _ledger(context: StepContext) -> Ledger:
    if note := describe_new_ledger(context.runtime):
        console.log(note)
    return Ledger(context.ledger)


def _scripted(
    stack: AsyncExitStack,
    teachers: Mapping[str, Teacher],
    script: ReplyFunction | None,
    chaos: InjectedFaults | None,
) -> ScriptedServer | None:
    scripted = [name for name, teacher in teachers.items() if teacher.base_url == endpoint.SCRIPTED]
    if not scripted:
        return None
    if script is None:
        raise RecipeError(
            f'teacher.{scripted[0]}.address: this step has no script for "scripted"',
            "Name the address of a chat model.",
        )
    return stack.enter_context(serve_scripted(script, chaos))


def _connection(
    name: str, teacher: Teacher, key: str, server: ScriptedServer | None, timeout_s: float
) -> AbstractAsyncContextManager[HttpTransport]:
    url = ""
    if server and teacher.base_url == endpoint.SCRIPTED:
        url = server.address
        if endpoint.protocol_of(teacher) == "azure":
            url = url.removesuffix("/v1")
    return open_transport(name, teacher, key, timeout_s, url)
