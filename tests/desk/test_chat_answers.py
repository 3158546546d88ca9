"""One answer at a time, in the order of the questions; a stop ends one; what is paid for is in the ledger."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.desk import chat_store
from alif.desk.chat_answers import ChatAnswers
from alif.desk.chat_store import ChatTurn, find_chat
from alif.desk.office import Office
from alif.desk.people import DeskPerson
from alif.llm.chat_model import ScriptedReply
from alif.llm.money_status import money_status
from alif.records import Message
from tests.desk.test_review_slots import come_in
from tests.fake_provider import FakeProvider, serve_provider

HOW = {"temperature": 0.5, "max_tokens": 64, "seed": 1}
WAIT_S = 30


def echo(messages: Sequence[Message], draw: int) -> ScriptedReply:
    return ScriptedReply(text=f"{len(messages)} پیغام، {draw}: {messages[-1].content}")


class Chatting:
    """A desk with a provider; everybody's questions stand in one line."""

    def __init__(self, office: Office, server: FakeProvider) -> None:
        self.db, self.run, self.server = office.db, office.folder, server
        self.recipe = recipes.load_recipe(recipes.shipped_recipes()["demo"], ['name="run"'])
        self.answers = ChatAnswers(office.db, office.folder, lambda: self.recipe)
        self.who = come_in(office.db, "آمنہ")

    def offer(self, title: str, **prices: float) -> None:
        chat_store.add_address(self.db, title, {"model": "m", "base_url": self.server.address, **prices})

    def begin(self, model: str = "address.free", who: DeskPerson | None = None) -> int:
        return chat_store.create_chat(self.db, who or self.who, model, "ur", "")

    def ask(self, chat: int, text: str, place: int | None = None, who: DeskPerson | None = None) -> int:
        number = chat_store.add_turn(self.db, who or self.who, chat, text, HOW, place)
        self.answers.ask(number)
        return number

    def end(self, chat: int, state: str = "done") -> ChatTurn:
        deadline = time.monotonic() + WAIT_S
        while (last := find_chat(self.db, None, chat).turns[-1]).state in ("waiting", "writing"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert last.state == state, last.answer
        return last


@pytest.fixture
def chatting(make_office: Callable[..., Office]) -> Iterator[Chatting]:
    with serve_provider(echo) as server:
        found = Chatting(make_office(rows=[]), server)
        found.offer("free")
        yield found
        found.answers.close()


def test_a_conversation_with_an_address_and_another_answer(chatting: Chatting) -> None:
    chat = chatting.begin()
    chatting.ask(chat, "ایک")
    assert chatting.end(chat).answer == "1 پیغام، 0: ایک"
    chatting.ask(chat, "دو")
    assert chatting.end(chat).answer == "3 پیغام، 0: دو"
    chatting.ask(chat, "دو", 1)
    assert chatting.end(chat).answer == "3 پیغام، 1: دو"
    assert not (chatting.run.root / "ledger.sqlite").exists(), "what is free leaves no trace but the turn"


def test_one_at_a_time_in_line_and_a_stop_ends_one(chatting: Chatting) -> None:
    free = threading.Event()

    def slow(messages: Sequence[Message], draw: int) -> ScriptedReply:
        free.wait(WAIT_S)
        return echo(messages, draw)

    chatting.server.script = slow
    others = [come_in(chatting.db, name) for name in ("زید", "سارہ")]
    chats = [chatting.begin(who=who) for who in others]
    turns = [chatting.ask(chat, "؟", who=who) for chat, who in zip(chats, others, strict=True)]
    assert chatting.answers.look(turns[1]) == (1, "")
    chatting.answers.stop(turns[1])
    assert chatting.end(chats[1], "stopped").answer == ""
    free.set()
    assert chatting.end(chats[0]).answer == "1 پیغام، 0: ؟"
    assert len(chatting.server.served) == 1, "what was stopped in line is not asked"
    chatting.server.piece_s = 0.05
    chat = chatting.begin()
    number = chatting.ask(chat, "لفظ " * 40)
    while not chatting.answers.look(number)[1]:
        time.sleep(0.01)
    chatting.answers.stop(number)
    stopped = chatting.end(chat, "stopped").answer
    assert stopped
    assert len(stopped) < 160


def test_a_paid_model_is_asked_under_the_cap_and_not_while_the_run_goes(chatting: Chatting) -> None:
    chatting.offer("paid", usd_per_million_in=1.0, usd_per_million_out=1.0)
    chat = chatting.begin("address.paid")
    with chatting.run.locked():
        chatting.ask(chat, "ایک")
        assert "is working on this run" in chatting.end(chat, "failed").answer
    chatting.ask(chat, "ایک", 0)
    assert chatting.end(chat).answer == "1 پیغام، 1: ایک"
    found = money_status(chatting.run, chatting.recipe)
    assert found["steps"].keys() == {"chat"}
    assert 0 < found["spent_usd"] < 0.01
    chatting.recipe = recipes.load_recipe(
        recipes.shipped_recipes()["demo"], ['name="run"', "runtime.max_cost_usd=0.0001"]
    )
    chatting.ask(chat, "دو")
    assert "max_cost_usd" in chatting.end(chat, "failed").answer
    assert len(chatting.server.served) == 1


def test_what_goes_wrong_is_told_and_the_line_goes_on(chatting: Chatting) -> None:
    def refuse(messages: Sequence[Message], draw: int) -> ScriptedReply:
        return ScriptedReply(text="no such model", status=404, code="model_not_found")

    chatting.server.script = refuse
    chat = chatting.begin()
    chatting.ask(chat, "؟")
    assert "no such model" in chatting.end(chat, "failed").answer
    gone = chatting.begin("address.gone")
    chatting.ask(gone, "؟")
    assert "not offered any more" in chatting.end(gone, "failed").answer
    chat_store.add_address(chatting.db, "dear", {"model": "m", "base_url": "https://api.openai.com/v1"})
    dear = chatting.begin("address.dear")
    chatting.ask(dear, "؟")
    assert "is unknown" in chatting.end(dear, "failed").answer
    chatting.server.script = echo
    chatting.ask(chat, "؟", 0)
    assert chatting.end(chat).answer == "1 پیغام، 1: ؟"


def test_what_is_removed_while_it_waits_is_not_asked(chatting: Chatting, tmp_path: Path) -> None:
    chat = chatting.begin()
    number = chat_store.add_turn(chatting.db, chatting.who, chat, "؟", HOW)
    chat_store.forget_turn(chatting.db, chatting.who, number)
    chatting.answers.ask(number)
    again = chatting.ask(chat, "ایک")
    assert again != number
    assert chatting.end(chat).id == again
    assert len(chatting.server.served) == 1
