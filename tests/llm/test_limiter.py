from __future__ import annotations

import asyncio
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.llm.limiter import REPLIES_PER_INCREASE, Limiter


@given(st.integers(1, 20), st.lists(st.sampled_from(["answered", "refused"]), max_size=80))
def test_never_more_in_flight_than_the_limit_and_always_at_least_one(most: int, ends: list[str]) -> None:
    limiter = Limiter(most)
    flying = 0

    async def one(end: str) -> None:
        nonlocal flying
        async with limiter.slot() as burst:
            flying += 1
            assert flying <= most
            await asyncio.sleep(0)
            limiter.record_reply() if end == "answered" else limiter.record_refusal(burst)
            assert 1 <= limiter.limit <= most
            flying -= 1

    async def everything() -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(*(one(end) for end in ends))

    asyncio.run(everything())


def test_a_burst_of_refusals_cuts_once_and_answers_raise_the_limit_again() -> None:
    async def scene() -> list[int]:
        limiter, limits = Limiter(16), []

        async def refused() -> None:
            async with limiter.slot() as burst:
                await asyncio.sleep(0.001)
                limiter.record_refusal(burst)

        await asyncio.gather(*(refused() for _ in range(16)))
        limits.append(limiter.limit)
        for _ in range(REPLIES_PER_INCREASE):
            limiter.record_reply()
        limits.append(limiter.limit)
        await asyncio.gather(*(refused() for _ in range(3)))
        limits.append(limiter.limit)
        return limits

    assert asyncio.run(scene()) == [12, 13, 9]


def test_a_provider_that_refuses_now_and_then_at_any_pace_is_asked_at_full_pace() -> None:
    limiter, numbers, limits = Limiter(64), random.Random(1), []
    for _ in range(4000):
        limiter.record_refusal(limiter.epoch) if numbers.random() < 0.03 else limiter.record_reply()
        limits.append(limiter.limit)
    assert sum(limits) / len(limits) > 48
    for _ in range(400):  # every third: it is full
        limiter.record_refusal(limiter.epoch) if numbers.random() < 0.33 else limiter.record_reply()
    assert limiter.limit < 8


def test_retry_after_is_obeyed_by_everyone() -> None:
    async def scene() -> float:
        limiter = Limiter(4)
        limiter.pause(0.05)
        limiter.pause(0.01)
        began = time.monotonic()
        async with limiter.slot(), limiter.slot():
            return time.monotonic() - began

    assert asyncio.run(scene()) >= 0.05


def test_a_refusal_now_and_then_makes_nobody_else_wait_and_a_row_of_them_all() -> None:
    async def waited_s(refusals: int, asked_s: float = 0.05) -> float:
        limiter = Limiter(8)
        for _ in range(refusals):
            limiter.record_refusal(0, asked_s)
        began = time.monotonic()
        async with limiter.slot():
            return time.monotonic() - began

    assert asyncio.run(waited_s(2, 5.0)) < 2.5, "of two, and however slow this machine is"
    assert asyncio.run(waited_s(3)) >= 0.05
    assert asyncio.run(waited_s(4)) >= 0.05, "of the same burst, after the cut"


def test_what_is_tried_again_goes_first_and_nothing_is_forgotten() -> None:
    async def scene() -> list[str]:
        limiter, order = Limiter(1), []

        async def one(name: str, again: bool) -> None:
            async with limiter.slot(retry=again):
                order.append(name)
                await asyncio.sleep(0.001)

        async with asyncio.timeout(10):
            names = ["a", "b", "again 1", "c", "again 2"]
            await asyncio.gather(*(one(name, name.startswith("again")) for name in names))
        return order

    assert asyncio.run(scene()) == ["a", "again 1", "again 2", "b", "c"]


def test_one_who_gives_up_waiting_holds_up_nobody() -> None:
    async def scene() -> None:
        limiter = Limiter(1)
        async with limiter.slot():
            for again in (True, False):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01), limiter.slot(retry=again):
                        pass
        async with asyncio.timeout(10), limiter.slot():
            pass

    asyncio.run(scene())
