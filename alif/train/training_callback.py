"""What a stage tells while it trains: a line of its curve for each step, a moving bar, and a stop where going on is no use.

The rows and ids of a batch whose loss is not a number are kept in runtime/STEP/not-a-number.jsonl.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from alif import console, store
from alif.errors import ModelError
from alif.runs import StepContext
from alif.settings import Stage
from alif.student import distributed
from alif.student.device import DeviceConfig
from alif.runs import curves
from alif.train import mfu
from alif.train.early_stopping import EarlyStopping
from alif.train.heldout_eval import HeldOutEval, evaluate_heldout
from alif.train.loss import ChunkedLossModel
from alif.train.packing import PackedDataset
from alif.train.tracker import Tracker

__all__ = ["TrainingCallback"]


class TrainingCallback(TrainerCallback):
    """Writes the curve, moves the bar, looks at held-out texts, and stops at a loss that is not a number."""

    def __init__(
        self,
        context: StepContext,
        packs: PackedDataset,
        sequence: np.ndarray,
        stage: Stage,
        bar: console.Bar,
        where: DeviceConfig,
        looks: HeldOutEval | None,
    ) -> None:
        self.context, self.packs, self.sequence, self.stage, self.bar = context, packs, sequence, stage, bar
        self.where, self.looks = where, looks
        self.per_step = stage.batch_size
        self.path = context.scratch / curves.FILE
        self.tracker = Tracker(context, stage)
        self.patience = EarlyStopping(context, stage, looks.taught if looks else "")
        self.gradient_norm: float | None = None
        self.flop_a_token = 0.0
        self.losses: list[torch.Tensor] = []
        """Of the forward passes of the step at work; they sum to the step's mean loss."""
        self.row: dict[str, Any] = {}
        self.tokens = 0
        self.since = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin, or go on, after `state.global_step` steps."""
        if distributed.is_main_process():
            self.tracker.begin(state.global_step)
            curves.truncate_curve(self.path, state.global_step)
            self.patience.begin(state.global_step)
        self.tokens = int(self.packs.used[self.sequence[: state.global_step * self.per_step]].sum())
        self.since = time.monotonic()
        self.bar.to(state.global_step)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the loss before it can do harm."""
        loss = distributed.all_reduce_mean(sum(float(part) for part in self.losses))
        self.losses.clear()
        if not math.isfinite(loss):
            raise self._not_a_number(state.global_step)
        rate = kwargs["optimizer"].param_groups[0]["lr"]
        self.row = {
            "step": state.global_step + 1,
            "loss": loss,
            "lr": rate,
            "gradient_norm": self.gradient_norm,
        }

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write a line of the curve; look at held-out texts where it is time; stop where they have long been no better."""
        now, seen = time.monotonic(), int(self.packs.used[self._rows(state.global_step - 1)].sum())
        rate = seen / max(now - self.since, 1e-9)
        self.tokens += seen
        self.row |= {"tokens": self.tokens, "tokens_per_s": round(rate, 1), **self._gpu(rate)}
        if self.looks and self.stage.eval_steps and state.global_step % self.stage.eval_steps == 0:
            self._look(kwargs["model"], control)
        if distributed.is_main_process():
            curves.append_point(self.path, self.row)
            self.tracker.log(self.row)
        self.bar.to(state.global_step, f"loss {self.row['loss']:.3f} {rate:,.0f} tokens/s")
        self.since = time.monotonic()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the tracker."""
        self.tracker.end()

    def _look(self, learner: ChunkedLossModel, control: Any) -> None:
        assert self.looks is not None
        self.row |= evaluate_heldout(learner, self.looks, self.where)
        told = ", ".join(f"{language} {bits:.3f}" for language, bits in self.row["bits_per_byte"].items())
        console.log(f"{self.context.step}: step {self.row['step']}, held-out bits per byte: {told}")
        if self.patience.is_out(learner, self.row):
            console.log(
                f"{self.context.step}: {self.stage.early_stopping_patience} looks without a better one; it takes its best weights"
            )
            control.should_training_stop = True
            control.should_save = False  # a checkpoint would be resumed from, and the stage go on

    def _gpu(self, rate: float) -> dict[str, float]:
        if self.where.device.type != "cuda":
            return {}
        told = {"memory_gb": round(torch.cuda.max_memory_allocated(self.where.device) / 1e9, 2)}
        most = mfu.peak_flops(self.where.device)
        return told | (
            {"peak_share": round(rate * self.flop_a_token / most / distributed.world_size(), 4)}
            if most
            else {}
        )

    def _rows(self, step: int) -> np.ndarray:
        return self.sequence[step * self.per_step : (step + 1) * self.per_step]

    def _not_a_number(self, step: int) -> ModelError:
        rows = self._rows(step)
        path = self.context.scratch / "not-a-number.jsonl"
        store.write_rows(
            path,
            (
                {"row": int(r), "ids": self.packs.names[r], "tokens": self.packs.tokens[r].tolist()}
                for r in rows
            ),
        )
        ids = list(dict.fromkeys(name for row in rows for name in self.packs.names[row]))
        shown = ", ".join(ids[:4]) + (f" and {len(ids) - 4} more" if len(ids) > 4 else "")
        return ModelError(
            f"{self.context.step}: the loss is not a number at step {step + 1}, with {shown}",
            f"The batch is kept in {path}. Lower {self.context.step}.lr, or remove these rows if they are broken.",
        )
