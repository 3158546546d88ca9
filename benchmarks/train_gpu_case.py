"""A case of train_gpu.py, its texts, and the computation of its rates, for all trainers alike."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

LENGTHS = {"pretrain": (720, 1.3), "finetune": (280, 0.8)}
"""Mean and log-normal sigma of the tokens of a text: a model of Urdu Wikipedia and of the paper's rows in
Llama-3's vocabulary."""
LABELLED = 0.6
"""Share of a stage-2 row that is the answer."""


@dataclass(frozen=True)
class Case:
    """One measurement."""

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
    """"": the one that alif chooses."""


def texts(case: Case, config: dict[str, Any], tokens: int) -> Iterator[tuple[list[int], int]]:
    """Yield (tokens, number of prompt tokens) of random texts until they have `tokens` tokens in total."""
    rng = np.random.default_rng(0)
    mean, sigma = LENGTHS[case.stage]
    seen = 0
    while seen < tokens:
        size = max(8, int(rng.lognormal(np.log(mean) - sigma**2 / 2, sigma)))
        if case.stage == "finetune":
            size = min(size, case.length)
        seen += min(size, case.length) if case.layout == "padded" else size
        prompt = round(size * (1 - LABELLED)) if case.stage == "finetune" and case.loss == "answer" else 1
        yield rng.integers(2, config["vocab_size"], size).tolist(), prompt


def rates(curve: Sequence[dict[str, Any]], warm_up: int) -> dict[str, Any]:
    """Return the rates of the steps after the warm-up from a curve of losses and tokens per second."""
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
    """Wait until the GPU has finished its work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
