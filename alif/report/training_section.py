"""The page's part on training: loss, speed, gradients, memory, held-out bits per byte, generated samples.

All of it is in runtime/STEP/curve.jsonl, a line a step, so `alif report RUN` shows a running training too.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from alif.report import plots
from alif.report.plots import PlotLine
from alif.report.snapshot import RunSnapshot
from alif.runs.curves import CurvePoint

__all__ = ["TrainingSection", "training_section"]

Field = Literal["loss", "tokens_per_s", "gradient_norm"]
Curves = Mapping[str, Sequence[CurvePoint]]
Samples = Mapping[str, Mapping[int, str]]
"""What the model in training wrote after each prompt, by step."""
TITLES = {
    "base": "base",
    "pretrain": "stage 1: text",
    "finetune": "stage 2: instructions",
    "prefer": "stage 3: pairs",
}
"""Of the steps that train."""
SHOWN_EVALUATIONS = 3
"""Evaluations whose samples stand side by side: the first, the last and one between."""
LANGUAGE_COLOURS = ("one", "two")
"""Of the target and of the source language."""


@dataclass(frozen=True)
class TrainingSection:
    """Figures, table and samples of all trainings of a run."""

    rows: Mapping[str, Mapping[str, float | None]]
    columns: Sequence[str]
    """Those that any row has a value for."""
    loss: Markup
    speed: Markup
    gradients: Markup
    heldout: Markup
    legend: Sequence[tuple[str, str, str]]
    samples: Mapping[str, Samples]


def training_section(run: RunSnapshot) -> TrainingSection:
    """Return the page's part on training."""
    curves = {TITLES[step]: points for step, points in run.curves.items() if len(points) > 1}
    rows = {title: _table_row(points) for title, points in curves.items()}
    columns = [
        key for key in next(iter(rows.values()), {}) if any(row[key] is not None for row in rows.values())
    ]
    evaluated = {
        title: [point for point in points if point.get("bits_per_byte")] for title, points in curves.items()
    }
    evaluated = {title: points for title, points in evaluated.items() if points}
    losses = (
        f"{title}: loss from {first['loss']:.2f} to {last['loss']:.2f} in {last['step']} steps"
        for title, (first, *_, last) in curves.items()
    )
    return TrainingSection(
        rows=rows,
        columns=columns,
        loss=_plot_smooth("curves", "; ".join(losses), curves, "loss", "loss, nats per token"),
        speed=_plot_smooth(
            "speed", "Useful tokens per second", curves, "tokens_per_s", "1,000 tokens/s", 1000
        ),
        gradients=_plot_smooth(
            "gradients", "Gradient norm before clipping", curves, "gradient_norm", "gradient norm"
        ),
        heldout=_plot_heldout(run, evaluated),
        legend=[
            (language.name, colour, mark)
            for language, colour, mark in zip((run.target, run.source), LANGUAGE_COLOURS, "●■", strict=True)
        ],
        samples={
            title: _pick_samples(points) for title, points in evaluated.items() if points[-1].get("samples")
        },
    )


def _table_row(points: Sequence[CurvePoint]) -> dict[str, float | None]:
    """Return a training's row of the table; memory and utilisation are measured on a GPU alone."""
    speeds = [point["tokens_per_s"] for point in points if "tokens_per_s" in point]
    norms = [norm for point in points if (norm := point.get("gradient_norm")) is not None]
    shares = [point["peak_share"] for point in points if "peak_share" in point]
    return {
        "steps": points[-1]["step"],
        "useful tokens": points[-1].get("tokens"),
        "tokens/s": round(statistics.median(speeds)) if speeds else None,
        "loss": points[-1]["loss"],
        "gradient norm": statistics.median(norms) if norms else None,
        "largest": max(norms, default=None),
        "GPU memory, GB": max((point["memory_gb"] for point in points if "memory_gb" in point), default=None),
        "% of peak FLOPS": 100 * statistics.median(shares) if shares else None,
        "margin": points[-1].get("margin"),
        "% preferred": 100 * points[-1]["preferred"] if "preferred" in points[-1] else None,
    }


def _plot_smooth(name: str, about: str, curves: Curves, field: Field, axis: str, unit: float = 1) -> Markup:
    """Plot a field of the curve over the optimizer steps, a panel for each training."""
    panels = {}
    for (title, points), colour in zip(curves.items(), plots.COLOURS, strict=False):
        line = [
            (float(point["step"]), value / unit)
            for point in points
            if (value := point.get(field)) is not None
        ]
        if len(line) > 1:
            panels[title] = [PlotLine(line, colour, smooth=True)]
    return plots.plot_lines(name, about, panels, axis)


def _plot_heldout(run: RunSnapshot, evaluated: Curves) -> Markup:
    """Plot bits per byte of both languages over the steps; the label names first and last values."""
    panels, changes = {}, []
    for title, points in evaluated.items():
        lines = []
        for language, colour in zip((run.target, run.source), LANGUAGE_COLOURS, strict=True):
            code = language.code
            line = [
                (float(point["step"]), point["bits_per_byte"][code])
                for point in points
                if code in point["bits_per_byte"]
            ]
            if line:
                lines.append(PlotLine(line, colour))
                changes.append(f"{title}, {language.name}: {line[0][1]:.3f} to {line[-1][1]:.3f}")
        panels[title] = lines
    about = "Bits per byte of held-out text while training. " + "; ".join(changes)
    return plots.plot_lines("heldout", about, panels, "bits per byte")


def _pick_samples(points: Sequence[CurvePoint]) -> Samples:
    """Return each prompt with what the model wrote at the first, a middle and the last evaluation."""
    sampled = [point for point in points if point.get("samples")]
    last = len(sampled) - 1
    places = sorted({round(last * part / (SHOWN_EVALUATIONS - 1)) for part in range(SHOWN_EVALUATIONS)})
    by_prompt: dict[str, dict[int, str]] = {sample["prompt"]: {} for sample in sampled[-1]["samples"]}
    for place in places:
        for sample in sampled[place]["samples"]:
            if sample["prompt"] in by_prompt:
                by_prompt[sample["prompt"]][sampled[place]["step"]] = sample["text"]
    return by_prompt
