"""What a reader sees of a row, and what no reader sees."""

from __future__ import annotations

import json

from alif.desk.cards import card_of, direction_of, fields_of, preview_of
from alif.desk.review_slots import Work
from alif.language.pack import load_pack
from alif.records import Message
from tests.desk.conftest import HOSTILE, ROWS, row

PACKS = {"ur": load_pack("ur")}


def test_a_card_tells_nothing_of_who_wrote_the_row() -> None:
    turned = ROWS[3].with_turns((Message(role="system", content="مختصر لکھیں"),))
    card = card_of(Work(slot=7, kind="row", row=turned, flags=[], draft=None), PACKS)
    assert "secret" not in json.dumps(card)
    assert (card["slot"], card["dir"], card["draft"]) == (7, "rtl", None)
    assert [field["name"] for field in fields_of(turned, PACKS)] == ["instruction", "output"]
    assert [field["fixed"] for field in fields_of(turned, PACKS)] == ["", "یہ کتاب اچھی ہے۔"]
    assert json.dumps(card["turns"]).count('"role": "system"') == 1


def test_a_language_without_a_pack_runs_as_its_letters_do() -> None:
    assert direction_of(row("q", "English answer", language="xx"), PACKS) == "ltr"
    assert direction_of(row("q", "כן, בהחלט", language="xx"), PACKS) == "rtl"
    assert direction_of(row("q", "English", language="ur"), PACKS) == "rtl"


def test_a_preview_shows_texts_of_the_row_alone_and_hostile_ones_as_text() -> None:
    shown = preview_of(ROWS[0], {"output": HOSTILE, "origin": "x"}, PACKS)
    assert list(shown) == ["output"]
    pieces = [piece for line in shown["output"]["view"] for span in line["spans"] for piece in span["pieces"]]
    assert "".join(piece[0] for piece in pieces) == HOSTILE
