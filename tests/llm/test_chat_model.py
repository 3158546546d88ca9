from __future__ import annotations

import asyncio
import time

import pytest

from alif.llm.chat_model import finish_in_flight, gather_or_cancel
from alif.records import Message


def test_together_keeps_the_order_and_cancels_the_rest_at_the_first_failure() -> None:
    cancelled = []

    async def after(seconds: float, value: int) -> int:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            cancelled.append(value)
            raise
        if value < 0:
            raise ValueError(value)
        return value

    assert asyncio.run(gather_or_cancel(after(0.02 / n, n) for n in (1, 2, 3))) == [1, 2, 3]
    with pytest.raises(ValueError, match="-1"):
        asyncio.run(gather_or_cancel([after(9, 1), after(0.01, -1), after(9, 2)]))
    assert cancelled == [1, 2]


def test_half_a_character_is_not_sent() -> None:
    assert Message(role="user", content="a\ud83d\x00b 😀").content == "a\ufffd\ufffdb 😀"


def test_what_is_on_its_way_lands_unless_it_takes_too_long() -> None:
    done = []

    async def work(seconds: float) -> float:
        await asyncio.sleep(seconds)
        done.append(seconds)
        return seconds

    async def cancelled(seconds: float, within_s: float, times: int) -> None:
        task = asyncio.ensure_future(finish_in_flight(work(seconds), within_s))
        for _ in range(times):
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)

    async def scene() -> None:
        assert await finish_in_flight(work(0.0), 0.0) == 0.0
        await cancelled(0.1, 5.0, times=1)
        await cancelled(0.2, 5.0, times=3)
        await cancelled(9.0, 0.05, times=1)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scene())
    assert done == [0.0, 0.1, 0.2]


def test_the_end_of_the_loop_ends_what_is_on_its_way() -> None:
    """As a second Ctrl-C does."""

    async def scene() -> None:
        task = asyncio.ensure_future(finish_in_flight(asyncio.sleep(60), 60))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0.01)

    began = time.monotonic()
    asyncio.run(scene())
    assert time.monotonic() - began < 10


def test_a_failure_passes_as_it_is() -> None:
    async def fails() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        asyncio.run(finish_in_flight(fails(), 1.0))
