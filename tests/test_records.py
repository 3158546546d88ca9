"""Rows: named by their content, with their ancestry."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alif.records import Document, Dropped, Example, Message, Neighbour, Origin, sanitize_text

ROW = Example.make("ur", "qa", "پانی؟", "", "H2O", Origin(kind="seed", author="Amna"))
"""Water?"""


def test_the_content_is_the_name() -> None:
    again = Example.make("ur", "reasoning", "پانی؟", "", "H2O", Origin(kind="teacher"))
    assert again.id == ROW.id  # task and origin are no part of it
    assert Example.make("ur", "qa", "پانی؟", "H2O", "", ROW.origin).id != ROW.id
    assert Document.make("ur", "متن", title="x").id != Document.make("ur", "متن").id


def test_turns_are_a_part_of_the_name_and_of_the_file_only_where_there_are_any() -> None:
    longer = ROW.with_turns((Message(role="user", content="سلام"), Message(role="assistant", content="جی")))
    assert longer.id != ROW.id
    assert "turns" not in ROW.model_dump()
    assert Example.model_validate(longer.model_dump(mode="json")) == longer


def test_an_edited_row_has_the_old_one_as_a_parent_and_keeps_its_turns() -> None:
    old = ROW.with_turns((Message(role="system", content="مختصر"),))
    new = old.edited(output="پانی H2O ہے۔")
    assert new.origin.parents == (old.id,)
    assert (new.turns, new.instruction, new.origin.author) == (old.turns, old.instruction, "Amna")
    assert new.id not in (old.id, ROW.id)


def test_a_dropped_row_is_written_with_the_reason_beside_its_own_keys() -> None:
    nearest = Neighbour(id="5b0f", text="پانی کیا ہے؟", similarity=0.8)
    written = Dropped(row=ROW, reason="near_duplicate", evidence="0.8", nearest=nearest).record()
    assert written["instruction"] == ROW.instruction
    assert (written["reason"], written["nearest"]["id"]) == ("near_duplicate", "5b0f")
    assert Dropped(raw="nonsense", reason="unparsable").record()["raw"] == "nonsense"


def test_what_cannot_be_sent_is_replaced() -> None:
    assert sanitize_text("a\x00b\ud800") == "a\ufffdb\ufffd"
    assert Message(role="user", content="a\x00").content == "a\ufffd"


def test_a_record_is_frozen_and_knows_its_keys() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ROW.task = "ethics"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Origin.model_validate({"kind": "seed", "licens": "MIT"})
