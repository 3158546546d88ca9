"""The rows of a finished step: those that may be trained on, and those held out."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from alif import store
from alif.records import Document, Example

__all__ = ["heldout_rows", "training_rows"]

Row = TypeVar("Row", Document, Example)


def training_rows(folder: Path, kind: type[Row]) -> list[Row]:
    """Return the rows of `folder`/examples.jsonl whose id is not in held_out.jsonl, in order."""
    heldout = {row["id"] for _, row in store.read_rows(folder / "held_out.jsonl")}
    return [row for row in store.read_models(folder / "examples.jsonl", kind) if row.id not in heldout]


def heldout_rows(folder: Path, kind: type[Row]) -> list[Row]:
    """Return the rows that are never trained on, in order."""
    heldout = {row["id"] for _, row in store.read_rows(folder / "held_out.jsonl")}
    return [row for row in store.read_models(folder / "examples.jsonl", kind) if row.id in heldout]
