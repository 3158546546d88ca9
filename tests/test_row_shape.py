"""The shape that says most of a row wins."""

from __future__ import annotations

from typing import Any

import pytest

from alif.row_shape import find_shape, flatten_instance, read_field, split_pair


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        ({"text": "a"}, "text"),
        ({"text": "a", "instruction": "b", "output": "c"}, "triple"),
        ({"text": "a", "instruction": "b", "output": ""}, "triple"),
        ({"text": "a", "instruction": "b", "output": None}, "text"),
        ({"text": "a", "instruction": " ", "output": "c"}, "text"),
        ({"messages": [1], "instruction": "b", "output": "c"}, "conversation"),
        ({"messages": None, "conversations": [1], "text": "a"}, "conversation"),
        ({"messages": [], "question": "b", "answer": "c"}, "triple"),
    ],
)
def test_the_fullest_shape_wins(values: dict[str, Any], shape: str) -> None:
    assert find_shape(values) == shape


def test_a_field_is_its_first_filled_cell() -> None:
    assert read_field({"instruction": "", "prompt": None, "question": "q"}, "instruction") == "q"
    assert read_field({"input": ""}, "input") is None
    assert flatten_instance({"instances": [{"output": "o"}], "output": ""})["output"] == "o"
    assert flatten_instance({"instances": []}) == {"instances": []}


TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, {"prompt": "q", "output": "a"}),
        (
            {"system": "s", "question": "q", "chosen": "a", "rejected": "b"},
            {"system_prompt": "s", "output": "a"},
        ),
        ({"instruction": "q", "output": "a", "rejected": "b"}, {"instruction": "q", "output": "a"}),
        ({"prompt": TURNS[:1], "chosen": "a", "rejected": "b"}, {"messages": TURNS}),
        ({"prompt": "q", "chosen": TURNS, "rejected": [TURNS[0], {"content": "b"}]}, {"messages": TURNS}),
    ],
)
def test_a_pair_is_an_ordinary_row_and_a_rejected_answer(values: dict[str, Any], row: dict[str, Any]) -> None:
    found = split_pair(values)
    assert isinstance(found, tuple)
    assert found[1] == "b"
    assert row.items() <= found[0].items()


def test_what_is_no_pair_says_what_it_lacks() -> None:
    assert (
        split_pair({"prompt": "q", "chosen": "a"})
        == "a pair needs chosen and rejected, each a text or messages"
    )
    assert "content that is text" in split_pair({"chosen": [{"role": "user"}], "rejected": "b"})
    assert "different prompts" in split_pair({"chosen": TURNS, "rejected": "b"})
