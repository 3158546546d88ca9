"""Training curves: a line per optimizer step in runtime/STEP/curve.jsonl.

    {"step": 50, "loss": 3.1, "lr": 0.0002, "gradient_norm": 0.8, "tokens": 51020, "tokens_per_s": 9120.5, …}

A training that was killed goes on behind its last checkpoint: lines after that step are removed first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from alif import store

__all__ = ["CURVE", "CurvePoint", "Sample", "append_point", "read_curve", "truncate_curve"]

CURVE = "curve.jsonl"
"""Under a step's scratch folder."""


class Sample(TypedDict):
    """What the model writes after a held-out prompt."""

    prompt: str
    text: str


class CurvePoint(TypedDict, total=False):
    """One optimizer step."""

    step: int
    loss: float
    """Nats per labelled token; of pairs ORPO's or DPO's."""
    lr: float
    gradient_norm: float | None
    """Before clipping."""
    tokens: int
    """So far, padding not counted."""
    tokens_per_s: float
    memory_gb: float
    """On a GPU: the most so far."""
    peak_share: float
    """On a GPU: share of the peak FLOP/s that its maker states, 0..1 (MFU)."""
    margin: float
    """Of pairs: the mean of ORPO's log odds ratio, or of DPO's difference of rewards."""
    preferred: float
    """Share of the pairs whose margin is above 0, 0..1."""
    bits_per_byte: Mapping[str, float]
    """Where the stage was evaluated at this step: of held-out text, by language."""
    samples: Sequence[Sample]


def read_curve(path: Path, steps: int | None = None) -> list[CurvePoint]:
    """Return the points up to `steps`, or all; half a line at the end, left by a kill, is skipped."""
    points: list[CurvePoint] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            point: CurvePoint = json.loads(line)
        except json.JSONDecodeError:
            break
        if steps is None or point["step"] <= steps:
            points.append(point)
    return points


def truncate_curve(path: Path, steps: int) -> None:
    """Remove the points after `steps`."""
    store.write_rows(path, (dict(point) for point in read_curve(path, steps)))


def append_point(path: Path, point: CurvePoint) -> None:
    """Append the point of a step."""
    with store.friendly_os_errors(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(point, ensure_ascii=False) + "\n")
