"""What a training tells while it goes on and afterwards: loss, speed, gradients, memory, looks at held-out text, samples.

All of it is in runtime/STEP/curve.jsonl, a line a step, so `alif report RUN` shows a training that is at work.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from alif.report import plots
from alif.report.plots import PlotLine, PlotPanel
from alif.report.snapshot import RunSnapshot

__all__ = ["training_section"]

Points = Sequence[Mapping[str, Any]]
STEP_NAMES = {"base": "base", "pretrain": "stage 1: reading", "finetune": "stage 2: instructions"}
"""Titles of the steps that train."""
SHOWN_LOOKS = 3
"""Looks whose samples stand side by side: the first, the last and one between."""
LANGUAGE_COLOURS = ("one", "two")
"""Of the taught and of the known language."""


def training_section(run: RunSnapshot) -> dict[str, Any]:
    """Return the pictures, the table and the samples of the page's part on training."""
    curves = {STEP_NAMES.get(step, step): points for step, points in run.curves.items() if len(points) > 1}
    looks = {
        title: [point for point in points if point.get("bits_per_byte")] for title, points in curves.items()
    }
    looks = {title: points for title, points in looks.items() if points}
    rows = {title: _summary(points) for title, points in curves.items()}
    return {
        "name": run.name,
        "rows": rows,
        "told": {
            key: any(row[key] is not None for row in rows.values()) for row in rows.values() for key in row
        },
        "loss": _losses(curves),
        "speed": _picture(
            "speed", "Useful tokens a second", curves, "tokens_per_s", "1,000 tokens a second", 1000
        ),
        "gradients": _picture(
            "gradients", "Gradient norm before clipping", curves, "gradient_norm", "gradient norm"
        ),
        "looks": _looks(run, looks),
        "legend": [
            (tongue.name, colour, mark)
            for tongue, colour, mark in zip((run.taught, run.known), LANGUAGE_COLOURS, "●■", strict=True)
        ],
        "samples": {title: _samples(points) for title, points in looks.items() if points[-1].get("samples")},
    }


def _summary(points: Points) -> dict[str, Any]:
    """Return what a training's row of the table says; a GPU tells its memory and the share of its peak too."""
    norms = [point["gradient_norm"] for point in points if point.get("gradient_norm") is not None]
    shares = [point["peak_share"] for point in points if "peak_share" in point]
    return {
        "steps": points[-1]["step"],
        "useful tokens": points[-1].get("tokens"),
        "tokens a second": _whole(
            _median([point["tokens_per_s"] for point in points if "tokens_per_s" in point])
        ),
        "loss": points[-1]["loss"],
        "gradient norm": _median(norms),
        "largest": max(norms, default=None),
        "GB of the GPU": max((point["memory_gb"] for point in points if "memory_gb" in point), default=None),
        "% of its peak": 100 * statistics.median(shares) if shares else None,
    }


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _losses(curves: Mapping[str, Points]) -> Markup | str:
    about = "; ".join(
        f"{title}: loss from {points[0]['loss']:.2f} to {points[-1]['loss']:.2f} in {points[-1]['step']} steps"
        for title, points in curves.items()
    )
    return Markup(plots.plot_curves("curves", about, curves)) if curves else ""


def _picture(
    name: str, about: str, curves: Mapping[str, Points], key: str, axis: str, unit: float = 1
) -> Markup | str:
    panels = []
    for index, (title, points) in enumerate(curves.items()):
        told = [
            (float(point["step"]), float(point[key]) / unit) for point in points if point.get(key) is not None
        ]
        if len(told) > 1:
            panels.append(PlotPanel(title, [PlotLine(told, plots.COLOURS[index], smooth=True)]))
    return (
        Markup(plots.plot_lines(name, f"{about} over the optimiser steps.", panels, axis)) if panels else ""
    )


def _looks(run: RunSnapshot, looks: Mapping[str, Points]) -> Markup | str:
    """Draw bits per byte of both languages at each look, and say first and last in the sentence for listeners."""
    panels, told = [], []
    for title, points in looks.items():
        lines = []
        for tongue, colour in zip((run.taught, run.known), LANGUAGE_COLOURS, strict=True):
            seen = [
                (float(p["step"]), float(p["bits_per_byte"][tongue.code]))
                for p in points
                if tongue.code in p["bits_per_byte"]
            ]
            if seen:
                lines.append(PlotLine(seen, colour))
                told.append(f"{title}, {tongue.name}: {seen[0][1]:.3f} to {seen[-1][1]:.3f}")
        panels.append(PlotPanel(title, lines))
    about = "Bits per byte of held-out text while training. " + "; ".join(told)
    return Markup(plots.plot_lines("looks", about, panels, "bits per byte")) if panels else ""


def _samples(points: Points) -> list[dict[str, Any]]:
    """Return each prompt with what the model wrote at the first look, one in the middle and the last."""
    with_samples = [point for point in points if point.get("samples")]
    last = len(with_samples) - 1
    chosen = [
        with_samples[at]
        for at in sorted({round(last * part / (SHOWN_LOOKS - 1)) for part in range(SHOWN_LOOKS)})
    ]
    return [
        {
            "prompt": asked["prompt"],
            "written": {
                point["step"]: sample["text"]
                for point in chosen
                for sample in point["samples"]
                if sample["prompt"] == asked["prompt"]
            },
        }
        for asked in chosen[-1]["samples"]
    ]
