"""Chats are their author's alone; a turn asked again replaces what came after it; what is removed is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from alif.desk import chat_store
from alif.desk.chat_store import find_chat
from alif.desk.office import Office
from alif.desk.people import Refused
from tests.desk.test_review_slots import come_in

HOW = {"temperature": 0.5, "max_tokens": 9, "seed": 1}


def test_a_conversation_is_kept_asked_again_edited_and_removed(
    make_office: Callable[..., Office], database: str
) -> None:
    db = make_office(database=database).db
    who, other = come_in(db, "آمنہ"), come_in(db, "زید")
    number = chat_store.create_chat(db, who, "student", "ur", "مختصر جواب دیں۔")
    first = chat_store.add_turn(db, who, number, "ایک؟", HOW)
    with pytest.raises(Refused, match="still_writing"):
        chat_store.add_turn(db, who, number, "دو؟", HOW)
    taken = chat_store.take_turn(db, first)
    assert taken is not None
    assert [one.content for one in taken[0].messages(0)] == ["مختصر جواب دیں۔", "ایک؟"]
    assert chat_store.take_turn(db, first) is None
    chat_store.finish_turn(db, first, "done", "جواب ایک")
    chat_store.finish_turn(db, first, "stopped", "")
    second = chat_store.add_turn(db, who, number, "دو؟", HOW)
    chat_store.finish_turn(db, second, "done", "جواب دو")
    found = find_chat(db, who, number)
    assert [one.content for one in found.messages(1)][1:] == ["ایک؟", "جواب ایک", "دو؟"]
    assert found.turns[0].sampling == {**HOW, "draw": 0}
    again = chat_store.add_turn(db, who, number, "ایک، ترمیم شدہ؟", HOW, 0)
    found = find_chat(db, who, number)
    assert [(one.id, one.sampling["draw"]) for one in found.turns] == [(again, 1)]
    chat_store.change_turn(db, who, again, {"thumb": -1, "reason": "غلط"})
    assert find_chat(db, who, number).turns[0][7:] == (-1, "غلط")
    for act in (
        lambda: find_chat(db, other, number),
        lambda: chat_store.add_turn(db, other, number, "؟", HOW),
        lambda: chat_store.change_turn(db, other, again, {"thumb": 1}),
        lambda: chat_store.forget_turn(db, other, again),
        lambda: chat_store.forget_chat(db, other, number),
    ):
        with pytest.raises(Refused, match="no_such_chat"):
            act()
    assert chat_store.list_chats(db, other) == []
    assert chat_store.list_chats(db, who) == [(number, "ایک، ترمیم شدہ؟")]
    chat_store.forget_turn(db, who, again)
    with db.reading() as connection:
        left = connection.execute(sa.select(chat_store.turn.c.question)).scalars().all()
    assert left == ["دو؟"], "the turn and its earlier answers are gone"
    chat_store.forget_chat(db, who, number)
    with db.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(chat_store.turn)) == 0


def test_what_cannot_be_asked_is_refused_and_what_was_left_is_marked(office: Office) -> None:
    db, who = office.db, come_in(office.db, "آمنہ")
    number = chat_store.create_chat(db, who, "student", "ur", "")
    for text, reason in (("  \n", "nothing_asked"), ("x" * 20_001, "too_large")):
        with pytest.raises(Refused, match=reason):
            chat_store.add_turn(db, who, number, text, HOW)
    chat_store.add_turn(db, who, number, "؟", HOW)
    chat_store.leave_unfinished(db)
    assert find_chat(db, who, number).turns[0].state == "stopped"


def test_models_are_added_replaced_and_removed(office: Office) -> None:
    for model in ("a", "b"):
        chat_store.add_address(office.db, "ہمارا ماڈل", {"model": model})
    assert chat_store.list_addresses(office.db) == {"ہمارا ماڈل": {"model": "b"}}
    chat_store.remove_address(office.db, "ہمارا ماڈل")
    assert chat_store.list_addresses(office.db) == {}
