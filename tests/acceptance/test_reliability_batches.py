"""Fault H3 of the reliability review: a batch that was made before a kill is found and not paid twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from alif.llm import protocol as protocols
from alif.llm.batch.batch_client import BatchClient
from alif.llm.batch.batch_store import custom_id
from alif.llm.chat_model import ChatRequest
from alif.llm.session import open_session
from alif.runs import StepContext
from alif.settings import Teacher
from tests.fake_provider import BatchFaults, FakeProvider, serve_provider
from tests.llm.batch.test_batch_client import TEXTS, WANTED, Build, account, at, both
from tests.llm.conftest import FAST, ask, context, echo, lag_list

__all__ = ["context", "lag_list"]


def make_batches(step: StepContext, server: FakeProvider, teacher: Teacher) -> None:
    """Make two batches and die before the second one's id is stored."""

    async def scene() -> None:
        async with open_session(step, {"gpt": teacher}, retry_policy=FAST) as models:
            client = models["gpt"]
            assert isinstance(client, BatchClient)
            for texts in (TEXTS[:20], TEXTS[20:]):
                asked = [client.live.build_request(ask(text), 0) for text in texts]
                lines = [
                    client.api.encode(
                        custom_id(one.hash, 0), protocols.request_body(client.live.settings, ask(text))
                    )
                    for one, text in zip(asked, texts, strict=True)
                ]
                where = (step.run, step.step, "gpt", server.address)
                batch = client.store.write_batch([(one, 1.0) for one in asked], *where)
                id = await client.api.create(batch.token, lines)
                if texts == TEXTS[:20]:  # of two of one size the ledger has the other's id
                    client.store.mark_open(batch, id)

    asyncio.run(scene())


def check_nothing_is_paid_again(step: StepContext, server: FakeProvider, teacher: Teacher) -> None:
    async def scene() -> list[str]:
        policy = replace(FAST, find_batch_s=60.0)
        async with open_session(step, {"gpt": teacher}, retry_policy=policy) as models:
            answers = await models.reply_all([ChatRequest("gpt", ask(text)) for text in TEXTS])
        return [answer.text for answer in answers]

    assert asyncio.run(scene()) == WANTED
    assert len(server.batches.held) == 2, "none is made again"
    assert len(server.served) == 40
    assert account(step).unsettled_usd == 0.0


@both
@pytest.mark.parametrize("skew_s", [-120.0, -2.0, 2.0, 120.0])
def test_reliability_h3_a_batch_is_found_whatever_the_clocks_say(
    context: Build, protocol: str, skew_s: float
) -> None:
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(looks=1)) as server:
        teacher = at(server, protocol)
        make_batches(step, server, teacher)
        for held in server.batches.held.values():
            held.made += timedelta(seconds=skew_s)
        check_nothing_is_paid_again(step, server, teacher)


@both
def test_reliability_h3_a_batch_is_found_though_the_list_lags(
    context: Build, protocol: str, lag_list: Callable[[], list[str]]
) -> None:
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(looks=1)) as server:
        teacher = at(server, protocol)
        make_batches(step, server, teacher)
        listed = lag_list()
        check_nothing_is_paid_again(step, server, teacher)
    assert len(listed) >= 3
