"""Rows of published sets pass the door of a teacher's reply."""

from __future__ import annotations

from typing import Any

import pytest

from alif.data.published_row import find_sentence_fault, nothing_left, read_published_row
from alif.language.pack import load_pack
from alif.records import Dropped, Example
from alif.sources import Row

UR, EN = load_pack("ur"), load_pack("en")
URDU = "لاہور پاکستان کا دوسرا بڑا شہر ہے۔"


def read(**values: Any) -> Example | Dropped:
    return read_published_row(Row("a.jsonl:1", "a", "1", values), (UR, EN), (UR, EN), "source", "MIT")


def test_a_good_row_is_cleaned_and_labelled_by_its_text() -> None:
    found = read(instruction=" لاہور کہاں ہے؟\u200b ", input="N/A", output=URDU)
    assert isinstance(found, Example)
    assert (found.instruction, found.input, found.language) == ("لاہور کہاں ہے؟", "", "ur")
    assert found.origin.licence == "MIT"
    english = read(instruction="Where is Lahore?", output="Lahore is in Pakistan, on the river Ravi.")
    assert isinstance(english, Example)
    assert english.language == "en"


@pytest.mark.parametrize("named", ["ur", "UR-PK", "urdu", "Urdu", "اردو", ""])
def test_a_language_is_named_by_code_or_name(named: str) -> None:
    found = read(instruction="لاہور؟", output="شہر", language=named)
    assert isinstance(found, Example)
    assert found.language == "ur"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"instruction": "a b", "output": "c", "language": "hi"}, "wrong_language"),
        ({"instruction": "नदी क्या है?", "output": "नदी पानी की धारा है।"}, "wrong_language"),
        ({"instruction": "Where is it?", "output": "\u200b \u200e"}, "empty"),
        ({"instruction": "(empty)", "output": URDU}, "empty"),
        ({"instruction": "Where is it?", "output": "N/A"}, "empty"),
        ({"instruction": "Where is it?", "output": "???? ?? ???"}, "garbled_text"),
        ({"instruction": "Where is it?", "output": ""}, "missing_field"),
    ],
)
def test_a_fault_is_named_with_its_line(values: dict[str, str], reason: str) -> None:
    found = read(**values)
    assert isinstance(found, Dropped)
    assert found.reason == reason
    assert found.evidence.startswith("a.jsonl:1: ")


def test_an_exercise_of_translation_may_hold_a_third_language() -> None:
    asked = "Translate this sentence into French, please: the river is wide and the bridge is old."
    assert isinstance(read(instruction=asked, output="La rivière est large et le pont est vieux."), Example)


def test_a_sentence_is_in_the_language_that_is_translated() -> None:
    def fault(sentence: str) -> str:
        found = find_sentence_fault(sentence, EN, (EN, UR))
        return found[0] if found else ""

    assert fault("The bridge over the river is closed today for repair.") == ""
    assert fault("Le pont sur la rivière est fermé aujourd'hui pour réparation.") == "wrong_language"
    assert fault(URDU) == "wrong_language"
    assert [fault(one) for one in ("N/A", "\u200b", "—")] == ["empty"] * 3
    assert fault("The bridge \ufffd is closed.") == "replacement_char"


def test_nothing_left_says_why() -> None:
    assert "it holds no row" in nothing_left("replay.source", {}, "").message
    said = nothing_left("replay.source", {"empty": 1200, "duplicate": 3}, "a.jsonl:1: x").message
    assert said == (
        "replay.source: none of 1,203 rows can be kept: 1,200 empty, 3 duplicate; the first: a.jsonl:1: x"
    )
