"""Which shape a row of published data has, where it has several: a conversation, a triple, a text.

    {"instruction": "…", "input": "", "output": "…", "text": "…"}   a triple: Alpaca's `text` repeats it all
    {"messages": […], "prompt": "…", "text": "…"}                   a conversation
    {"text": "…"}                                                   a text

The shape that says most of the row wins, in every step. An empty cell or list is no shape; an empty answer
beside an instruction is a triple without its output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["find_shape", "flatten_instance", "read_field"]

FIELDS = {
    "instruction": ("instruction", "prompt", "question"),
    "input": ("input", "context"),
    "output": ("output", "response", "completion", "answer"),
}
"""The names of instruction, input and output: Alif's, Alpaca's and Dolly's, plain question and answer."""


def find_shape(values: Mapping[str, Any]) -> Literal["conversation", "triple", "text"]:
    """Return how a row is read."""
    if isinstance(turns := values.get("messages") or values.get("conversations"), list) and turns:
        return "conversation"
    answered = any(isinstance(values.get(key), str) for key in FIELDS["output"])
    asked = read_field(values, "instruction")
    return "triple" if answered and isinstance(asked, str) and asked.strip() else "text"


def flatten_instance(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the first of its `instances` (Self-Instruct's seeds) in place of them."""
    match values.get("instances"):
        case [dict() as first, *_]:
            return {**values, **first}
    return dict(values)


def read_field(values: Mapping[str, Any], field: str) -> Any:
    """Return the first filled cell of a field of a triple, under any of its names; None without one."""
    return next((value for key in FIELDS[field] if (value := values.get(key)) not in (None, "")), None)
