"""The door to every chat model: open it with a recipe's teachers, ask through it, and it closes everything behind you.

async with open_models(given, recipe.teacher, script) as models:
    reply = await models["gpt"].reply([Message(role="user", content="…")], draw=0)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing

from alif import console
from alif.errors import RecipeError
from alif.models import address
from alif.models.address import hosts
from alif.models.asking import Desk, Line, Patience
from alif.models.batch import BatchLine, one_over
from alif.models.batch_book import BatchBook
from alif.models.budget import Budget, price
from alif.models.chat import ChatModel, Message, Reply, Script, ScriptedReply, together
from alif.models.ledger import Account, Ledger
from alif.models.limiter import Limiter
from alif.models.scripted import Chaos, ScriptedServer, serve
from alif.models.wire import Wire, connect
from alif.recipe import Teacher
from alif.runs import Given, new_ledger

__all__ = [
    "ChatModel",
    "Message",
    "Models",
    "Patience",
    "Reply",
    "Script",
    "ScriptedReply",
    "hosts",
    "open_models",
    "together",
]


class Models(Mapping[str, ChatModel]):
    """The chat models of a step by their names in the recipe, and what the step has paid."""

    def __init__(self, lines: Mapping[str, ChatModel], desk: Desk) -> None:
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
async def open_models(
    given: Given,
    teachers: Mapping[str, Teacher],
    script: Script | None = None,
    *,
    edition: str = "",
    chaos: Chaos | None = None,
    patience: Patience | None = None,
) -> AsyncIterator[Models]:
    """Open the door to `teachers` for the length of a block.

    Args:
        given: the run, the step, their ledger and the runtime table.
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
        address.check(name, teacher)
    prices = {name: price(name, teacher) for name, teacher in teachers.items()}
    keys = {name: address.key(name, teacher) for name, teacher in teachers.items()}
    runtime = given.runtime
    async with AsyncExitStack() as stack:
        server = _scripted(stack, teachers, script, chaos)
        ledger = stack.enter_context(closing(_ledger(given)))
        budget = Budget(runtime.max_cost_usd, ledger.account(given.run).usd, lambda: one_over(batch_lines))
        seats = asyncio.Semaphore(runtime.workers)
        desk = Desk(given.run, given.step, ledger, budget, seats, patience or Patience(), runtime.timeout_s)
        batched = runtime.batch or bool(BatchBook(ledger).under_way())
        limiters = {(teacher.address, teacher.model): Limiter(runtime.workers) for teacher in teachers.values()}
        lines = {
            name: Line(
                name=name,
                teacher=teacher,
                edition=edition if teacher.address == address.SCRIPTED else "",
                key=keys[name],
                price=prices[name],
                limiter=limiters[teacher.address, teacher.model],
                wire=await stack.enter_async_context(_connection(name, teacher, keys[name], server, runtime.timeout_s)),
                desk=desk,
            )
            for name, teacher in teachers.items()
        }
        batch_lines = [BatchLine(line, runtime.batch) for line in lines.values()] if batched else []
        models = Models(lines | {line.live.name: line for line in batch_lines}, desk)
        stack.callback(models.close)
        for line in batch_lines:
            stack.push_async_callback(line.close)
        try:
            yield models
        except Exception:
            if server and server.failure:
                raise server.failure from None  # the script has a bug: its traceback, not a sentence
            raise


def _ledger(given: Given) -> Ledger:
    if note := new_ledger(given.runtime):
        console.note(note)
    return Ledger(given.ledger)


def _scripted(
    stack: AsyncExitStack, teachers: Mapping[str, Teacher], script: Script | None, chaos: Chaos | None
) -> ScriptedServer | None:
    scripted = [name for name, teacher in teachers.items() if teacher.address == address.SCRIPTED]
    if not scripted:
        return None
    if script is None:
        raise RecipeError(
            f'teacher.{scripted[0]}.address: this step has no script for "scripted"', "Name the address of a chat model."
        )
    return stack.enter_context(serve(script, chaos))


def _connection(
    name: str, teacher: Teacher, key: str, server: ScriptedServer | None, timeout_s: float
) -> AbstractAsyncContextManager[Wire]:
    url = ""
    if server and teacher.address == address.SCRIPTED:
        url = server.address
        if address.protocol(teacher) == "azure":
            url = url.removesuffix("/v1")
    return connect(name, teacher, key, timeout_s, url)
