"""JSON read strictly."""

from __future__ import annotations

import pytest

from alif.strict_json import parse_json, parse_row


def test_what_passes_is_as_json_has_it() -> None:
    assert parse_row('{"a": [1, 2.5, "x", null, true], "b": {"c": {}}}') == {
        "a": [1, 2.5, "x", None, True],
        "b": {"c": {}},
    }
    assert parse_json("[" * 100 + "]" * 100)
    assert parse_json("9" * 300) == int("9" * 300)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 101 + "]" * 101, "nested more than 100 deep"),
        ('{"a":' * 101 + "1" + "}" * 101, "nested more than 100 deep"),
        ("[" * 100_000, "nested more than 100 deep"),
        ("9" * 301, "a number of 301 digits"),
        ("-1e400", "a number too large: -1e400"),
        ("NaN", "NaN is not JSON"),
        ("", r"not JSON \(Expecting value at column 1\)"),
    ],
    ids=lambda text: text[:12],
)
def test_what_no_later_step_could_use_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_a_row_is_an_object_without_doubled_keys_or_halves_of_characters() -> None:
    for text, reason in (
        ("[]", "not a JSON object"),
        ('{"a": 1, "a": 1}', "twice"),
        ('{"a": "\\udc00"}', "lone"),
    ):
        with pytest.raises(ValueError, match=reason):
            parse_row(text)
