"""What both stages do with their packed rows: tell what is trained, train it, save the adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peft import PeftModel

from alif import console
from alif.errors import RecipeError
from alif.runs import StepContext
from alif.settings import Stage
from alif.student import adapter as adapters
from alif.student import distributed
from alif.student.base import Base, LoadedBase
from alif.student.device import DeviceConfig
from alif.train.heldout_eval import HeldOutEval
from alif.train.packing import PackedDataset, Segment, pack_segments, pad_segments
from alif.train.trainer import checkpoint_key, fit_model

__all__ = ["check_length", "lay_out_rows", "train_stage"]


def check_length(bare: LoadedBase, name: str, stage: Stage) -> None:
    """Refuse rows in which a text could be longer than the base can read."""
    longest = getattr(bare.model.config, "max_position_embeddings", None)
    if longest is not None and stage.max_seq_length > longest:
        raise RecipeError(
            f"{name}.max_seq_length = {stage.max_seq_length}, but {bare.base.base} reads at most {longest} tokens",
            f"Set {name}.max_seq_length to {longest} or less.",
        )


def lay_out_rows(
    pieces: Sequence[Segment], stage: Stage, filler: int, scratch: Path | None = None
) -> PackedDataset:
    """Lay texts into rows as the stage's layout says; in files under `scratch`, of each process its own, or in memory."""
    lay_out = pack_segments if stage.packing == "packed" else pad_segments
    folder = scratch / f"packs{distributed.rank() or ''}" if scratch else None
    return lay_out(pieces, stage.max_seq_length, filler, folder)


def train_stage(
    context: StepContext,
    base: Base,
    model: PeftModel,
    packs: PackedDataset,
    stage: Stage,
    *,
    where: DeviceConfig,
    start: str,
    looks: HeldOutEval | None = None,
) -> dict[str, Any]:
    """Train `model` on `packs`, write `adapter/`, and return the stage's facts.

    `start` says what the adapter was before, by settings or digest: a checkpoint that began elsewhere is not resumed from.
    """
    share = adapters.count_parameters(model)
    told = f"{share.trainable:,} of {share.total:,} parameters are trained ({share.percent:.2f} % of base + adapter)"
    console.log(f"{context.step}: {told}")
    outcome = fit_model(
        model,
        packs,
        stage,
        context,
        where=where,
        aim=checkpoint_key(packs, stage, start=base.digest + start),
        looks=looks,
    )
    adapters.save_adapter(model, context.folder / "adapter", base.base)
    return {
        "trainable": share.trainable,
        "parameters": share.total,
        "trainable_percent": round(share.percent, 2),
        "rows": len(packs),
        "fill": round(packs.fill, 4),
        "labelled": packs.labelled,
        **outcome.facts(),
    }
