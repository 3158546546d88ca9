"""What a stage tells while it trains: a line of its curve for each step, a moving bar, and a stop where going on is no use.

    runtime/pretrain/curve.jsonl
    {"step": 50, "loss": 3.1, "lr": 0.0002, "gradient_norm": 0.8, "tokens": 51020, "tokens_per_s": 9120.5, …}

`tokens` are useful ones, filler not counted. On a GPU `memory_gb` stands there too, the most so far, and `peak_share`, of the
arithmetic that the GPU's maker tells; at the steps of a look `bits_per_byte` and `samples`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from alif import console, mirror, store
from alif.errors import ModelError
from alif.recipe import Stage
from alif.runs import Given
from alif.student import ranks, weights
from alif.student.device import Place
from alif.train import checkpoints, speed
from alif.train.looks import Looks, look
from alif.train.loss import Learner
from alif.train.packs import Packs
from alif.train.tracker import Tracker

__all__ = ["Watch", "curve", "trained"]


class Watch(TrainerCallback):
    """Writes the curve, moves the bar, looks at held-out texts, and stops at a loss that is not a number."""

    def __init__(self, given: Given, packs: Packs, sequence: np.ndarray, stage: Stage, bar: console.Bar) -> None:
        self.given, self.packs, self.sequence, self.stage, self.bar = given, packs, sequence, stage, bar
        self.per_step = stage.rows_per_step
        self.path = given.scratch / "curve.jsonl"
        self.tracker = Tracker(given, stage)
        self.looks: Looks | None = None
        self.where: Place
        self.gradient_norm: float | None = None
        self.flop_a_token = 0.0
        self.losses: list[torch.Tensor] = []
        """Of the forward passes of the step at work; they sum to the step's mean loss."""
        self.row: dict[str, Any] = {}
        self.tokens = 0
        self.since = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin, or go on, after `state.global_step` steps."""
        if ranks.first():
            self.tracker.begin(state.global_step)
            store.write_rows(self.path, curve(self.path, state.global_step))
            for path in self._all_kept():
                if int(path.stem) > state.global_step:
                    path.unlink()  # of a training that was begun anew, or is behind its last look again
        self.tokens = int(self.packs.used[self.sequence[: state.global_step * self.per_step]].sum())
        self.since = time.monotonic()
        self.bar.to(state.global_step)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the loss before it can do harm."""
        loss = ranks.mean(sum(float(part) for part in self.losses))
        self.losses.clear()
        if not math.isfinite(loss):
            raise self._not_a_number(state.global_step)
        rate = kwargs["optimizer"].param_groups[0]["lr"]
        self.row = {"step": state.global_step + 1, "loss": loss, "lr": rate, "gradient_norm": self.gradient_norm}

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write a line of the curve; look at held-out texts where it is time; stop where they have long been no better."""
        now, seen = time.monotonic(), int(self.packs.used[self._rows(state.global_step - 1)].sum())
        rate = seen / max(now - self.since, 1e-9)
        self.tokens += seen
        self.row |= {"tokens": self.tokens, "tokens_per_s": round(rate, 1), **self._gpu(rate)}
        if self.looks and self.stage.look_steps and state.global_step % self.stage.look_steps == 0:
            self._look(kwargs["model"], control)
        if ranks.first():
            with store.disk(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.row, ensure_ascii=False) + "\n")
            self.tracker.log(self.row)
        self.bar.to(state.global_step, f"loss {self.row['loss']:.3f} {rate:,.0f} tokens/s")
        self.since = time.monotonic()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the tracker."""
        self.tracker.end()

    def best(self, steps: int) -> Path | None:
        """Return the file of the weights to go back to after `steps` steps, where the stage may stop early."""
        kept = {int(path.stem): path for path in self._all_kept() if self.stage.patience}
        found = [(bits, step) for step, bits in self._looked(steps) if step in kept]
        return kept[min(found)[1]] if found else None

    def _look(self, learner: Learner, control: Any) -> None:
        assert self.looks is not None
        self.row |= look(learner, self.looks, self.where)
        told = ", ".join(f"{language} {bits:.3f}" for language, bits in self.row["bits_per_byte"].items())
        console.note(f"{self.given.step}: step {self.row['step']}, held-out bits per byte: {told}")
        now = self.row["bits_per_byte"].get(self.looks.taught)
        if not self.stage.patience or now is None:
            return
        before = ranks.told(lambda: [bits for _, bits in self._looked(self.row["step"])])
        if now < min(before, default=math.inf):
            self._keep(learner)
        recent = [*before, now][-self.stage.patience :]
        if len(before) >= self.stage.patience and min(recent) >= min(before[: len(before) + 1 - self.stage.patience]):
            console.note(f"{self.given.step}: {self.stage.patience} looks without a better one; it takes its best weights")
            control.should_training_stop = True
            control.should_save = False  # a checkpoint would be resumed from, and the stage go on

    def _looked(self, steps: int) -> list[tuple[int, float]]:
        """Return (step, bits per byte of the taught language) of each look so far."""
        language = self.looks.taught if self.looks else ""
        rows = [row for row in curve(self.path, steps) if language in row.get("bits_per_byte", ())]
        return [(row["step"], row["bits_per_byte"][language]) for row in rows]

    def _keep(self, learner: Learner) -> None:
        """Keep the weights of the best look so far, here and where the run is mirrored."""
        path, given = self.given.scratch / checkpoints.BEST / f"{self.row['step']}.safetensors", self.given
        weights.write(path, dict(trained(learner)))
        if ranks.first():
            for old in self._all_kept()[:-2]:
                old.unlink()  # two are kept, like checkpoints: a resumed run may go back behind the last
            part = path.relative_to(given.root)
            mirror.send(given.root, part.as_posix(), given.runtime.mirror)
            mirror.forget(given.root, part.parent.as_posix(), given.runtime.mirror)

    def _all_kept(self) -> list[Path]:
        folder = self.given.scratch / checkpoints.BEST
        return sorted(folder.glob("*.safetensors"), key=lambda path: int(path.stem))

    def _gpu(self, rate: float) -> dict[str, float]:
        if self.where.device.type != "cuda":
            return {}
        told = {"memory_gb": round(torch.cuda.max_memory_allocated(self.where.device) / 1e9, 2)}
        most = speed.peak(self.where.device)
        return told | ({"peak_share": round(rate * self.flop_a_token / most / ranks.count(), 4)} if most else {})

    def _rows(self, step: int) -> np.ndarray:
        return self.sequence[step * self.per_step : (step + 1) * self.per_step]

    def _not_a_number(self, step: int) -> ModelError:
        rows = self._rows(step)
        path = self.given.scratch / "not-a-number.jsonl"
        store.write_rows(
            path, ({"row": int(r), "ids": self.packs.names[r], "tokens": self.packs.tokens[r].tolist()} for r in rows)
        )
        ids = list(dict.fromkeys(name for row in rows for name in self.packs.names[row]))
        shown = ", ".join(ids[:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")
        return ModelError(
            f"{self.given.step}: the loss is not a number at step {step + 1}, with {shown}",
            f"The batch is kept in {path}. Lower {self.given.step}.lr, or remove these rows if they are broken.",
        )


def trained(model: torch.nn.Module | None) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """Yield what is trained, by name; a tied matrix once."""
    named = model.named_parameters() if model is not None else ()
    return ((name, parameter) for name, parameter in named if parameter.requires_grad)


def curve(path: Path, steps: int) -> list[dict[str, Any]]:
    """Return the curve's rows up to `steps`; a kill may have left half a line at its end."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            break
        if row["step"] <= steps:
            rows.append(row)
    return rows
