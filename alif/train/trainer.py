"""One training loop for the tiny base and both stages: transformers' Trainer with our rows, loss, rates and checkpoints.

What makes it resume to the bit: the order of all rows is worked out before the first (`packs.order`); a checkpoint stands
between two optimiser steps, and holds weights, optimiser, schedule and random numbers. A kill in the middle of an accumulation
throws that accumulation away, and it is done again.

Several processes (`launch`) take turns with the forward passes of each step, so that a step is the same rows however many they
are, and its loss and gradient are the same but for rounding.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments
from transformers.trainer_callback import PrinterCallback

from alif import console, store
from alif.errors import ModelError
from alif.recipe import Stage
from alif.records import Table
from alif.runs import Given
from alif.student import attention, ranks, weights
from alif.student.adapter import causal
from alif.student.compiled import compiled
from alif.student.device import Place
from alif.train import checkpoints, curve, speed
from alif.train.looks import Looks
from alif.train.loss import Learner
from alif.train.packs import Packs, Rows, collate, collate_trimmed, even, order
from alif.train.stage_trainer import StageTrainer, put
from alif.train.together import rows_at_once
from alif.train.watch import Watch
from alif.train.work import flop_a_token

__all__ = ["Outcome", "fit", "purpose"]

GRADIENT_NORM = 1.0
"""Gradients are clipped to it. Source: the default of transformers' Trainer, which the original kept."""


@dataclass(frozen=True)
class Outcome:
    """What a stage did. Losses are nats per labelled token."""

    steps: int
    tokens: int
    """Tokens seen, filler not counted."""
    first_loss: float | None
    last_loss: float | None
    """Mean of the last tenth of the steps."""

    def facts(self) -> dict[str, Any]:
        return {"steps": self.steps, "tokens": self.tokens, "first_loss": self.first_loss, "last_loss": self.last_loss}


def purpose(packs: Packs, *settings: Table, start: str) -> str:
    """Name what a checkpoint is for: these rows, these settings, these starting weights."""
    told = [packs.digest(), start, *(table.model_dump(mode="json") for table in settings)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def fit(
    model: torch.nn.Module, packs: Packs, stage: Stage, given: Given, *, where: Place, aim: str, looks: Looks | None = None
) -> Outcome:
    """Train what is trainable in `model`, from the last checkpoint made for `aim` if there is one.

    Raises:
        ModelError: the loss is not a number; the batch is named.
        AlifError: the disk cannot hold a checkpoint.
    """
    at_once = rows_at_once(given.step, stage, ranks.count())
    sequence = order(len(packs), stage.epochs, stage.seed)
    if not len(sequence):
        return Outcome(0, 0, None, None)
    steps = math.ceil(len(sequence) / stage.rows_per_step)
    folder = given.scratch / checkpoints.FOLDER
    with store.disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        last = ranks.told(lambda: checkpoints.newest(folder, aim))
    model.train()
    if given.runtime.recompute:
        _recompute(model)
    with (
        console.progress(given.step, steps, "steps") as bar,
        _fitting(given, stage),
        _attending(model, where),
        compiled(model, where, given.runtime),
    ):
        watch = Watch(given, packs, sequence, stage, bar, where, looks)
        labelled = packs.labelled / max(1, int(packs.used.sum()))
        watch.flop_a_token = flop_a_token(speed.sizes(model), labelled, speed.text(packs))
        rows = Rows(packs, even(sequence, at_once) if ranks.count() > 1 else sequence)
        trainer = _trainer(model, rows, stage, watch, where, _arguments(stage, steps, folder, given, where))
        trainer.prepare(stage, folder, aim, watch)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    steps = trainer.state.global_step
    if best := ranks.told(lambda: watch.patience.best(steps)):
        put(weights.read(best), trainer.model)
    losses = [row["loss"] for row in curve.read(watch.path, steps)]
    tail = losses[-max(1, len(losses) // 10) :]
    mean = sum(tail) / len(tail) if tail else None
    seen = sequence[: steps * stage.rows_per_step]
    return Outcome(steps, int(packs.used[seen].sum()), losses[0] if losses else None, mean)


def _trainer(
    model: torch.nn.Module, rows: Rows, stage: Stage, watch: Watch, where: Place, arguments: TrainingArguments
) -> StageTrainer:
    learner: Any = Learner(model)
    sharing = watch.given.runtime.shard and ranks.count() > 1
    if sharing:
        ranks.share_out(learner, causal(model)._no_split_modules, where.dtype)
    trainer = StageTrainer(
        model=learner,
        args=arguments,
        train_dataset=rows,
        data_collator=collate if stage.layout == "packed" else collate_trimmed,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    if sharing:  # accelerate refuses FSDP2 on a CPU, where it is tested: so it is ours, and accelerate leaves what is prepared
        trainer.accelerator.prepare_model(learner, evaluation_mode=True)
        learner._is_accelerate_prepared = True
    return trainer


@contextlib.contextmanager
def _attending(model: Any, where: Place) -> Iterator[None]:
    """Let `model` attend by text, where that can be had, for the length of a block."""
    bare = causal(model)
    before = bare.config._attn_implementation
    bare.set_attn_implementation(attention.choose(bare.config, where.device, where.dtype))
    for layer in bare.modules():
        if hasattr(layer, "cast_input_dtype_enabled"):
            layer.cast_input_dtype_enabled = False  # PEFT would copy each input of LoRA to float32; autocast copies none
    try:
        yield
    finally:
        bare.set_attn_implementation(before)
        for layer in bare.modules():
            if hasattr(layer, "cast_input_dtype_enabled"):
                layer.cast_input_dtype_enabled = True


@contextlib.contextmanager
def _fitting(given: Given, stage: Stage) -> Iterator[None]:
    """Tell in a sentence that the GPU's memory is full, and what helps, in the order of what it costs."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        cures = [] if stage.rows_at_once == 1 else [f"{given.step}.rows_at_once = 1"]
        cures += [] if given.runtime.recompute else ["runtime.recompute = true"]
        cures.append(f"{given.step}.tokens_per_row = {stage.tokens_per_row // 2} with twice the rows_per_step")
        raise ModelError(
            f"{given.step}: the GPU's memory is full ({str(error).partition('.')[0]})",
            f"Try {', then '.join(cures)}. `alif check RECIPE --gpu NAME` tells what fits, before anything is spent.",
        ) from error


def _recompute(model: Any) -> None:
    """Have each block compute its inside again on the way back (runtime.recompute)."""
    getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()


def _arguments(stage: Stage, steps: int, folder: Path, given: Given, where: Place) -> TrainingArguments:
    schedules = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,  # all epochs stand in one list
        train_sampling_strategy="sequential",
        per_device_train_batch_size=stage.rows_at_once,
        gradient_accumulation_steps=stage.rows_per_step // (stage.rows_at_once * ranks.count()),
        learning_rate=stage.lr,
        lr_scheduler_type=schedules[stage.schedule],
        warmup_steps=min(stage.warmup_steps, steps // 10),
        max_grad_norm=GRADIENT_NORM,
        save_strategy="steps",
        save_steps=given.runtime.checkpoint_steps,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        log_level="error",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=where.device.type == "cuda",
        seed=stage.seed,
        use_cpu=where.device.type == "cpu",
        bf16=where.dtype == torch.bfloat16,
        fp16=where.dtype == torch.float16,
        ddp_find_unused_parameters=False,
    )
