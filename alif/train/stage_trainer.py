"""transformers' Trainer with two learning rates, and checkpoints of ours that any number of processes can go on from.

    step-50/  trained.safetensors  optimizer.pt  scheduler.pt  rng_state.pth  trainer_state.json  whole.json

Of several processes (`ranks`) each may hold a part of every weight. What is written is put together first, and one writes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer

from alif import store
from alif.remote import backup
from alif.settings import Stage
from alif.student import distributed, weights
from alif.student.adapter import trainable_parameters
from alif.train import checkpoints
from alif.train.optimizers import build_optimizer
from alif.train.training_callback import TrainingCallback

__all__ = ["StageTrainer", "load_trainable"]

WEIGHTS, OPTIMIZER, SCHEDULER = "trained.safetensors", "optimizer.pt", "scheduler.pt"
"""Files of a checkpoint."""


class StageTrainer(Trainer):
    """transformers' Trainer with two learning rates and our checkpoints."""

    def prepare(self, stage: Stage, folder: Path, aim: str, watch: TrainingCallback) -> None:
        """Take what the Trainer's own constructor has no place for."""
        self.stage, self.folder, self.aim, self.watch = stage, folder, aim, watch

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Build AdamW; the embeddings have their own learning rate, and neither they nor vectors decay."""
        if self.optimizer is None:
            kind, more = build_optimizer(self.stage, self.args.device)
            self.optimizer = kind(_groups(self.model, self.stage), **more)
        return self.optimizer

    def training_step(
        self, model: torch.nn.Module, inputs: Any, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Keep the loss of each forward pass."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        self.watch.losses.append(loss)
        return loss

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        norm = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]  # transformers has no types here
        self.watch.gradient_norm = float(distributed.gather_tensor(norm))
        return norm

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        state = {
            name: distributed.gather_tensor(weight.detach())
            for name, weight in trainable_parameters(self.model)
        }
        with contextlib.ExitStack() as block, weights.friendly_disk_errors(self.folder):

            def begin() -> Path:
                checkpoints.require_checkpoint_space(
                    self.folder, 4 * sum(weight.numel() * weight.element_size() for weight in state.values())
                )
                return block.enter_context(
                    checkpoints.write_checkpoint(self.folder, self.state.global_step, self.aim)
                )

            partial = distributed.broadcast_from_rank0(begin)
            weights.write_weights(partial / WEIGHTS, state)
            if distributed.is_main_process():
                store.fsync(
                    self.watch.path
                )  # a checkpoint without its part of the curve would end with other facts
            self._save_optimizer_and_scheduler(str(partial))
            self._save_rng_state(str(partial))  # each process its own
            if distributed.is_main_process():
                self._save_scaler(str(partial))
                self.state.save_to_json(str(partial / "trainer_state.json"))
            distributed.barrier()
        if distributed.is_main_process():
            self._mirror()

    def _mirror(self) -> None:
        """Copy the checkpoint and the curve to where the run is mirrored."""
        context = self.watch.context
        for path in (self.folder / f"step-{self.state.global_step}", self.watch.path):
            name = f"{context.run}/runtime/{context.step}/{path.relative_to(context.scratch).as_posix()}"
            backup.upload_path(path, name, context.runtime.backup)
        folder = f"{context.run}/runtime/{context.step}/{self.folder.relative_to(context.scratch).as_posix()}"
        backup.prune_backup(self.folder, folder, context.runtime.backup)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        """Write the whole state, whoever holds which part of it."""
        optimizer, schedule = self._moving()
        state = distributed.gather_tensor(optimizer.state_dict())
        if distributed.is_main_process():
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
                    moments[name] = distributed.shard_like(value, parameters[number])
        optimizer.load_state_dict(saved)
        schedule.load_state_dict(torch.load(Path(checkpoint) / SCHEDULER, weights_only=True))

    def _moving(self) -> tuple[torch.optim.Optimizer, Any]:
        assert self.optimizer is not None
        return self.optimizer, self.lr_scheduler

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: torch.nn.Module | None = None
    ) -> None:
        load_trainable(weights.read_weights(Path(resume_from_checkpoint) / WEIGHTS), self.model)


def load_trainable(saved: Mapping[str, torch.Tensor], model: torch.nn.Module | None) -> None:
    """Set what is trained in `model` to `saved`, by name."""
    with torch.no_grad():
        for name, weight in trainable_parameters(model):
            weight.copy_(distributed.shard_like(saved[name], weight))


def _groups(model: torch.nn.Module | None, stage: Stage) -> list[dict[str, Any]]:
    embeddings: list[torch.nn.Parameter] = []
    matrices: list[torch.nn.Parameter] = []
    vectors: list[torch.nn.Parameter] = []
    for name, parameter in trainable_parameters(model):
        own = "embed_tokens" in name or "lm_head" in name
        (embeddings if own else matrices if parameter.ndim > 1 else vectors).append(parameter)
    groups = [
        {"params": matrices, "lr": stage.lr, "weight_decay": stage.weight_decay},
        {"params": vectors, "lr": stage.lr, "weight_decay": 0.0},
        {"params": embeddings, "lr": stage.embedding_lr, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
