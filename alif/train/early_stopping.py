"""Early stopping on held-out bits per byte of the taught language; restores the best weights.

    runtime/pretrain/best/4.safetensors    what is trained, as it was at the evaluation of step 4

The values are read from the curve, so a stage that was killed, or goes on elsewhere, decides as if it had not
been. transformers' own EarlyStoppingCallback keeps its state in checkpoints, of which only the last two are
here.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch

from alif.runs import StepContext, curves
from alif.runs.curves import CurvePoint
from alif.settings import Stage
from alif.student import distributed, weights
from alif.student.adapter import trainable_parameters
from alif.train import checkpoints

__all__ = ["EarlyStopping"]

KEPT = 2
"""Best weights kept: a resumed run may go back behind the last, as with checkpoints."""


class EarlyStopping:
    """Counts evaluations without an improvement; does nothing where `early_stopping_patience` is 0."""

    def __init__(self, context: StepContext, stage: Stage, taught: str) -> None:
        self.context, self.patience, self.taught = context, stage.early_stopping_patience, taught
        self.curve, self.folder = context.scratch / curves.CURVE, context.scratch / checkpoints.BEST

    def begin(self, steps: int) -> None:
        """Go on after `steps` steps: remove weights of steps that are trained again."""
        for step, path in self._saved().items():
            if step > steps:
                path.unlink()

    def should_stop(self, model: torch.nn.Module, point: CurvePoint) -> bool:
        """Save the weights of `model` if `point`, not yet in the curve, is the best; tell whether to stop."""
        now = point["bits_per_byte"].get(self.taught)
        if not self.patience or now is None:
            return False
        before = distributed.broadcast_from_rank0(lambda: [bits for bits, _ in self._history(point["step"])])
        if now < min(before, default=math.inf):
            path = self.folder / f"{point['step']}.safetensors"
            weights.write_weights(path, dict(trainable_parameters(model)))
            if distributed.is_main_process():
                for step in list(self._saved())[:-KEPT]:
                    self._saved()[step].unlink()
                checkpoints.upload_checkpoint(self.context, path)
        recent = [*before, now][-self.patience :]
        earlier = before[: len(before) + 1 - self.patience]
        return len(before) >= self.patience and min(recent) >= min(earlier)

    def best_weights(self, steps: int) -> Path | None:
        """Return the file of the weights to restore after `steps` steps."""
        saved = self._saved() if self.patience else {}
        found = [(bits, step) for bits, step in self._history(steps) if step in saved]
        return saved[min(found)[1]] if found else None

    def _history(self, steps: int) -> list[tuple[float, int]]:
        """Return (bits per byte of the taught language, step) of each evaluation so far."""
        points = curves.read_curve(self.curve, steps)
        return [
            (point["bits_per_byte"][self.taught], point["step"])
            for point in points
            if self.taught in point.get("bits_per_byte", ())
        ]

    def _saved(self) -> dict[int, Path]:
        """Return the files of saved weights by step, in order."""
        return dict(sorted((int(path.stem), path) for path in self.folder.glob("*.safetensors")))
