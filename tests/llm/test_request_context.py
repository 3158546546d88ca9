from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from alif.llm.budget import Budget
from alif.llm.ledger import Ledger, LedgerRequest
from alif.llm.request_context import RequestContext
from alif.llm.retry_policy import RetryPolicy
from alif.llm.sent_count import SentCount
from tests.llm.conftest import ask


def test_a_request_has_one_lock_and_a_sentence_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    shared = RequestContext(
        run="run",
        step="generate",
        role="teacher",
        ledger=Ledger(Path(":memory:")),
        sent_count=SentCount(Path("nowhere"), Path("x"), 0),
        budget=Budget(1.0),
        concurrency=asyncio.Semaphore(1),
        retry_policy=RetryPolicy(),
        timeout_s=1.0,
    )
    one, other = (LedgerRequest.of("t", "https://x.org", "m", ask(text), {}, draw=0) for text in "ab")
    lock = shared.request_lock(one)
    assert lock is shared.request_lock(one) is not shared.request_lock(other)
    del lock
    gc.collect()
    assert not shared.request_locks, "nobody waits any more"
    for words in (" (busy)", " (busy, request 7)"):
        shared.log_once("no reply", words)
    assert capsys.readouterr().err.strip() == "no reply (busy)"
    shared.ledger.close()
