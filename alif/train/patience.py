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

from alif import mirror
from alif.recipe import Stage
from alif.runs import Given
from alif.student import ranks, weights
from alif.student.adapter import trained
from alif.train import checkpoints, curve

__all__ = ["Patience"]

KEPT = 2
"""Best weights kept: a resumed run may go back behind the last, as with checkpoints."""


class Patience:
    """Counts the looks at the taught language that were no better than one before; does nothing where `stage.patience` is 0."""

    def __init__(self, given: Given, stage: Stage, taught: str) -> None:
        self._given, self._looks, self._taught = given, stage.patience, taught
        self._curve, self._folder = given.scratch / curve.FILE, given.scratch / checkpoints.BEST

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
        before = ranks.told(lambda: [bits for _, bits in self._seen(row["step"])])
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
        rows = [row for row in curve.read(self._curve, steps) if self._taught in row.get("bits_per_byte", ())]
        return [(row["step"], row["bits_per_byte"][self._taught]) for row in rows]

    def _keep(self, model: torch.nn.Module, step: int) -> None:
        """Keep the weights of the best look so far, here and where the run is mirrored."""
        path, given = self._folder / f"{step}.safetensors", self._given
        weights.write(path, dict(trained(model)))
        if ranks.first():
            for old in self._kept()[:-KEPT]:
                old.unlink()
            part = path.relative_to(given.root)
            mirror.send(given.root, part.as_posix(), given.runtime.mirror)
            mirror.forget(given.root, part.parent.as_posix(), given.runtime.mirror)

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob("*.safetensors"), key=lambda path: int(path.stem))
