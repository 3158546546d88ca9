from __future__ import annotations

import asyncio

import pytest

from alif.models.chat import Message, together


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

    assert asyncio.run(together(after(0.02 / n, n) for n in (1, 2, 3))) == [1, 2, 3]
    with pytest.raises(ValueError, match="-1"):
        asyncio.run(together([after(9, 1), after(0.01, -1), after(9, 2)]))
    assert cancelled == [1, 2]


def test_half_a_character_is_not_sent() -> None:
    assert Message(role="user", content="a\ud83d\x00b 😀").content == "a\ufffd\ufffdb 😀"
