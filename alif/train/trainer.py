"""One training loop for the tiny base and both stages: transformers' Trainer with our rows and loss.

It resumes bitwise: the order of all rows is fixed before the first step (`packing.sample_order`); a
checkpoint is taken between two optimizer steps, and holds weights, optimizer, schedule and random state. A
kill in the middle of an accumulation discards that accumulation, and it is done again.

Several processes (`launch`) share the forward passes of each step, so that a step is the same rows however
many they are, and its loss and gradient are the same but for rounding.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import TrainingArguments
from transformers.trainer_callback import PrinterCallback

from alif import console, store
from alif.cost.batch_layout import rows_per_pass
from alif.errors import ModelError
from alif.facts.training_facts import TrainingFacts
from alif.records import FrozenModel
from alif.runs import StepContext, curves
from alif.settings import Stage
from alif.student import distributed, weights
from alif.student.adapter import unwrap
from alif.student.compiled import compile_on_gpu
from alif.student.device import DeviceConfig
from alif.train import checkpoints, mfu
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
from alif.train.probe import choose_training_form, training_attention
from alif.train.stage_trainer import StageTrainer, load_trainable
from alif.train.training_callback import TrainingCallback

__all__ = ["checkpoint_key", "fit_model", "training_arguments"]

MAX_GRAD_NORM = 1.0
"""Source: the default of transformers' Trainer, which the original kept."""
SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def checkpoint_key(dataset: PackedDataset, *settings: FrozenModel, start: str) -> str:
    """Return a digest of what a checkpoint is for: these rows, these settings, these starting weights."""
    parts = [dataset.digest(), start, *(table.model_dump(mode="json") for table in settings)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def fit_model(
    model: torch.nn.Module,
    dataset: PackedDataset,
    stage: Stage,
    context: StepContext,
    *,
    device: DeviceConfig,
    key: str,
    order: npt.NDArray[np.int64] | None = None,
    heldout: HeldOutEval | None = None,
    learner: Callable[..., torch.nn.Module] = ChunkedLossModel,
) -> TrainingFacts:
    """Train what is trainable in `model`, from the last checkpoint of `key`, on rows in `order` or shuffled.

    Raises:
        ModelError: the loss is not a number (the batch is named), or not the base's own (`probe`).
        AlifError: the disk cannot hold a checkpoint.
    """
    at_once = rows_per_pass(context.step, stage, distributed.world_size())
    order = sample_order(len(dataset), stage.epochs, stage.seed) if order is None else order
    if not len(order):
        return TrainingFacts(steps=0, tokens=0, first_loss=None, last_loss=None)
    steps = math.ceil(len(order) / stage.batch_size)
    folder = context.scratch / checkpoints.FOLDER
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        last = distributed.broadcast_from_rank0(lambda: checkpoints.newest_checkpoint(folder, key))
    causal: Any = model
    with _friendly_memory_error(context, stage):
        if not context.runtime.fsdp:  # else only shards fit the device
            causal.to(device.device)
        form = choose_training_form(model, stage, device)
    model.train()
    if context.runtime.gradient_checkpointing:
        getattr(causal, "activation_checkpointing_enable", causal.gradient_checkpointing_enable)()
    labelled_share = dataset.labelled / max(1, int(dataset.used.sum()))
    flops = mfu.model_flops(model, labelled_share, mfu.mean_document_length(dataset))
    callback = TrainingCallback(context, dataset, order, stage, device, heldout, flops)
    with (
        console.progress_bar(context.step, steps, "steps") as callback.bar,
        _friendly_memory_error(context, stage),
        training_attention(model, form.attention),
        compile_on_gpu(model, device, context.runtime),
    ):
        rows = PackedRows(dataset, pad_to_multiple(order, at_once) if distributed.world_size() > 1 else order)
        arguments = training_arguments(stage, steps, folder, context, device)
        trainer = _build_trainer(learner(model, form.transform), rows, callback, arguments)
        trainer.configure(stage, folder, key, callback)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    steps = trainer.state.global_step
    if best := distributed.broadcast_from_rank0(lambda: callback.early_stopping.best_weights(steps)):
        load_trainable(weights.read_weights(best), trainer.model)
    losses = [point["loss"] for point in curves.read_curve(callback.path, steps)]
    tail = losses[-max(1, len(losses) // 10) :]
    return TrainingFacts(
        steps=steps,
        tokens=int(dataset.used[order[: steps * stage.batch_size]].sum()),
        first_loss=losses[0] if losses else None,
        last_loss=sum(tail) / len(tail) if tail else None,
    )


def _build_trainer(
    learner: Any, rows: PackedRows, callback: TrainingCallback, arguments: TrainingArguments
) -> StageTrainer:
    is_sharded = callback.context.runtime.fsdp and distributed.world_size() > 1
    if is_sharded:
        distributed.apply_fsdp(learner, unwrap(learner.model)._no_split_modules, callback.device.dtype)
    trainer = StageTrainer(
        model=learner,
        args=arguments,
        train_dataset=rows,
        data_collator=collate if callback.stage.packing == "packed" else collate_trimmed,
        callbacks=[callback],
    )
    trainer.remove_callback(PrinterCallback)
    if is_sharded:  # accelerate refuses FSDP2 on a CPU, where it is tested; it leaves alone what is prepared
        trainer.accelerator.prepare_model(learner, evaluation_mode=True)
        learner._is_accelerate_prepared = True
    return trainer


@contextlib.contextmanager
def _friendly_memory_error(context: StepContext, stage: Stage) -> Iterator[None]:
    """Turn a full GPU into a sentence with what helps, least harmful first."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        step, advice = context.step, []
        if stage.micro_batch_size > 1:
            advice.append(f"{step}.micro_batch_size = 1")
        if not context.runtime.gradient_checkpointing:
            advice.append("runtime.gradient_checkpointing = true")
        advice.append(f"{step}.max_seq_length = {stage.max_seq_length // 2} with twice the batch_size")
        raise ModelError(
            f"{step}: the GPU's memory is full ({str(error).partition('.')[0]})",
            f"Try {', then '.join(advice)}. `alif plan RECIPE --gpu NAME` shows in advance what fits.",
        ) from error


def training_arguments(
    stage: Stage, steps: int, folder: Path, context: StepContext, device: DeviceConfig
) -> TrainingArguments:
    """Return the Trainer's settings for `steps` steps; checkpoints go to `folder`."""
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,  # all epochs are in one order
        train_sampling_strategy="sequential",
        per_device_train_batch_size=stage.micro_batch_size,
        gradient_accumulation_steps=stage.batch_size // (stage.micro_batch_size * distributed.world_size()),
        learning_rate=stage.lr,
        lr_scheduler_type=SCHEDULES[stage.schedule],
        warmup_steps=min(stage.warmup_steps, steps // 10),
        max_grad_norm=MAX_GRAD_NORM,
        save_strategy="steps",
        save_steps=context.runtime.checkpoint_steps,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        log_level="error",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=device.device.type == "cuda",
        seed=stage.seed,
        use_cpu=device.device.type == "cpu",
        bf16=device.dtype == torch.bfloat16,
        fp16=device.dtype == torch.float16,
        ddp_find_unused_parameters=False,
    )
