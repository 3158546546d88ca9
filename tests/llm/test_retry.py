from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from alif.errors import ReplyError
from alif.llm.budget import Budget
from alif.llm.ledger import Ledger
from alif.llm.limiter import Limiter
from alif.llm.provider_error import ProviderError
from alif.llm.request_context import RequestContext
from alif.llm.retry import Retries
from alif.llm.sent_count import SentCount
from tests.llm.conftest import FAST
from tests.llm.test_session import Build


def retries(context: Build, **policy: float) -> Retries:
    ledger = Ledger(context().ledger)
    shared = RequestContext(
        run="run",
        step="generate",
        role="teacher",
        ledger=ledger,
        sent_count=SentCount(context().scratch.parent, ledger.path, 0),
        budget=Budget(1.0),
        concurrency=asyncio.Semaphore(1),
        retry_policy=replace(FAST, **policy),
        timeout_s=1.0,
    )
    ledger.close()
    return Retries("teacher.gpt", "host", shared, Limiter(1))


def test_what_passes_is_retried_and_what_does_not_ends_with_its_sentence(context: Build) -> None:
    tries: list[int] = []

    async def attempt(number: int) -> str:
        tries.append(number)
        if number < 3:
            raise ProviderError("500", may_be_billed=False)
        return "answer"

    async def refuse(number: int) -> str:
        raise ProviderError("404", may_be_billed=False, stop=ReplyError("no such model"))

    assert asyncio.run(retries(context).run("seed", attempt, "")) == "answer"
    assert tries == [0, 1, 2, 3]
    with pytest.raises(ReplyError, match="no such model"):
        asyncio.run(retries(context).run("seed", refuse, ""))
    with pytest.raises(ProviderError):
        asyncio.run(retries(context).run("seed", refuse, "404"))


def test_a_policy_that_is_exhausted_names_the_last_reason(context: Build) -> None:
    async def attempt(number: int) -> str:
        raise ProviderError("500", may_be_billed=False, words=" (CUDA out of memory)")

    with pytest.raises(ReplyError, match=r"teacher\.gpt: host has not answered .*CUDA out of memory"):
        asyncio.run(retries(context, give_up_s=0.05).run("seed", attempt, ""))
