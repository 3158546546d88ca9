"""What a stage reports while it trains, and the reasons to stop early.

The rows and ids of a batch whose loss is not a number are kept in runtime/STEP/not-a-number.jsonl.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import TrainerCallback

from alif import console, store
from alif.errors import ModelError
from alif.runs import StepContext, curves
from alif.runs.curves import CurvePoint
from alif.settings import Stage
from alif.student import distributed
from alif.student.device import DeviceConfig
from alif.train import mfu
from alif.train.early_stopping import EarlyStopping
from alif.train.heldout_eval import HeldOutEval, evaluate_heldout
from alif.train.packing import PackedDataset
from alif.train.tracker import Tracker
from alif.train.weight_average import WeightAverage

__all__ = ["TrainingCallback"]


class TrainingCallback(TrainerCallback):
    """Writes the curve, evaluates on held-out text, and stops at a loss that is not a number."""

    def __init__(
        self,
        context: StepContext,
        dataset: PackedDataset,
        order: npt.NDArray[np.int64],
        stage: Stage,
        device: DeviceConfig,
        heldout: HeldOutEval | None,
        flops_per_token: float | None,
    ) -> None:
        self.context, self.dataset, self.order, self.stage = context, dataset, order, stage
        self.device, self.heldout, self.flops_per_token = device, heldout, flops_per_token
        self.path = context.scratch / curves.CURVE
        self.tracker = Tracker(context, stage)
        self.early_stopping = EarlyStopping(context, stage, heldout.taught if heldout else "")
        self.average = WeightAverage(None, 0.0)
        """That of the trainer, once there is one."""
        self.bar: console.Bar | None = None
        self.gradient_norm: float | None = None
        self.losses: list[torch.Tensor] = []
        """Of the forward passes of this step; they sum to the step's mean loss."""
        self.point: CurvePoint = {}
        self.tokens, self.since = 0, 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin, or go on, after `state.global_step` steps."""
        steps = state.global_step
        if distributed.is_main_process():
            self.tracker.begin(steps)
            curves.truncate_curve(self.path, steps)
            self.early_stopping.begin(steps)
        self.tokens = int(self.dataset.used[self.order[: steps * self.stage.batch_size]].sum())
        self.since = time.monotonic()
        if self.bar:
            self.bar.to(steps)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Check the loss before it can do harm."""
        loss = distributed.all_reduce_mean(sum(float(part) for part in self.losses))
        self.losses.clear()
        if not math.isfinite(loss):
            rows, names, name = self._rows(state.global_step), self.dataset.names, self.context.step
            path = self.context.scratch / "not-a-number.jsonl"
            batch = ((int(row), names[row], self.dataset.tokens[row].tolist()) for row in rows)
            store.write_rows(path, ({"row": row, "ids": ids, "tokens": some} for row, ids, some in batch))
            ids = list(dict.fromkeys(one for row in rows for one in names[row]))
            shown = ", ".join(ids[:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")
            raise ModelError(
                f"{name}: the loss is not a number at step {state.global_step + 1}, with {shown}",
                f"The batch is kept in {path}. Lower {name}.lr, or remove these rows if they are broken.",
            )
        lr = kwargs["optimizer"].param_groups[0]["lr"]
        self.point = {
            "step": state.global_step + 1, "loss": loss, "lr": lr, "gradient_norm": self.gradient_norm,
        }  # fmt: skip
        if take_margins := getattr(kwargs["model"], "take_margins", None):
            self.point |= take_margins()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write a point of the curve; evaluate where it is time; stop without an improvement."""
        self.average.update(state.global_step)
        tokens = int(self.dataset.used[self._rows(state.global_step - 1)].sum())
        rate = tokens / max(time.monotonic() - self.since, 1e-9)
        self.tokens += tokens
        self.point |= {"tokens": self.tokens, "tokens_per_s": round(rate, 1)}
        if self.device.device.type == "cuda":
            self.point["memory_gb"] = round(torch.cuda.max_memory_allocated(self.device.device) / 1e9, 2)
            if self.flops_per_token and (peak := mfu.peak_flops(self.device.device)):
                share = rate * self.flops_per_token / peak / distributed.world_size()
                self.point["peak_share"] = round(share, 4)
        if self.heldout and self.stage.eval_steps and state.global_step % self.stage.eval_steps == 0:
            learner, step = kwargs["model"], self.context.step
            with self.average.applied():
                self.point |= evaluate_heldout(learner, self.heldout, self.device)
                should_stop = self.early_stopping.should_stop(learner, self.point)
            values = ", ".join(f"{code} {bits:.3f}" for code, bits in self.point["bits_per_byte"].items())
            console.log(f"{step}: step {self.point['step']}, held-out bits per byte: {values}")
            if should_stop:
                patience = self.stage.early_stopping_patience
                console.log(
                    f"{step}: no improvement in {patience} evaluations; the best weights are restored"
                )
                control.should_training_stop = True
                control.should_save = False  # a checkpoint would be resumed from, and the stage go on
        if distributed.is_main_process():
            curves.append_point(self.path, self.point)
            self.tracker.log(self.point)
        if self.bar:
            self.bar.to(state.global_step, f"loss {self.point['loss']:.3f} {rate:,.0f} tokens/s")
        self.since = time.monotonic()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the tracker; what is kept is the average, where there is one."""
        self.average.apply()
        self.tracker.end()

    def _rows(self, step: int) -> npt.NDArray[np.int64]:
        return self.order[step * self.stage.batch_size : (step + 1) * self.stage.batch_size]
