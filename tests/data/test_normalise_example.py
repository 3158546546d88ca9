"""Every text of a row is normalised, earlier turns too, and the id follows the content."""

from __future__ import annotations

from alif.data.normalise_example import normalise_example
from alif.language.pack import Pack
from alif.records import Message
from tests.data.conftest import row


def test_every_text_is_normalised_and_the_id_follows(own: Pack) -> None:
    typed = row("qa", " سوال\u200e\r\n", "جواب\ufeff ")
    found = normalise_example(typed, own)
    assert (found.instruction, found.output) == ("سوال", "جواب")
    assert found.id != typed.id
    assert normalise_example(found, own) == found
    turns = (Message(role="system", content=" مختصر\u200e "),)
    talk = normalise_example(typed.with_turns(turns), own)
    assert [message.content for message in talk.turns] == ["مختصر"]
    assert talk.id != found.id
