"""Fault H1 of the reliability review: a response sent twice was stored as the reply to another request.

One test for each way in which a faulty server or proxy sends what nobody asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from alif.llm.chat_model import gather_or_cancel
from alif.llm.ledger import Account
from alif.llm.session import RetryPolicy, open_session
from alif.records import Message
from alif.runs import Run, make_context
from alif.settings import Runtime, Teacher
from tests.repeating_server import RepeatingServer, completion, http, repeating

REQUESTS = 120
QUESTIONS = [f"question {number}" for number in range(REQUESTS)]
FAST = RetryPolicy(first_wait_s=0.001, longest_wait_s=0.01, give_up_s=10.0)
USD_PER_REPLY = (7 * 1.0 + 5 * 2.0) / 1e6

with_workers = pytest.mark.parametrize("workers", [1, 8])


@dataclass(frozen=True)
class Stored:
    """What the ledger holds after all questions were asked."""

    replies: list[str]
    account: Account


async def no_pause() -> None:
    """Go on at once."""


def ask_all(
    folder: Path, server: RepeatingServer, workers: int, pause: Callable[[], Awaitable[None]] = no_pause
) -> Stored:
    """Ask half of the questions, pause, ask the other half, and read back what is stored for each."""
    priced = {"usd_per_million_in": 1.0, "usd_per_million_out": 2.0}
    teacher = Teacher.model_validate({"model": "m", "base_url": server.address, "max_tokens": 16, **priced})
    runtime = Runtime.model_validate({"timeout_s": 5.0, "max_concurrency": workers, "max_cost_usd": 1.0})
    step = make_context(Run(folder), "generate", runtime, folder=folder / "partial")

    async def scene() -> Stored:
        async with open_session(step, {"t": teacher}, retry_policy=FAST) as models:
            for half in (QUESTIONS[::2], QUESTIONS[1::2]):
                await gather_or_cancel(
                    models["t"].reply([Message(role="user", content=text)]) for text in half
                )
                await pause()
        sent = server.answered
        async with open_session(step, {"t": teacher}, retry_policy=FAST) as models:
            stored = await gather_or_cancel(
                models["t"].reply([Message(role="user", content=text)]) for text in QUESTIONS
            )
            assert server.answered == sent, "all are answered from the ledger"
            return Stored([reply.text for reply in stored], models.account)

    return asyncio.run(scene())


@with_workers
@pytest.mark.parametrize("habit", ["late", "at once", "in parts"])
def test_reliability_h1_a_repeated_answer(tmp_path: Path, workers: int, habit: str) -> None:
    with repeating(habit) as server:
        stored = ask_all(tmp_path, server, workers)
    assert server.repeated >= REQUESTS // 10
    assert stored.replies == QUESTIONS
    assert stored.account.usd >= server.answered * USD_PER_REPLY - 1e-9, (
        "lost answers count at least at what they cost"
    )


@with_workers
@pytest.mark.parametrize(
    "refusal", [http(b'{"error": {"message": "busy"}}', "429 Too Many Requests"), http(b"")]
)
def test_reliability_h1_a_repeated_refusal(tmp_path: Path, workers: int, refusal: bytes) -> None:
    """Refusals have no id by which a copy could be told."""

    def respond(text: str, number: int) -> bytes:
        return http(completion(text, f"chatcmpl-{number}")) if number % 10 else refusal

    with repeating("late", respond) as server:
        stored = ask_all(tmp_path, server, workers)
    assert server.repeated >= REQUESTS // 10
    assert stored.replies == QUESTIONS
    assert stored.account.attempts == server.answered, (
        "each attempt had an answer of its own, so none was lost"
    )


@with_workers
@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize(
    "unsolicited",
    [
        http(completion("of another", "chatcmpl-x")),
        http(b"", "408 Request Timeout"),
        b"HTTP/1.1 200 OK\r\nConte",
    ],
)
def test_reliability_h1_unsolicited_bytes_on_idle_connections(
    tmp_path: Path, workers: int, read: bool, unsolicited: bytes
) -> None:
    """`read`: whether the event loop reads them before the next request is sent."""

    async def pause() -> None:
        server.push(unsolicited)  # blocks the loop until they are on their way
        await asyncio.sleep(0.05 if read else 0.0)

    with repeating() as server:
        stored = ask_all(tmp_path, server, workers, pause)
    assert stored.replies == QUESTIONS
    assert stored.account.attempts == server.answered == REQUESTS, "nothing is lost, nothing is sent twice"


@with_workers
def test_reliability_h1_a_server_that_rightly_repeats_itself(
    tmp_path: Path, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without ids, equal bodies may be right: each request is sent again at most once per open connection."""
    with repeating(respond=lambda text, number: http(completion("yes", ""))) as server:
        stored = ask_all(tmp_path, server, workers)
    assert stored.replies == ["yes"] * REQUESTS
    assert server.answered <= REQUESTS + workers
    assert capsys.readouterr().err.count("sent an answer twice") == 1
