"""The curve of a training, a line a step, that a killed one goes on with behind its last checkpoint.

    runtime/pretrain/curve.jsonl
    {"step": 50, "loss": 3.1, "lr": 0.0002, "gradient_norm": 0.8, "tokens": 51020, "tokens_per_s": 9120.5, …}

`tokens` are useful ones, filler not counted. On a GPU `memory_gb` stands there too, the most so far, and `peak_share`, of the
arithmetic that the GPU's maker tells; at the steps of a look `bits_per_byte` and `samples`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alif import store

__all__ = ["FILE", "append_point", "read_curve", "truncate_curve"]

FILE = "curve.jsonl"
"""Under a step's scratch folder."""


def read_curve(path: Path, steps: int) -> list[dict[str, Any]]:
    """Return the rows up to `steps`; a kill may have left half a line at the end."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            break
        if row["step"] <= steps:
            rows.append(row)
    return rows


def truncate_curve(path: Path, steps: int) -> None:
    """Leave the rows up to `steps`."""
    store.write_rows(path, read_curve(path, steps))


def append_point(path: Path, row: Mapping[str, Any]) -> None:
    """Add the row of a step."""
    with store.friendly_os_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
