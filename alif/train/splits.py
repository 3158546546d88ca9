"""What earlier steps hand over: rows of a step that may be trained on, and those held out."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from alif import store
from alif.records import Document, Example

__all__ = ["heldout_rows", "training_rows"]

Row = TypeVar("Row", Document, Example)


def training_rows(folder: Path, kind: type[Row]) -> list[Row]:
    """Return the rows of `folder`/examples.jsonl whose id does not stand in held_out.jsonl, in order."""
    held_out = _held_out(folder)
    return [row for row in store.read_models(folder / "examples.jsonl", kind) if row.id not in held_out]


def heldout_rows(folder: Path, kind: type[Row]) -> list[Row]:
    """Return the rows that are only looked at, in order."""
    held_out = _held_out(folder)
    return [row for row in store.read_models(folder / "examples.jsonl", kind) if row.id in held_out]


def _held_out(folder: Path) -> set[str]:
    return {row["id"] for _, row in store.read_rows(folder / "held_out.jsonl")}
