"""Blocks of a model translated for the GPU by PyTorch's compiler, where it can be had.

Large products are at the GPU's peak as they are; what lies between them (norms, activations, what LoRA adds) is memory that is
read and written over and over, a quarter of a step. Compiled block by block it takes half of that, and the step a tenth less
memory; measured on an H200 with Llama-3.1-8B's shape (benchmarks/results/train_gpu.json). One translation serves all blocks; it
takes about 15 seconds. A probe tells whether the compiler works here at all: it needs a C compiler, and Triton.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import torch

from alif import console
from alif.settings import Runtime
from alif.student.adapter import unwrap
from alif.student.device import DeviceConfig

__all__ = ["check_compiled", "compile_blocks", "transformer_blocks"]


@contextlib.contextmanager
def compile_blocks(model: torch.nn.Module, where: DeviceConfig, runtime: Runtime) -> Iterator[None]:
    """Run the blocks of `model` compiled for the length of a block of ours, on a GPU; elsewhere change nothing."""
    if not runtime.torch_compile or where.device.type != "cuda":
        yield
        return
    if not check_compiled(where.device):
        console.log("PyTorch's compiler does not work here: training goes on without it, a fifth slower")
        yield
        return
    with transformer_blocks(model):
        yield


@contextlib.contextmanager
def transformer_blocks(model: torch.nn.Module, backend: str = "inductor") -> Iterator[None]:
    """Compile each block when it is first used, and forget that at the end."""
    bare = unwrap(model)
    kinds = bare._no_split_modules
    chosen: list[Any] = [module for module in bare.modules() if type(module).__name__ in kinds]
    for module in chosen:
        module.compile(backend=backend)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "The .grad attribute of a Tensor"
            )  # the compiler looks at states between blocks
            yield
    finally:
        for module in chosen:
            module._compiled_call_impl = None
        torch.compiler.reset()


@functools.cache
def check_compiled(device: torch.device) -> bool:
    """Tell whether the compiler gives on `device` what is given without it, forwards and backwards."""

    def plain(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.silu(x) * x.square().mean(-1, keepdim=True).rsqrt()

    def run(function: Any) -> list[torch.Tensor]:
        x = torch.linspace(-2, 2, 64, device=device).reshape(4, 16).requires_grad_()
        found = function(x)
        return [found, *torch.autograd.grad(found.sum(), x)]

    try:
        tried = run(torch.compile(plain))
    except Exception:
        return False
    return all(torch.allclose(one, other, atol=1e-4) for one, other in zip(tried, run(plain), strict=True))
