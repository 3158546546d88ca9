"""The rows of finished steps: those that may be trained on, and those held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from alif import store
from alif.records import Document, Example, PreferencePair

__all__ = ["heldout_rows", "read_trained_rows", "training_rows"]

Row = TypeVar("Row", Document, Example)


def training_rows(folder: Path, kind: type[Row]) -> list[Row]:
    """Return the rows of `folder`/examples.jsonl whose id is not in held_out.jsonl, in order."""
    heldout = {row["id"] for _, row in store.read_rows(folder / "held_out.jsonl")}
    return [row for row in store.read_models(folder / "examples.jsonl", kind) if row.id not in heldout]


def heldout_rows(folder: Path, kind: type[Row]) -> list[Row]:
    """Return the rows that are never trained on, in order."""
    heldout = {row["id"] for _, row in store.read_rows(folder / "held_out.jsonl")}
    return [row for row in store.read_models(folder / "examples.jsonl", kind) if row.id in heldout]


def read_trained_rows(folders: Mapping[str, Path]) -> Iterator[tuple[str, Example | Document]]:
    """Yield (step, row) of what the stages train on: rows of blend and pairs, documents of corpus.

    `folders` are those of the steps by name; one that is not done has no rows.
    """
    for step, kind in (("blend", Example), ("pairs", PreferencePair), ("corpus", Document)):
        path = folders[step] / "examples.jsonl" if step in folders else Path()
        if not path.is_file():
            continue
        held_out = path.with_name("held_out.jsonl")
        ids = {row["id"] for _, row in store.read_rows(held_out)} if held_out.is_file() else set()
        rows: Iterator[Example | Document] = store.read_models(path, kind)
        for row in rows:
            if row.id not in ids:
                yield step, row
