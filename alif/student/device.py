"""The device and dtype of a student, and the process-wide settings of PyTorch.

On a GPU that has bfloat16 the frozen base is bfloat16; on an older one (T4) float16 with loss scaling; on a
CPU float32. The number of CPU threads is fixed, whatever the machine has, because the order of a sum may
depend on it: equal runs are bitwise equal.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import torch
import transformers

from alif.errors import ModelError
from alif.settings import Runtime

__all__ = ["THREADS", "DeviceConfig", "half_precision", "quiet_libraries", "setup_torch"]

THREADS = 1
"""CPU threads where `runtime.threads` is 0. Two are up to twice as fast alone, and ten times slower where
other work wants the cores, because they wait for each other at every small product. Measured with the demo's
model on two contended cores."""


@dataclass(frozen=True)
class DeviceConfig:
    """A device, and the dtype that a base model is kept in there."""

    device: torch.device
    dtype: torch.dtype


def setup_torch(runtime: Runtime) -> DeviceConfig:
    """Set CPU threads, determinism and log levels of this process; return the device and dtype to use.

    Raises:
        ModelError: the recipe asks for a GPU and there is none, or one that is too old.
    """
    quiet_libraries()
    has_gpu = torch.cuda.is_available()
    if runtime.device == "cuda" and not has_gpu:
        raise ModelError(
            'runtime.device = "cuda", but PyTorch finds no GPU here',
            "Install a CUDA build of torch, or say --set 'runtime.device=\"auto\"'.",
        )
    torch.set_num_threads(runtime.threads or THREADS)
    if has_gpu and runtime.device != "cpu":
        dtype = half_precision(torch.cuda.get_device_name(), torch.cuda.get_device_capability())
        return DeviceConfig(torch.device("cuda"), dtype)
    torch.use_deterministic_algorithms(True)
    return DeviceConfig(torch.device("cpu"), torch.float32)


def half_precision(name: str, capability: tuple[int, int]) -> torch.dtype:
    """Return the 16-bit dtype of a GPU: bfloat16 from Ampere on, float16 on Volta and Turing.

    Raises:
        ModelError: an older one, whose float16 products are no faster than float32 and are summed in float16.

    Source: CUDA C++ programming guide, "Arithmetic instructions" by compute capability.
    """
    if capability >= (8, 0):
        return torch.bfloat16
    if capability >= (7, 0):
        return torch.float16
    raise ModelError(
        f"{name} is too old to train on (compute capability {capability[0]}.{capability[1]}, needed is 7.0)",
        "Use a GPU of 2018 or later (T4, RTX 20 …), or say --set 'runtime.device=\"cpu\"'.",
    )


def quiet_libraries() -> None:
    """Silence transformers and huggingface_hub: only `console` prints."""
    os.environ.setdefault(
        "TOKENIZERS_PARALLELISM", "true"
    )  # else it warns when a process is started afterwards
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # nor here
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
