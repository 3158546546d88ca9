"""Values of a pack's tables are checked, and an error says what is wrong with which of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from alif.language import pack_fields


@pytest.mark.parametrize("value", ["a b", "ab", ["a", "b"], "U+0061..U+0062", ["U+0061", "b"]])
def test_characters_in_every_notation(value: str | list[str]) -> None:
    assert TypeAdapter(pack_fields.Characters).validate_python(value) == "ab"


def test_one_spelling_or_several() -> None:
    adapter = TypeAdapter(pack_fields.NumberNames)
    assert adapter.validate_python({"1/2": "half", "2": ["two", "pair"]}) == {
        "1/2": ("half",),
        "2": ("two", "pair"),
    }


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        (pack_fields.Characters, "aa", "listed twice"),
        (pack_fields.Characters, "U+64", "not a code point"),
        (pack_fields.ScriptName, "Arabish", "Unicode script"),
        (pack_fields.DigitSystems, ("0123456798",), "ten digits"),
        (pack_fields.CharacterMap, {"a": "bc"}, "one letter"),
        (pack_fields.CharacterMap, {"a": "b", "b": "c"}, "itself to be replaced"),
        (pack_fields.NumberNames, {"1e9": "x"}, "not a number"),
        (pack_fields.NumberNames, {"1/0": "x"}, "not a number"),
        (pack_fields.Patterns, {"(": "x"}, "no regular expression"),
        (pack_fields.Patterns, {"(a)": r"\2"}, "names a group"),
    ],
)
def test_wrong_values_are_named(field: Any, value: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TypeAdapter(field).validate_python(value)
