"""Shapes of published data: cells of CSV and TSV files, turns of conversations, which shape a row has."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from alif import store
from alif.records import Message

__all__ = ["find_shape", "flatten_instance", "read_cells", "read_field", "read_messages"]

FIELDS = {
    "instruction": ("instruction", "prompt", "question"),
    "input": ("input", "context"),
    "output": ("output", "response", "completion", "answer"),
}
"""The names of instruction, input and output: Alif's, Alpaca's and Dolly's, plain question and answer."""

LONGEST_CELL = 1 << 28
"""Characters of a cell: a long article is above Python's default of 131,072."""

ROLES = {"system": "system", **dict.fromkeys(("user", "human", "prompter"), "user")}
ROLES |= dict.fromkeys(("assistant", "gpt", "model", "bot"), "assistant")
"""The speakers of a conversation by the names that data sets give them."""


def read_cells(path: Path, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (line number, cells) of every row, or why it is no row; blank lines are skipped.

    Raises:
        DataError: the file is not UTF-8, or damaged.
    """
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader((f"{line}\n" for _, line in store.read_lines(path)), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"not CSV ({error})"
        else:
            if cells:
                yield reader.line_num, cells


def find_shape(values: Mapping[str, Any]) -> Literal["conversation", "triple", "text"]:
    """Return how a row is read: as a conversation, else as a triple, else as a text.

    Published rows hold the same more than once: Alpaca's column `text` is its whole prompt with the answer.
    The shape that says most of the row wins in every step. An empty cell or list is no shape; an empty answer
    beside an instruction is a triple without its output.
    """
    if isinstance(turns := values.get("messages") or values.get("conversations"), list) and turns:
        return "conversation"
    answered = any(isinstance(values.get(key), str) for key in FIELDS["output"])
    asked = read_field(values, "instruction")
    return "triple" if answered and isinstance(asked, str) and asked.strip() else "text"


def flatten_instance(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the first of its `instances` (Self-Instruct's seeds) in place of them."""
    found = values.get("instances")
    return {
        **values,
        **(found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}),
    }


def read_field(values: Mapping[str, Any], field: str) -> Any:
    """Return the first filled cell of a field of a triple, under any of its names; None without one."""
    return next((value for key in FIELDS[field] if (value := values.get(key)) not in (None, "")), None)


def read_messages(messages: list[Any]) -> list[Message] | None:
    """Return the turns of a conversation (role and content, or from and value), None where it is none."""
    turns: list[Message] = []
    for message in messages:
        if not isinstance(message, dict):
            return None
        role = ROLES.get(_as_text(message.get("role", message.get("from"))))
        content = _as_text(message.get("content", message.get("value")))
        expected = "user" if not turns or turns[-1].role != "user" else "assistant"
        if not content or (role != expected and (role != "system" or turns)):
            return None
        turns.append(Message.model_validate({"role": role, "content": content}))
    return turns if len(turns) > 1 and turns[-1].role == "assistant" else None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""
