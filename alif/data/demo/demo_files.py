"""The packs' demo folders: what the offline teacher answers from, and which rows it can translate.

packs/ur/demo/candidates/qa.jsonl   faults.jsonl   translations.jsonl   {"source": "en-row-001", …}
packs/en/demo/rows.jsonl            {"id": "en-row-001", "task": "qa", "instruction": "…", …}
"""

from __future__ import annotations

from typing import TypeAlias

from pydantic import JsonValue

from alif import store
from alif.language.pack import Pack

__all__ = ["DemoRow", "Triple", "read_demo_rows", "to_triple", "translated_ids"]

Triple: TypeAlias = tuple[str, str, str]
"""Instruction, input and output."""
DemoRow: TypeAlias = dict[str, JsonValue]


def read_demo_rows(pack: Pack, name: str) -> list[DemoRow]:
    """Return the rows of a file of the pack, none where the pack has no such file."""
    path = pack.folder / name
    return [row for _, row in store.read_rows(path)] if path.is_file() else []


def to_triple(row: DemoRow) -> Triple:
    """Return instruction, input and output of a row."""
    return str(row["instruction"]), str(row["input"]), str(row["output"])


def translated_ids(own: Pack) -> set[str]:
    """Return the ids of the known pack's demo rows that the pack `own` translates in its demo folder."""
    return {str(row["source"]) for row in read_demo_rows(own, "demo/translations.jsonl")}
