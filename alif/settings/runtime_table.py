"""Recipe table `[runtime]`: speed, cost and hardware. Never part of a step's identity."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alif.records import FrozenModel


class Runtime(FrozenModel):
    """How fast, at what cost, on what. Never part of a step's identity."""

    max_cost_usd: float = Field(100.0, ge=0)
    """Cost cap of the run; no request is sent that could exceed it."""
    max_concurrency: int = Field(16, gt=0)
    """Most requests in flight."""
    batch: bool = False
    """Use the providers' batch APIs: cheaper, and each round takes up to a day. May be switched at any time.
    Four rounds are under way together: at 14 rows a request, 51,686 rows are 58 rounds of 64 requests, or 15
    waits. A larger generate.requests_per_round makes fewer, and other rows: set it before the first
    request."""
    timeout_s: float = Field(120.0, gt=0)
    """Seconds before a request is retried. A local server that answers one request at a time takes minutes
    for each that waits: give it 1800."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(0, ge=0)
    """CPU threads of training and inference; 0: one. More help a larger model on an otherwise idle
    machine."""
    engine: Literal["local", "ray", "slurm"] = "local"
    """Where stage-1 text is cleaned: processes of this machine, a Ray cluster (RAY_ADDRESS, or one started
    here), or a Slurm job array. The result is the same to the byte."""
    processes: int = Field(1, ge=0)
    """Processes of that engine; 0: one a core."""
    gpus: int = Field(1, gt=0)
    """GPUs that both stages train on (data parallel); on a machine without GPUs, as many CPU processes. The
    batches are the same either way."""
    fsdp: bool = False
    """On several GPUs: shard weights, gradients and optimiser state (FSDP2) instead of replicating them."""
    torch_compile: bool = True
    """On a GPU: compile the decoder blocks, about 15 seconds at a stage's start, for a fifth more speed."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass. Far less memory, about a third more compute."""
    checkpoint_steps: int = Field(50, gt=0)
    """Optimiser steps between two checkpoints."""
    backup: str = ""
    """Where finished steps, checkpoints and the ledger are copied, for machines that may be lost: a folder,
    or "hub:OWNER/NAME", a private repository, whose history keeps old checkpoints until you squash it. The
    same command on a new machine continues the run."""
    tracker: Literal["", "trackio", "wandb"] = ""
    """Where the training curve is logged too, beside its file and the report: trackio (files here, or the
    Space that TRACKIO_SPACE_ID names) or Weights & Biases, each an extra of its name. Metrics and the stage's
    settings are sent."""
    ledger: str = ""
    """Ledger file shared with other runs, relative to the working directory; empty: the run's own."""
