"""The GPUs that a plan can be made for: memory, FLOP/s, the share of it that training reaches, and the price.

Prices are ranges over renters of autumn 2026, not quotes. The share of the peak is measured on the H200 here
(benchmarks/results/train_gpu.json), elsewhere by others on models of this kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from alif.errors import RecipeError

__all__ = ["GPUS", "Gpu", "find_gpu"]


@dataclass(frozen=True)
class Gpu:
    """One kind of GPU."""

    name: str
    memory_gb: float
    """As the driver shows, in 10^9 bytes."""
    peak_tflops: float
    """Dense matrix products in the 16-bit format that it trains in, with 32-bit sums. Source: the maker's
    data sheet."""
    reached: tuple[float, float]
    """Share of the peak that a model of 3 B parameters or more reaches in packed training, low and high."""
    reached_mark: str
    """"measured", by the source, or "assumed"."""
    reached_source: str
    usd_per_hour: tuple[float, float]
    bfloat16: bool = True


_A100 = "as on the H100; the original's own runs reached 27 to 64 %"
_H100 = "41 % measured by NeMo AutoModel (Llama-3-8B LoRA, one H100, 402 TFLOP/s); 51 % by us on an H200"
_H200 = "train_gpu: Llama-3.1-8B's shape in rows of 8,192, 46 % in stage 1, 51 % in stage 2"
_4090 = "torchtune measured 3,083 tokens/s (Llama-3.1-8B LoRA): about 56 %"
_T4 = "float16 with loss scaling, no fast attention"

GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu("a100", 85.9, 312, (0.41, 0.6), "assumed", _A100, (1.2, 2.56)),
        Gpu("h100", 85.5, 989, (0.41, 0.51), "measured", _H100, (2.0, 4.0)),
        Gpu("h200", 150.8, 989, (0.44, 0.51), "measured", _H200, (2.0, 4.0)),
        Gpu("4090", 25.8, 165, (0.4, 0.6), "measured", _4090, (0.3, 0.7)),
        Gpu("t4", 16.1, 65, (0.25, 0.4), "assumed", _T4, (0.0, 0.4), bfloat16=False),
    )
}


def find_gpu(name: str) -> Gpu:
    """Return a GPU by name, in lower or upper case.

    Raises:
        RecipeError: no such GPU is known.
    """
    for gpu in GPUS.values():
        if name in (gpu.name, gpu.name.upper()):
            return gpu
    raise RecipeError(f"--gpu {name}: no such GPU is known", f"Known: {', '.join(GPUS)}.")
