"""A case of train_gpu.py: what is trained on which texts, and how its rates are counted, the same for every trainer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

LENGTHS = {"pretrain": (720, 1.3), "finetune": (280, 0.8)}
"""Mean and log-normal sigma of a text in tokens. Modelled on Urdu Wikipedia and the paper's rows in Llama-3's vocabulary."""
LABELLED = 0.6
"""Part of a stage-2 row that is answer."""


@dataclass(frozen=True)
class Case:
    """One thing to measure."""

    name: str
    kind: str = "ours"
    stage: str = "pretrain"
    length: int = 8192
    rows_at_once: int = 1
    rows_per_step: int = 4
    rank: int = 128
    embeddings: bool = True
    copies: str = "float32"
    layout: str = "packed"
    loss: str = "answer"
    recompute: bool = False
    compile: bool = True
    attention: str = ""
    """"": as alif chooses."""


def texts(case: Case, config: dict[str, Any], tokens: int) -> Iterator[tuple[list[int], int]]:
    """Yield (tokens, silent tokens) of made-up texts until they hold `tokens` tokens."""
    draw = np.random.default_rng(0)
    mean, sigma = LENGTHS[case.stage]
    seen = 0
    while seen < tokens:
        size = max(8, int(draw.lognormal(np.log(mean) - sigma**2 / 2, sigma)))
        if case.stage == "finetune":
            size = min(size, case.length)
        seen += min(size, case.length) if case.layout == "padded" else size
        silent = round(size * (1 - LABELLED)) if case.stage == "finetune" and case.loss == "answer" else 1
        yield draw.integers(2, config["vocab_size"], size).tolist(), silent


def rates(curve: Sequence[dict[str, Any]], warm_up: int) -> dict[str, Any]:
    """Return the rates of the steps after the warm-up, from a curve of losses, tokens and tokens per second."""
    counted = [row["tokens_per_s"] for row in curve[warm_up:]]
    return {
        "useful_tokens_per_s": round(statistics.median(counted), 1),
        "slowest_and_fastest_step": [min(counted), max(counted)],
        "steps": len(counted),
        "first_and_last_loss": [round(curve[0]["loss"], 4), round(curve[-1]["loss"], 4)],
        "peak_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 1)
        if torch.cuda.is_available()
        else None,
    }


def wait() -> None:
    """Wait until the GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
