"""One training loop for the tiny base and both stages: transformers' Trainer with our rows, loss, rates and checkpoints.

What makes it resume to the bit: the order of all rows is worked out before the first (`packs.order`); a checkpoint stands
between two optimiser steps, and holds weights, optimiser, schedule and random numbers. A kill in the middle of an accumulation
throws that accumulation away, and it is done again.

Several processes (`launch`) take turns with the forward passes of each step, so that a step is the same rows however many they
are, and its loss and gradient are the same but for rounding. What is written is put together first, and one of them writes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from alif import console, mirror, store
from alif.errors import ModelError, RecipeError
from alif.recipe import Stage
from alif.records import Table
from alif.runs import Given
from alif.student import attention, ranks, weights
from alif.student.adapter import causal
from alif.student.compiled import compiled
from alif.student.device import Place
from alif.train import checkpoints, speed
from alif.train.looks import Looks
from alif.train.loss import Learner
from alif.train.optimizers import optimizer_of
from alif.train.packs import Packs, Rows, collate, collate_trimmed, even, order
from alif.train.watch import Watch, curve, trained

__all__ = ["Outcome", "fit", "purpose"]

GRADIENT_NORM = 1.0
"""Gradients are clipped to it. Source: the default of transformers' Trainer, which the original kept."""
WEIGHTS, OPTIMIZER, SCHEDULER = "trained.safetensors", "optimizer.pt", "scheduler.pt"
"""Files of a checkpoint."""


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
    at_once = stage.rows_at_once * ranks.count()
    if stage.rows_per_step % at_once:
        each = f" on {ranks.count()} GPUs" if ranks.count() > 1 else ""
        raise RecipeError(
            f"{given.step}.rows_per_step = {stage.rows_per_step} is no multiple of rows_at_once = {stage.rows_at_once}{each}",
            "A step is whole forward passes, as many on each GPU: change one of them.",
        )
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
    with console.progress(given.step, steps, "steps") as bar, _attending(model, where), compiled(model, where, given.runtime):
        watch = Watch(given, packs, sequence, stage, bar)
        watch.looks, watch.where = looks, where
        watch.work = speed.flop_a_token(model, packs.labelled / max(1, int(packs.used.sum())), speed.text(packs))
        rows = Rows(packs, even(sequence, at_once) if ranks.count() > 1 else sequence)
        trainer = _trainer(model, rows, stage, watch, where, _arguments(stage, steps, folder, given, where))
        trainer.prepare(stage, folder, aim, watch)
        with _fitting(given, stage):
            trainer.train(resume_from_checkpoint=str(last) if last else None)
    steps = trainer.state.global_step
    if best := ranks.told(lambda: watch.best(steps)):
        _put(weights.read(best), trainer.model)
    losses = [row["loss"] for row in curve(watch.path, steps)]
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


class StageTrainer(Trainer):
    """transformers' Trainer with two learning rates and our checkpoints."""

    def prepare(self, stage: Stage, folder: Path, aim: str, watch: Watch) -> None:
        """Take what the Trainer's own constructor has no place for."""
        self.stage, self.folder, self.aim, self.watch = stage, folder, aim, watch

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Build AdamW; the embeddings have their own learning rate, and neither they nor vectors decay."""
        if self.optimizer is None:
            kind, more = optimizer_of(self.stage, self.args.device)
            self.optimizer = kind(_groups(self.model, self.stage), **more)
        return self.optimizer

    def training_step(self, model: torch.nn.Module, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        """Keep the loss of each forward pass."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        self.watch.losses.append(loss)
        return loss

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        norm = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]  # transformers has no types here
        self.watch.gradient_norm = float(ranks.whole(norm))
        return norm

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        state = {name: ranks.whole(weight.detach()) for name, weight in trained(self.model)}
        with contextlib.ExitStack() as block, weights.full_disk(self.folder):

            def begin() -> Path:
                checkpoints.room(self.folder, 4 * sum(weight.numel() * weight.element_size() for weight in state.values()))
                return block.enter_context(checkpoints.writing(self.folder, self.state.global_step, self.aim))

            partial = ranks.told(begin)
            weights.write(partial / WEIGHTS, state)
            self._save_optimizer_and_scheduler(str(partial))
            self._save_rng_state(str(partial))  # each process its own
            if ranks.first():
                self._save_scaler(str(partial))
                self.state.save_to_json(str(partial / "trainer_state.json"))
            ranks.wait()
        if ranks.first():
            self._mirror()

    def _mirror(self) -> None:
        """Copy the checkpoint and the curve to where the run is mirrored."""
        given, part = self.watch.given, self.folder.relative_to(self.watch.given.root).as_posix()
        for sent in (f"{part}/step-{self.state.global_step}", self.watch.path.relative_to(given.root).as_posix()):
            mirror.send(given.root, sent, given.runtime.mirror)
        mirror.forget(given.root, part, given.runtime.mirror)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        """Write the whole state, whoever holds which part of it."""
        optimizer, schedule = self._moving()
        state = ranks.whole(optimizer.state_dict())
        if ranks.first():
            torch.save(state, Path(output_dir) / OPTIMIZER)
            torch.save(schedule.state_dict(), Path(output_dir) / SCHEDULER)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Take from a whole state what this process holds."""
        if checkpoint is None:
            return
        optimizer, schedule = self._moving()
        saved = torch.load(Path(checkpoint) / OPTIMIZER, map_location="cpu", weights_only=True)
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        for number, moments in saved["state"].items():
            for name, value in moments.items():
                if value.shape == parameters[number].shape:
                    moments[name] = ranks.part(value, parameters[number])
        optimizer.load_state_dict(saved)
        schedule.load_state_dict(torch.load(Path(checkpoint) / SCHEDULER, weights_only=True))

    def _moving(self) -> tuple[torch.optim.Optimizer, Any]:
        assert self.optimizer is not None
        return self.optimizer, self.lr_scheduler

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        _put(weights.read(Path(resume_from_checkpoint) / WEIGHTS), self.model)


def _put(saved: Mapping[str, torch.Tensor], model: torch.nn.Module | None) -> None:
    with torch.no_grad():
        for name, weight in trained(model):
            weight.copy_(ranks.part(saved[name], weight))


def _groups(model: torch.nn.Module | None, stage: Stage) -> list[dict[str, Any]]:
    embeddings: list[torch.nn.Parameter] = []
    matrices: list[torch.nn.Parameter] = []
    vectors: list[torch.nn.Parameter] = []
    for name, parameter in trained(model):
        own = "embed_tokens" in name or "lm_head" in name
        (embeddings if own else matrices if parameter.ndim > 1 else vectors).append(parameter)
    groups = [
        {"params": matrices, "lr": stage.lr, "weight_decay": stage.weight_decay},
        {"params": vectors, "lr": stage.lr, "weight_decay": 0.0},
        {"params": embeddings, "lr": stage.embedding_lr, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
