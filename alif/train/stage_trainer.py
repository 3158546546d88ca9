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

from alif import mirror, store
from alif.recipe import Stage
from alif.student import ranks, weights
from alif.student.adapter import trained
from alif.train import checkpoints
from alif.train.optimizers import optimizer_of
from alif.train.watch import Watch

__all__ = ["StageTrainer", "put"]

WEIGHTS, OPTIMIZER, SCHEDULER = "trained.safetensors", "optimizer.pt", "scheduler.pt"
"""Files of a checkpoint."""


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
            if ranks.first():
                store.flush(self.watch.path)  # a checkpoint without its part of the curve would end with other facts
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
        put(weights.read(Path(resume_from_checkpoint) / WEIGHTS), self.model)


def put(saved: Mapping[str, torch.Tensor], model: torch.nn.Module | None) -> None:
    """Set what is trained in `model` to `saved`, by name."""
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
