"""Collective operations of the processes that train one model, one per GPU; no-ops for a single one.

    rank 0     reads, trains its rows of each step, logs, writes            runs/NAME/…
    rank 1 …   read, train their rows of each step, log and keep nothing

A model sharded by FSDP2 holds its parts as `DTensor`s; `gather_tensor` and `shard_like` convert to plain
tensors and back.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from alif.errors import RecipeError

__all__ = [
    "all_reduce_mean", "apply_fsdp", "barrier", "broadcast_from_rank0", "destroy_process_group",
    "gather_tensor", "init_process_group", "is_main_process", "main_process_first", "rank", "shard_like",
    "unsharded", "world_size",
]  # fmt: skip

T = TypeVar("T")

TIMEOUT = datetime.timedelta(hours=3)
"""How long the others wait for rank 0, while it tokenizes a corpus or uploads a checkpoint. PyTorch's own
half hour is too short for that; a process that ends is noticed by torchrun at once."""


def world_size() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return which of them this is, from 0 on."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_main_process() -> bool:
    """Tell whether this is rank 0, which logs and writes for all."""
    return rank() == 0


def init_process_group(cpu: bool) -> None:
    """Join the processes that torchrun has started; each takes the GPU of its local rank."""
    if not cpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("gloo" if cpu else "cpu:gloo,cuda:nccl", timeout=TIMEOUT)


def destroy_process_group() -> None:
    """Leave the group, at the end."""
    distributed.destroy_process_group()


def barrier() -> None:
    """Wait until all processes are here."""
    if world_size() > 1:
        distributed.barrier()


def broadcast_from_rank0(work: Callable[[], T]) -> T:
    """Run `work` on rank 0 and broadcast the result."""
    if world_size() == 1:
        return work()
    box = [work() if is_main_process() else None]
    distributed.broadcast_object_list(box, src=0)
    return box[0]  # type: ignore[return-value]  # what rank 0 has put there


@contextlib.contextmanager
def main_process_first() -> Iterator[None]:
    """Let the others enter a block when rank 0 has left it: they find there what it has written."""
    if not is_main_process():
        barrier()
    yield
    if is_main_process():
        barrier()


def apply_fsdp(model: torch.nn.Module, layers: Collection[str], dtype: torch.dtype) -> None:
    """Shard weights, gradients and optimizer state over the processes (FSDP2); products in `dtype`.

    A layer, by its class name, is gathered when it is used; what stands outside of layers for the whole pass.

    Raises:
        RecipeError: the dtype cannot be sharded: float16 with loss scaling, or a base in 4 bits.
    """
    if dtype == torch.float16 or any(not weight.is_floating_point() for weight in model.parameters()):
        kind = "float16" if dtype == torch.float16 else "a base in 4 bits"
        raise RecipeError(
            f"runtime.fsdp = true does not go with {kind}", "Set it to false: each GPU has a copy then."
        )
    policy = MixedPrecisionPolicy()
    if dtype != torch.float32:
        policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    for module in [one for one in model.modules() if type(one).__name__ in layers]:
        fully_shard(module, mp_policy=policy)
    fully_shard(model, mp_policy=policy)


@contextlib.contextmanager
def unsharded(model: torch.nn.Module) -> Iterator[None]:
    """Gather, within this context, what no layer gathers for itself: embeddings and head."""
    if not isinstance(model, FSDPModule):
        yield
        return
    model.unshard()
    yield
    model.reshard()


def all_reduce_mean(value: float) -> float:
    """Return the mean of each process's `value`, the same number in all of them."""
    if world_size() == 1:
        return value
    total = torch.tensor(value, dtype=torch.float64)
    distributed.all_reduce(total)
    return float(total) / world_size()


def gather_tensor(value: T) -> T:
    """Return `value`, a tensor or a nesting of tensors, gathered from all processes."""
    given: Any = value
    if isinstance(given, DTensor):
        given = given.full_tensor()
    elif isinstance(given, dict):
        given = {key: gather_tensor(one) for key, one in given.items()}
    elif isinstance(given, list):
        given = [gather_tensor(one) for one in given]
    return given  # type: ignore[no-any-return]


def shard_like(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return this process's shard of a whole tensor, sharded as `like` is, if that is."""
    if not isinstance(like, DTensor):
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
