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

__all__ = ["Triple", "lines", "translated_ids", "triples"]

Triple = tuple[str, str, str]
"""Instruction, input and output."""


def triples(pack: Pack, name: str) -> list[tuple[Mapping[str, Any], Triple]]:
    """Return (row, its triple) of a file of the pack, none where the pack has no such file."""
    return [(row, (str(row["instruction"]), str(row["input"]), str(row["output"]))) for row in lines(pack, name)]


def lines(pack: Pack, name: str) -> list[Mapping[str, Any]]:
    """Return the rows of a file of the pack, none where the pack has no such file."""
    if not (pack.folder / name).is_file():
        return []
    return [row.values for row in sources.rows((name,), str(pack.folder)) if not isinstance(row, Dropped)]


def translated_ids(own: Pack) -> set[str]:
    """Return the ids of the known pack's demo rows that the taught pack's demo folder translates."""
    return {str(row["source"]) for row, _ in triples(own, "demo/translations.jsonl")}
