"""The exponential moving average of what is trained (`ema_decay`): it, not the last weights, is kept.

    average = d * average + (1 - d) * weight        after each optimizer step, in float32

d is the decay, and less in the first steps, (1 + step) / (10 + step), or a short stage would keep its start.
Source: tf.train.ExponentialMovingAverage, `num_updates`. The average stands in checkpoints, it is what is
evaluated during training, and it changes nothing that is trained.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch

from alif.student import distributed
from alif.student.adapter import trainable_parameters

__all__ = ["WeightAverage"]


class WeightAverage:
    """The average of the trainable weights of `model`, from where they are now; with a `decay` of 0 of none.

    Of a sharded model each process averages its own shards.
    """

    def __init__(self, model: torch.nn.Module | None, decay: float) -> None:
        self.decay = decay
        self.weights = dict(trainable_parameters(model)) if decay else {}
        self.values = {
            name: weight.detach().to(torch.float32, copy=True) for name, weight in self.weights.items()
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimizer step `step`, counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, weight in self.weights.items():
            self.values[name].mul_(decay).add_(weight.float(), alpha=1 - decay)

    @torch.no_grad()
    def load(self, saved: Mapping[str, torch.Tensor]) -> None:
        """Go on from the average of a checkpoint."""
        for name, value in self.values.items():
            value.copy_(distributed.shard_like(saved[name], value))

    @torch.no_grad()
    def apply(self) -> None:
        """Put the average into the model."""
        for name, weight in self.weights.items():
            weight.copy_(self.values[name])

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model for the length of a block."""
        trained = {name: weight.detach().clone() for name, weight in self.weights.items()}
        self.apply()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, weight in self.weights.items():
                    weight.copy_(trained[name])
