"""Shapes of published data: cells of CSV and TSV files, turns of conversations."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alif import store
from alif.records import Message

__all__ = ["read_cells", "read_messages"]

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
