"""One teacher at an address, asked everything at the same time, and what the ledger says afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from alif.errors import AlifError
from alif.llm.chat_model import ChatRequest
from alif.llm.ledger import Account, Ledger
from alif.llm.session import RetryPolicy, open_session
from alif.records import Message
from alif.runs import Run, make_context
from alif.settings import Runtime, Teacher

__all__ = ["FAST", "Asked", "ask_teacher"]

FAST = RetryPolicy(
    first_wait_s=0.001, longest_wait_s=0.01, unreached_s=0.05, silence_s=0.2, give_up_s=20.0, finish_s=0.5,
    first_poll_s=0.01, longest_poll_s=0.02, find_batch_s=0.05,
)  # fmt: skip


@dataclass
class Asked:
    """What came of it."""

    account: Account
    texts: list[str] = field(default_factory=list)
    said: str = ""
    """The error's sentence and hint, where the run stopped."""


def ask_teacher(
    folder: Path,
    address: str,
    texts: Sequence[str],
    *,
    run: str = "run",
    ledger: Path | None = None,
    settings: dict[str, object] | None = None,
    policy: RetryPolicy = FAST,
    **runtime: object,
) -> Asked:
    """Ask at $10 for a million tokens in and out, with four workers."""
    prices = {"usd_per_million_in": 10.0, "usd_per_million_out": 10.0, "max_tokens": 100}
    teacher = Teacher.model_validate({"model": "m", "base_url": address, **prices, **(settings or {})})
    values = {"timeout_s": 5.0, "max_concurrency": 4, "ledger": str(ledger or ""), **runtime}
    step = make_context(
        Run(folder / run), "generate", Runtime.model_validate(values), folder=folder / "partial"
    )

    async def scene() -> list[str]:
        async with open_session(step, {"gpt": teacher}, retry_policy=policy) as models:
            asked = [ChatRequest("gpt", [Message(role="user", content=text)]) for text in texts]
            return [reply.text for reply in await models.reply_all(asked)]

    said, found = "", list[str]()
    try:
        found = asyncio.run(scene())
    except AlifError as error:
        said = str(error)
    with closing(Ledger(step.ledger)) as books:
        return Asked(books.account(run), found, said)
