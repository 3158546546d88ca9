"""An answer that is seen while it comes: through ledger and cap, and broken off where it is free."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence

import pytest

from alif.errors import BudgetError, RecipeError
from alif.llm.chat_model import ScriptedReply
from alif.llm.chat_stream import BrokenOff, is_paid, stream_reply
from alif.llm.ledger import Ledger
from alif.records import Message
from alif.runs import StepContext
from alif.settings import Teacher
from tests.fake_provider import serve_provider
from tests.llm.conftest import ask

WORDS = "لاہور صوبہ پنجاب میں ہے۔ 1350 - 130 = 1220"


def words(messages: Sequence[Message], draw: int) -> ScriptedReply:
    return ScriptedReply(text=f"{WORDS} {draw}")


def teacher(address: str, **settings: object) -> Teacher:
    return Teacher.model_validate({"model": "m", "base_url": address, "max_tokens": 100, **settings})


def test_the_text_grows_word_by_word_and_the_ledger_keeps_the_whole(
    context: Callable[..., StepContext],
) -> None:
    seen: list[str] = []

    def watch(text: str) -> bool:
        seen.append(text)
        return True

    with serve_provider(words) as server:
        server.piece_s = 0.01
        model = teacher(server.address, usd_per_million_in=1.0, usd_per_million_out=1.0)
        at, asked = context(step="chat", max_cost_usd=1.0), ask("لاہور کہاں ہے؟")
        replies = [asyncio.run(stream_reply(at, "a", model, asked, draw, watch)) for draw in (0, 0, 1)]
        assert len(server.served) == 2, "the same draw is not paid twice"
    assert [one.text for one in replies] == [f"{WORDS} {draw}" for draw in (0, 0, 1)]
    assert [one.stored for one in replies] == [False, True, False]
    assert len(set(seen)) > 4
    first = seen[: seen.index(f"{WORDS} 0") + 1]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(first))
    ledger = Ledger(at.ledger)
    account = ledger.account("run", "chat")
    ledger.close()
    assert (account.replies, account.unsettled_usd) == (2, 0)
    assert account.usd > 0


def test_a_free_answer_is_broken_off_and_a_paid_one_read_to_its_end(
    context: Callable[..., StepContext],
) -> None:
    with serve_provider(words) as server:
        server.piece_s = 0.01
        at = context(step="chat", max_cost_usd=1.0)
        with pytest.raises(BrokenOff):
            asyncio.run(stream_reply(at, "a", teacher(server.address), ask("x"), 0, lambda text: not text))
        paid = teacher(server.address, usd_per_million_in=1.0, usd_per_million_out=1.0)
        reply = asyncio.run(stream_reply(at, "b", paid, ask("y"), 0, lambda text: not text))
    assert reply.text == f"{WORDS} 0"


def test_nothing_is_sent_over_the_cap_or_at_an_unknown_price(context: Callable[..., StepContext]) -> None:
    with serve_provider(words) as server:
        dear = teacher(server.address, usd_per_million_in=1e6, usd_per_million_out=1e6)
        with pytest.raises(BudgetError):
            asyncio.run(stream_reply(context(max_cost_usd=0.01), "a", dear, ask("x"), 0, lambda text: True))
        assert server.served == []
    assert is_paid(dear)
    assert not is_paid(teacher("http://localhost:1/v1"))
    with pytest.raises(RecipeError, match="unknown"):
        is_paid(teacher("https://api.openai.com/v1"))
