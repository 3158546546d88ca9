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
from alif.cost.batch_layout import rows_per_pass
from alif.cost.flops import flops_per_token
from alif.errors import ModelError
from alif.records import FrozenModel
from alif.runs import StepContext
from alif.settings import Stage
from alif.student import attention, distributed, weights
from alif.student.adapter import unwrap
from alif.student.compiled import compile_blocks
from alif.student.device import DeviceConfig
from alif.train import checkpoints, mfu
from alif.runs import curves
from alif.train.heldout_eval import HeldOutEval
from alif.train.loss import ChunkedLossModel
from alif.train.packing import (
    PackedDataset,
    PackedRows,
    collate,
    collate_trimmed,
    pad_to_multiple,
    sample_order,
)
from alif.train.stage_trainer import StageTrainer, load_trainable
from alif.train.training_callback import TrainingCallback

__all__ = ["TrainOutcome", "checkpoint_key", "fit_model"]

GRADIENT_NORM = 1.0
"""Gradients are clipped to it. Source: the default of transformers' Trainer, which the original kept."""


@dataclass(frozen=True)
class TrainOutcome:
    """What a stage did. Losses are nats per labelled token."""

    steps: int
    tokens: int
    """Tokens seen, filler not counted."""
    first_loss: float | None
    last_loss: float | None
    """Mean of the last tenth of the steps."""

    def facts(self) -> dict[str, Any]:
        return {
            "steps": self.steps,
            "tokens": self.tokens,
            "first_loss": self.first_loss,
            "last_loss": self.last_loss,
        }


def checkpoint_key(packs: PackedDataset, *settings: FrozenModel, start: str) -> str:
    """Name what a checkpoint is for: these rows, these settings, these starting weights."""
    told = [packs.digest(), start, *(table.model_dump(mode="json") for table in settings)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def fit_model(
    model: torch.nn.Module,
    packs: PackedDataset,
    stage: Stage,
    context: StepContext,
    *,
    where: DeviceConfig,
    aim: str,
    looks: HeldOutEval | None = None,
) -> TrainOutcome:
    """Train what is trainable in `model`, from the last checkpoint made for `aim` if there is one.

    Raises:
        ModelError: the loss is not a number; the batch is named.
        AlifError: the disk cannot hold a checkpoint.
    """
    at_once = rows_per_pass(context.step, stage, distributed.world_size())
    sequence = sample_order(len(packs), stage.epochs, stage.seed)
    if not len(sequence):
        return TrainOutcome(0, 0, None, None)
    steps = math.ceil(len(sequence) / stage.batch_size)
    folder = context.scratch / checkpoints.FOLDER
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        last = distributed.broadcast_from_rank0(lambda: checkpoints.newest_checkpoint(folder, aim))
    model.train()
    if context.runtime.gradient_checkpointing:
        _recompute(model)
    with (
        console.progress_bar(context.step, steps, "steps") as bar,
        _fitting(context, stage),
        _attending(model, where),
        compile_blocks(model, where, context.runtime),
    ):
        watch = TrainingCallback(context, packs, sequence, stage, bar, where, looks)
        labelled = packs.labelled / max(1, int(packs.used.sum()))
        watch.flop_a_token = flops_per_token(mfu.linear_sizes(model), labelled, mfu.mean_document_length(packs))
        rows = PackedRows(
            packs, pad_to_multiple(sequence, at_once) if distributed.world_size() > 1 else sequence
        )
        trainer = _trainer(model, rows, stage, watch, where, _arguments(stage, steps, folder, context, where))
        trainer.prepare(stage, folder, aim, watch)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    steps = trainer.state.global_step
    if best := distributed.broadcast_from_rank0(lambda: watch.patience.best(steps)):
        load_trainable(weights.read_weights(best), trainer.model)
    losses = [row["loss"] for row in curves.read_curve(watch.path, steps)]
    tail = losses[-max(1, len(losses) // 10) :]
    mean = sum(tail) / len(tail) if tail else None
    seen = sequence[: steps * stage.batch_size]
    return TrainOutcome(steps, int(packs.used[seen].sum()), losses[0] if losses else None, mean)


def _trainer(
    model: torch.nn.Module,
    rows: PackedRows,
    stage: Stage,
    watch: TrainingCallback,
    where: DeviceConfig,
    arguments: TrainingArguments,
) -> StageTrainer:
    learner: Any = ChunkedLossModel(model)
    sharing = watch.context.runtime.fsdp and distributed.world_size() > 1
    if sharing:
        distributed.apply_fsdp(learner, unwrap(model)._no_split_modules, where.dtype)
    trainer = StageTrainer(
        model=learner,
        args=arguments,
        train_dataset=rows,
        data_collator=collate if stage.packing == "packed" else collate_trimmed,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    if sharing:  # accelerate refuses FSDP2 on a CPU, where it is tested: so it is ours, and accelerate leaves what is prepared
        trainer.accelerator.prepare_model(learner, evaluation_mode=True)
        learner._is_accelerate_prepared = True
    return trainer


@contextlib.contextmanager
def _attending(model: Any, where: DeviceConfig) -> Iterator[None]:
    """Let `model` attend by text, where that can be had, for the length of a block."""
    bare = unwrap(model)
    before = bare.config._attn_implementation
    bare.set_attn_implementation(attention.choose_attention(bare.config, where.device, where.dtype))
    for layer in bare.modules():
        if hasattr(layer, "cast_input_dtype_enabled"):
            layer.cast_input_dtype_enabled = (
                False  # PEFT would copy each input of LoRA to float32; autocast copies none
            )
    try:
        yield
    finally:
        bare.set_attn_implementation(before)
        for layer in bare.modules():
            if hasattr(layer, "cast_input_dtype_enabled"):
                layer.cast_input_dtype_enabled = True


@contextlib.contextmanager
def _fitting(context: StepContext, stage: Stage) -> Iterator[None]:
    """Tell in a sentence that the GPU's memory is full, and what helps, in the order of what it costs."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        cures = [] if stage.micro_batch_size == 1 else [f"{context.step}.rows_at_once = 1"]
        cures += [] if context.runtime.gradient_checkpointing else ["runtime.gradient_checkpointing = true"]
        cures.append(
            f"{context.step}.tokens_per_row = {stage.max_seq_length // 2} with twice the rows_per_step"
        )
        raise ModelError(
            f"{context.step}: the GPU's memory is full ({str(error).partition('.')[0]})",
            f"Try {', then '.join(cures)}. `alif check RECIPE --gpu NAME` tells what fits, before anything is spent.",
        ) from error


def _recompute(model: Any) -> None:
    """Have each block compute its inside again on the way back (runtime.gradient_checkpointing)."""
    getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()


def _arguments(
    stage: Stage, steps: int, folder: Path, context: StepContext, where: DeviceConfig
) -> TrainingArguments:
    schedules = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,  # all epochs stand in one list
        train_sampling_strategy="sequential",
        per_device_train_batch_size=stage.micro_batch_size,
        gradient_accumulation_steps=stage.batch_size // (stage.micro_batch_size * distributed.world_size()),
        learning_rate=stage.lr,
        lr_scheduler_type=schedules[stage.schedule],
        warmup_steps=min(stage.warmup_steps, steps // 10),
        max_grad_norm=GRADIENT_NORM,
        save_strategy="steps",
        save_steps=context.runtime.checkpoint_steps,
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
