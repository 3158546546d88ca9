from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from alif.llm import protocol as protocols
from alif.llm.batch.batch_client import BatchClient
from alif.llm.batch.batch_store import custom_id
from alif.llm.chat_model import ChatRequest, Reply
from alif.llm.session import open_session
from tests.fake_provider import BatchFaults, FakeBatches, serve_provider
from tests.llm.batch.test_batch_client import (
    KILLED,
    TEXTS,
    WANTED,
    Build,
    account,
    at,
    both,
    replies,
)  # fmt: skip
from tests.llm.conftest import FAST, ask, echo


@both
@pytest.mark.parametrize("skew_s", [-120.0, 120.0])
def test_a_batch_made_before_a_kill_is_found_whatever_the_clocks_say(
    context: Build, protocol: str, skew_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault H3 of the reliability review: a clock that was 2 s ahead made every batch again, booked at
    nothing."""
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(looks=1)) as server:
        teacher = at(server, protocol)

        async def killed_before_the_id_was_stored() -> None:
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

        asyncio.run(killed_before_the_id_was_stored())
        for held in server.batches.held.values():
            held.made += timedelta(seconds=skew_s)
        assert [answer.text for answer in replies(step, teacher, TEXTS)] == WANTED
        assert len(server.batches.held) == 2, "none is made again"
    assert len(server.served) == 40
    assert account(step).unsettled_usd == 0.0


def test_a_list_of_batches_that_lags_is_looked_at_again(
    context: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    get, listed = FakeBatches.get, []

    def lagging(batches: FakeBatches, path: str) -> tuple[int, bytes]:
        if "limit=" in path:
            listed.append(path)
            if len(listed) < 3:
                return 200, b'{"data": []}'
        return get(batches, path)

    monkeypatch.setattr(FakeBatches, "get", lagging)
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(made_s=2.0)) as server:
        step.ledger.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", KILLED, str(step.ledger.parent), server.address, "openai"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while not server.batches.held:
            assert process.poll() is None, "the child ended before it handed its batch in"
            time.sleep(0.002)
        process.kill()
        process.communicate(timeout=30)
        server.batches.habits = BatchFaults()

        async def scene() -> list[Reply]:
            policy = replace(FAST, find_batch_s=60.0)
            async with open_session(step, {"gpt": at(server)}, retry_policy=policy) as models:
                return await models.reply_all([ChatRequest("gpt", ask(text)) for text in TEXTS])

        assert [answer.text for answer in asyncio.run(scene())] == WANTED
    assert len(server.batches.held) == 1
    assert account(step).unsettled_usd == 0.0
