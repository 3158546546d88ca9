"""The packs' demo folders: what the offline teacher answers from, and which rows of the known language it can translate.

packs/ur/demo/candidates/qa.jsonl   faults.jsonl   translations.jsonl   {"source": "en-row-001", "instruction": "…", …}
packs/en/demo/rows.jsonl            {"id": "en-row-001", "task": "qa", "instruction": "…", …}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alif import sources
from alif.language.pack import Pack
from alif.records import Dropped

__all__ = ["Triple", "read_demo_lines", "read_triples", "translated_ids"]

Triple = tuple[str, str, str]
"""Instruction, input and output."""


def read_triples(pack: Pack, name: str) -> list[tuple[Mapping[str, Any], Triple]]:
    """Return (row, its triple) of a file of the pack, none where the pack has no such file."""
    return [
        (row, (str(row["instruction"]), str(row["input"]), str(row["output"])))
        for row in read_demo_lines(pack, name)
    ]


def read_demo_lines(pack: Pack, name: str) -> list[Mapping[str, Any]]:
    """Return the rows of a file of the pack, none where the pack has no such file."""
    if not (pack.folder / name).is_file():
        return []
    return [
        row.values for row in sources.read_rows((name,), str(pack.folder)) if not isinstance(row, Dropped)
    ]


def translated_ids(own: Pack) -> set[str]:
    """Return the ids of the known pack's demo rows that the taught pack's demo folder translates."""
    return {str(row["source"]) for row, _ in read_triples(own, "demo/translations.jsonl")}
