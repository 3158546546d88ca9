from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from alif.llm.chat_model import ChatRequest, Reply
from alif.llm.session import open_session
from tests.fake_provider import BatchFaults, serve_provider
from tests.llm.batch.test_batch_client import (
    KILLED,
    TEXTS,
    WANTED,
    Build,
    account,
    at,
)  # fmt: skip
from tests.llm.conftest import FAST, ask, echo


def test_a_list_of_batches_that_lags_is_looked_at_again(
    context: Build, lag_list: Callable[[], list[str]]
) -> None:
    lag_list()
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
