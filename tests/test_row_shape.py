"""The shape that says most of a row wins."""

from __future__ import annotations

from typing import Any

import pytest

from alif.row_shape import find_shape, flatten_instance, read_field


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
