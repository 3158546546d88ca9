"""Early stopping: the weights of the best looks are kept, and a stage whose looks have long been no better ends with them.

    runtime/pretrain/best/4.safetensors    what is trained, as it was at the look of step 4

What the looks saw stands in the curve, so that a stage that was killed, or goes on elsewhere, decides as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from alif.remote import backup
from alif.runs import StepContext
from alif.settings import Stage
from alif.student import distributed, weights
from alif.student.adapter import trainable_parameters
from alif.train import checkpoints
from alif.runs import curves

__all__ = ["EarlyStopping"]

KEPT = 2
"""Best weights kept: a resumed run may go back behind the last, as with checkpoints."""


class EarlyStopping:
    """Counts the looks at the taught language that were no better than one before; does nothing where `stage.patience` is 0."""

    def __init__(self, context: StepContext, stage: Stage, taught: str) -> None:
        self._context, self._looks, self._taught = context, stage.early_stopping_patience, taught
        self._curve, self._folder = context.scratch / curves.FILE, context.scratch / checkpoints.BEST

    def begin(self, steps: int) -> None:
        """Go on after `steps` steps: remove the weights of a training that was begun anew, or is behind its last look again."""
        for path in self._kept():
            if int(path.stem) > steps:
                path.unlink()

    def is_out(self, model: torch.nn.Module, row: Mapping[str, Any]) -> bool:
        """Keep the weights of `model` if the look in `row`, not yet in the curve, was the best; tell whether to stop here."""
        now = row["bits_per_byte"].get(self._taught)
        if not self._looks or now is None:
            return False
        before = distributed.broadcast_from_rank0(lambda: [bits for _, bits in self._seen(row["step"])])
        if now < min(before, default=math.inf):
            self._keep(model, row["step"])
        recent = [*before, now][-self._looks :]
        return len(before) >= self._looks and min(recent) >= min(before[: len(before) + 1 - self._looks])

    def best(self, steps: int) -> Path | None:
        """Return the file of the weights to go back to after `steps` steps."""
        kept = {int(path.stem): path for path in self._kept() if self._looks}
        found = [(bits, step) for step, bits in self._seen(steps) if step in kept]
        return kept[min(found)[1]] if found else None

    def _seen(self, steps: int) -> list[tuple[int, float]]:
        """Return (step, bits per byte of the taught language) of each look so far."""
        rows = [
            row
            for row in curves.read_curve(self._curve, steps)
            if self._taught in row.get("bits_per_byte", ())
        ]
        return [(row["step"], row["bits_per_byte"][self._taught]) for row in rows]

    def _keep(self, model: torch.nn.Module, step: int) -> None:
        """Keep the weights of the best look so far, here and where the run is mirrored."""
        path, context = self._folder / f"{step}.safetensors", self._context
        weights.write_weights(path, dict(trainable_parameters(model)))
        if distributed.is_main_process():
            for old in self._kept()[:-KEPT]:
                old.unlink()
            name = f"{context.run}/runtime/{context.step}/{path.relative_to(context.scratch).as_posix()}"
            backup.upload_path(path, name, context.runtime.backup)
            backup.prune_backup(path.parent, name.rpartition("/")[0], context.runtime.backup)

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob("*.safetensors"), key=lambda path: int(path.stem))
