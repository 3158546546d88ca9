"""transformers' Trainer with two learning rates, and checkpoints for any number of processes.

    step-50/  trained.safetensors  optimizer.pt  scheduler.pt  rng_state.pth  trainer_state.json  whole.json

Of several processes (`launch`) each may hold a shard of every weight. Rank 0 writes what is gathered from
all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer

from alif import store
from alif.errors import MissingExtra, ModelError
from alif.settings import Stage
from alif.student import distributed, weights
from alif.student.adapter import trainable_parameters, unwrap
from alif.student.linear_layers import embedding_weights
from alif.train import checkpoints
from alif.train.training_callback import TrainingCallback
from alif.train.weight_average import WeightAverage

__all__ = ["StageTrainer", "group_parameters", "load_trainable"]

WEIGHTS, AVERAGE = "trained.safetensors", "average.safetensors"
OPTIMIZER, SCHEDULER = "optimizer.pt", "scheduler.pt"
"""Files of a checkpoint."""
EXTRA = "low-memory"
"""Of pyproject.toml: bitsandbytes."""


class StageTrainer(Trainer):
    """transformers' Trainer with two learning rates and our checkpoints."""

    def configure(self, stage: Stage, folder: Path, key: str, callback: TrainingCallback) -> None:
        """Set what the Trainer's own constructor has no parameter for."""
        self.stage, self.folder, self.key, self.callback = stage, folder, key, callback
        self.average = callback.average = WeightAverage(self.model, stage.ema_decay)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """Build AdamW, in full or with its state in 8 bits.

        Raises:
            ModelError: 8 bits without a GPU.
            MissingExtra: bitsandbytes is not installed.
        """
        if self.optimizer is not None:
            return self.optimizer
        causal: Any = self.model  # a ChunkedLossModel
        groups, on_gpu = group_parameters(causal.model, self.stage), self.args.device.type == "cuda"
        if self.stage.optimizer == "adamw":
            self.optimizer = torch.optim.AdamW(groups, fused=on_gpu)
            return self.optimizer
        if not on_gpu:
            raise ModelError(
                'optimizer = "adamw_8bit" needs a GPU, and none is used here',
                'Set it to "adamw", or use a GPU.',
            )
        try:
            from bitsandbytes.optim import AdamW8bit  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtra('optimizer = "adamw_8bit"', EXTRA) from error
        self.optimizer = AdamW8bit(groups)
        return self.optimizer

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Any:
        """Count, over all processes, what the loss of a step is divided by: labelled tokens, or pairs too."""
        learner: Any = self.model
        if not hasattr(learner, "count_items"):
            return super()._get_num_items_in_batch(batch_samples, device)
        counts = torch.stack([learner.count_items(batch) for batch in batch_samples]).sum(0, keepdim=True)
        return self.accelerator.gather(counts.to(device)).sum(0)

    def training_step(
        self, model: torch.nn.Module, inputs: Any, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Keep the loss of each forward pass."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        self.callback.losses.append(loss)
        return loss

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        norm = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]
        self.callback.gradient_norm = float(distributed.gather_tensor(norm))
        return norm

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        state = {
            name: distributed.gather_tensor(weight.detach())
            for name, weight in trainable_parameters(self.model)
        }
        size = 4 * sum(weight.numel() * weight.element_size() for weight in state.values())
        size += 4 * sum(value.numel() for value in self.average.values.values())
        step, curve = self.state.global_step, self.callback.path
        with contextlib.ExitStack() as block, weights.friendly_disk_errors(self.folder):
            partial = distributed.broadcast_from_rank0(
                lambda: block.enter_context(checkpoints.write_checkpoint(self.folder, step, self.key, size))
            )
            weights.write_weights(partial / WEIGHTS, state)
            if self.average.decay:
                weights.write_weights(partial / AVERAGE, self.average.values)
            if distributed.is_main_process():
                store.fsync(curve)  # a checkpoint without its part of the curve would end with other facts
            optimizer, schedule = self.optimizer, self.lr_scheduler
            assert optimizer is not None
            assert schedule is not None
            moments = distributed.gather_tensor(optimizer.state_dict())  # whole, of all processes
            self._save_rng_state(str(partial))  # each process its own
            if distributed.is_main_process():
                torch.save(moments, partial / OPTIMIZER)
                torch.save(schedule.state_dict(), partial / SCHEDULER)
                self._save_scaler(str(partial))
                self.state.save_to_json(str(partial / "trainer_state.json"))
            distributed.barrier()
        if distributed.is_main_process():
            checkpoints.upload_checkpoint(self.callback.context, self.folder / f"step-{step}", curve)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Load from a whole state what this process holds."""
        if checkpoint is None:
            return
        assert self.optimizer is not None
        schedule: Any = self.lr_scheduler
        saved = torch.load(Path(checkpoint) / OPTIMIZER, map_location="cpu", weights_only=True)
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        for number, moments in saved["state"].items():
            for name, value in moments.items():
                if value.shape == parameters[number].shape:
                    moments[name] = distributed.shard_like(value, parameters[number])
        self.optimizer.load_state_dict(saved)
        schedule.load_state_dict(torch.load(Path(checkpoint) / SCHEDULER, weights_only=True))

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: torch.nn.Module | None = None
    ) -> None:
        load_trainable(weights.read_weights(Path(resume_from_checkpoint) / WEIGHTS), self.model)
        if self.average.decay:
            self.average.load(weights.read_weights(Path(resume_from_checkpoint) / AVERAGE))


def load_trainable(saved: Mapping[str, torch.Tensor], model: torch.nn.Module | None) -> None:
    """Set what is trained in `model` to `saved`, by name."""
    with torch.no_grad():
        for name, weight in trainable_parameters(model):
            weight.copy_(distributed.shard_like(saved[name], weight))


def group_parameters(model: torch.nn.Module, stage: Stage) -> list[dict[str, object]]:
    """Return parameter groups: embeddings have their own rate; neither they nor vectors decay."""
    embeddings: list[torch.nn.Parameter] = []
    matrices: list[torch.nn.Parameter] = []
    vectors: list[torch.nn.Parameter] = []
    own = embedding_weights(unwrap(model))
    for _, parameter in trainable_parameters(model):
        is_matrix = parameter.ndim > 1
        (embeddings if parameter in own else matrices if is_matrix else vectors).append(parameter)
    return [
        {"params": parameters, "lr": lr, "weight_decay": weight_decay}
        for parameters, lr, weight_decay in (
            (matrices, stage.lr, stage.weight_decay),
            (vectors, stage.lr, 0.0),
            (embeddings, stage.embedding_lr, 0.0),
        )
        if parameters
    ]
