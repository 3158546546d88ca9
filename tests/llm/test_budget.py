from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.errors import BudgetError, RecipeError
from alif.llm.budget import Budget, price_of
from alif.llm.parse import ParsedReply
from alif.settings import Teacher

REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 5),  # when it asks
        st.integers(0, 5),  # how long it flies
        st.floats(0, 3),  # what it can cost
        st.floats(0, 1),  # which part of that it costs
        st.sampled_from(["answered", "failed", "cancelled"]),
    ),
    max_size=25,
)


@given(cap=st.floats(0, 10), already=st.floats(0, 5), requests=REQUESTS)
def test_never_above_the_cap_under_any_interleaving(
    cap: float, already: float, requests: list[tuple[int, int, float, float, str]]
) -> None:
    budget = Budget(cap, already)
    flying: dict[int, float] = {}
    paid: list[float] = []
    refused: list[float] = []

    async def one(number: int, request: tuple[int, int, float, float, str]) -> None:
        start, length, upper, part, end = request
        for _ in range(start):
            await asyncio.sleep(0)
        try:
            with await budget.reserve(upper) as hold:
                hold.usd = flying[number] = upper
                assert not upper or already + sum(paid) + sum(flying.values()) <= cap + 1e-6
                try:
                    for _ in range(length):
                        await asyncio.sleep(0)
                    if end == "cancelled":
                        raise asyncio.CancelledError
                    hold.usd = upper * part if end == "answered" else 0.0
                finally:
                    del flying[number]
                    paid.append(hold.usd)
        except BudgetError:
            assert not any(flying.values()), "refused while something was in flight that could have made room"
            refused.append(upper)
        except asyncio.CancelledError:
            pass

    async def everything() -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(*(one(number, request) for number, request in enumerate(requests)))

    asyncio.run(everything())
    assert len(paid) + len(refused) == len(requests)
    assert budget.spent_usd == pytest.approx(already + sum(paid), abs=1e-6)
    assert not sum(paid) or budget.spent_usd <= cap


def test_waits_for_what_is_in_flight_before_it_refuses() -> None:
    async def scene() -> list[str]:
        budget, order = Budget(1.0), []

        async def first() -> None:
            with await budget.reserve(0.9) as hold:
                await asyncio.sleep(0.02)
                order.append("settled at a tenth")
                hold.usd = 0.1

        async def second() -> None:
            await asyncio.sleep(0.01)
            with await budget.reserve(0.9) as hold:
                order.append("the second goes on")
                hold.usd = 0.9

        await asyncio.gather(first(), second())
        with contextlib.suppress(BudgetError), await budget.reserve(0.000001):
            order.append("never")
        with await budget.reserve(0.0):
            order.append("what is free always goes")
        return order

    assert asyncio.run(scene()) == ["settled at a tenth", "the second goes on", "what is free always goes"]


def test_a_waiter_that_is_cancelled_does_not_block_the_next() -> None:
    async def scene() -> None:
        budget = Budget(1.0)

        async def hold(upper: float, seconds: float) -> None:
            with await budget.reserve(upper):
                await asyncio.sleep(seconds)

        long = asyncio.ensure_future(hold(0.9, 0.05))
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(hold(0.9, 0.0))
        await asyncio.sleep(0)
        waiting.cancel()
        async with asyncio.timeout(0.04):
            await hold(0.1, 0.0)
        await long

    asyncio.run(scene())


def test_as_many_of_several_as_fit_are_reserved_together() -> None:
    async def scene() -> list[int]:
        budget, counts = Budget(1.0), []
        for amounts in ([0.4, 0.5, 0.2], [0.0, 0.05, 0.2], [0.0, 0.0]):
            count, reservation = await budget.reserve_first(amounts)
            counts.append(count)
            reservation.usd = sum(amounts[:count])
            reservation.close()
        return counts

    assert asyncio.run(scene()) == [2, 2, 2]


def test_the_refusal_is_a_sentence_with_the_cure() -> None:
    async def scene() -> None:
        with await Budget(100.0, 99.99).reserve(0.02):
            pass

    with pytest.raises(BudgetError) as caught:
        asyncio.run(scene())
    assert caught.value.message == "spent $99.99 of $100.00; the next request could cost $0.02"
    assert "runtime.max_cost_usd" in caught.value.hint
    assert caught.value.exit_code == 4


def test_an_unknown_price_is_refused_unless_the_address_is_local() -> None:
    for teacher in (Teacher(model="gpt-4o"), Teacher(model="gpt-4o", usd_per_million_in=1.0)):
        with pytest.raises(
            RecipeError, match=r"teacher\.gpt\.usd_per_million_(in|out): the price of gpt-4o .* unknown"
        ) as caught:
            price_of("teacher.gpt", teacher)
        assert caught.value.exit_code == 1
    assert (
        price_of("teacher.own", Teacher(model="q", base_url="http://localhost:11434/v1")).upper_usd(
            10**6, 10**6
        )
        == 0.0
    )
    assert price_of(
        "teacher.demo", Teacher(model="q", base_url="scripted", usd_per_million_out=2.0)
    ).upper_usd(0, 500_000) == pytest.approx(1.0)


USD = st.floats(0, 100)


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.tuples(USD, USD, st.none() | USD),
)
def test_a_reply_never_costs_more_than_its_upper_bound(
    prompt_bytes: int, max_tokens: int, parts: tuple[float, float], usd: tuple[float, float, float | None]
) -> None:
    teacher = Teacher(
        model="m", usd_per_million_in=usd[0], usd_per_million_out=usd[1], usd_per_million_cached=usd[2]
    )
    tokens_in = int(parts[0] * prompt_bytes)
    reading = ParsedReply("", "stop", "m", tokens_in, tokens_in // 2, int(parts[1] * max_tokens), 0, True)
    known = price_of("teacher.gpt", teacher)
    assert known.cost_usd(reading) <= known.upper_usd(prompt_bytes, max_tokens) * (1 + 1e-12)


def test_cached_tokens_have_their_own_price_where_the_recipe_gives_one() -> None:
    reading = ParsedReply("", "stop", "m", 1_000_000, 800_000, 0, 0, True)
    assert price_of("teacher.a", Teacher(model="m", usd_per_million_in=2, usd_per_million_out=8)).cost_usd(
        reading
    ) == pytest.approx(2.0)
    cheap = Teacher(model="m", usd_per_million_in=2, usd_per_million_out=8, usd_per_million_cached=0.5)
    assert price_of("teacher.a", cheap).cost_usd(reading) == pytest.approx(0.8)
