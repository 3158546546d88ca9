"""Decisions as browsers send them: those that are none are refused, texts are normalised."""

from __future__ import annotations

from typing import Any

import pytest

from alif.desk import decisions
from alif.desk.people import Refused
from tests.desk.conftest import ROWS, row
from tests.desk.test_review_slots import PACKS


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"decision": "edit", "texts": {"output": "   "}}, "not_accepted"),
        ({"decision": "edit", "texts": {"output": "\x00"}}, "not_accepted"),
        ({"decision": "edit", "texts": {"output": ROWS[0].output + " \x00"}}, "nothing_changed"),
        ({"decision": "edit", "texts": {}}, "not_accepted"),
        ({"decision": "edit", "texts": {"id": "x"}}, "not_understood"),
        ({"decision": "edit", "texts": {"output": 3}}, "not_understood"),
        ({"decision": "reject"}, "needs_reason"),
        ({"decision": "reject", "reasons": ["boring"]}, "not_understood"),
        ({"decision": "reject", "reasons": [["fact"]]}, "not_understood"),
        ({"decision": "maybe"}, "not_accepted"),
        ({"decision": None}, "not_understood"),
        ({"decision": "approve", "note": "x" * 2001}, "not_understood"),
        ({}, "not_understood"),
    ],
)
def test_decisions_that_are_none_are_refused(body: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told):
        decisions.read_decision(ROWS[0], "Amna", body, PACKS)


def test_a_row_with_hidden_characters_is_not_approved_before_they_are_gone() -> None:
    hidden = row("سوال", "جواب \u202e ہے")
    with pytest.raises(Refused, match="hidden_left"):
        decisions.read_decision(hidden, "Amna", {"decision": "approve"}, PACKS)
    edit = {"decision": "edit", "texts": {"output": "جواب ہے"}}
    assert decisions.read_decision(hidden, "Amna", edit, PACKS)["texts"] == {"output": "جواب ہے"}
