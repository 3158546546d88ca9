"""Objects of a reply are read with their labels; a reply that is no JSON has none."""

from __future__ import annotations

import pytest

from alif.language.pack import load_pack
from alif.language.replies.json_items import read_json_items

UR = load_pack("ur")


def test_labels_in_every_style_and_escaped_letters() -> None:
    text = '{"items": [{"Task": "\\u0627", "ان پٹ": "x", "Answer": 4, "more": [1]}]}'
    (item,) = read_json_items(text, UR)
    assert item.texts == {"instruction": "ا", "input": "x", "output": "4"}
    assert item.raw == text[text.index('{"Task') : -2]


@pytest.mark.parametrize("text", ["", "no braces", '{"a": 1}', "{broken", "[1, 2]"])
def test_what_is_no_json_has_no_items(text: str) -> None:
    assert list(read_json_items(text, UR)) == []


def test_an_error_behind_the_first_object_is_named_with_the_rest() -> None:
    first, rest = read_json_items('{"instruction": "a"} {"instruction": ', UR)
    assert first.texts == {"instruction": "a"}
    assert (rest.raw, rest.error) == ('{"instruction": ', "JSONDecodeError")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('[{"instruction": "a", "output": "b",}, ]', "b"),
        ('{"instruction": "a", // the task\n"output": "b"}', ""),
        ('{"instruction": "a",\n  // the answer\n"output": "b"}', "b"),
        ("{“instruction”: “a”, “output”: “b”}", "b"),
        (r'{"instruction": "a", "output": "\(x\) is \frac{1}{2}, \\n"}', "\\(x\\) is \\frac{1}{2}, \\n"),
        ('{"instruction": "a", "output": ["one", "two"]}', "one\ntwo"),
        ('{"instruction": "a, ]", "output": "say “b”, c"}', "say “b”, c"),
    ],
)
def test_what_json_does_not_know_is_mended_where_it_stands(text: str, output: str) -> None:
    assert [item.texts.get("output", "") for item in read_json_items(text, UR)][:1] == [output] * bool(output)
