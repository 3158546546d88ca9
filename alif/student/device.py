"""Where a student runs, and in which numbers.

On a GPU that has bfloat16 the frozen base is bfloat16; everywhere else all is float32. On a CPU the number of threads is fixed,
whatever the machine has, because the order of a sum may depend on it: equal runs are then equal to the bit.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import torch
import transformers

from alif.errors import ModelError
from alif.recipe import Runtime

__all__ = ["THREADS", "Place", "place", "quiet"]

THREADS = 1
"""CPU threads where `runtime.threads` is 0. Two are up to twice as fast alone, and ten times slower where other work wants the
cores, because they wait for each other at every small product. Measured with the demo's model on two contended cores."""


@dataclass(frozen=True)
class Place:
    """A device, and the numbers that a base model is kept in there."""

    device: torch.device
    dtype: torch.dtype


def place(runtime: Runtime) -> Place:
    """Choose the device, fix the CPU threads and make PyTorch deterministic where that is free.

    Raises:
        ModelError: the recipe asks for a GPU and there is none.
    """
    found = torch.cuda.is_available()
    if runtime.device == "cuda" and not found:
        raise ModelError(
            'runtime.device = "cuda", but PyTorch finds no GPU here',
            "Install a CUDA build of torch, or say --set 'runtime.device=\"auto\"'.",
        )
    torch.set_num_threads(runtime.threads or THREADS)
    if found and runtime.device != "cpu":
        bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return Place(torch.device("cuda"), torch.bfloat16 if bfloat16 else torch.float32)
    torch.use_deterministic_algorithms(True)
    return Place(torch.device("cpu"), torch.float32)


def quiet() -> None:
    """Silence the libraries: only `console` speaks to people."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # else it warns whenever a process is started afterwards
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # transformers has no types here
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # nor here
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
