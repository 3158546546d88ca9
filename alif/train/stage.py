"""What both stages do with their packed rows: tell what is trained, train it, save the adapter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peft import PeftModel

from alif import console
from alif.errors import RecipeError
from alif.recipe import Stage
from alif.runs import Given
from alif.student import adapter as adapters
from alif.student import ranks
from alif.student.base import Bare, Base
from alif.student.device import Place
from alif.train.looks import Looks
from alif.train.packs import Packs, Piece, lay, pack
from alif.train.trainer import fit, purpose

__all__ = ["arrange", "check_length", "work"]


def check_length(bare: Bare, name: str, stage: Stage) -> None:
    """Refuse rows in which a text could be longer than the base can read."""
    longest = getattr(bare.model.config, "max_position_embeddings", None)
    if longest is not None and stage.tokens_per_row > longest:
        raise RecipeError(
            f"{name}.tokens_per_row = {stage.tokens_per_row}, but {bare.base.base} reads at most {longest} tokens",
            f"Set {name}.tokens_per_row to {longest} or less.",
        )


def arrange(pieces: Sequence[Piece], stage: Stage, filler: int, scratch: Path | None = None) -> Packs:
    """Lay texts into rows as the stage's layout says; in files under `scratch`, of each process its own, or in memory."""
    lay_out = pack if stage.layout == "packed" else lay
    folder = scratch / f"packs{ranks.rank() or ''}" if scratch else None
    return lay_out(pieces, stage.tokens_per_row, filler, folder)


def work(
    given: Given,
    base: Base,
    model: PeftModel,
    packs: Packs,
    stage: Stage,
    *,
    where: Place,
    start: str,
    looks: Looks | None = None,
) -> dict[str, Any]:
    """Train `model` on `packs`, write `adapter/`, and return the stage's facts.

    `start` says what the adapter was before, by settings or digest: a checkpoint that began elsewhere is not resumed from.
    """
    share = adapters.share(model)
    told = f"{share.trainable:,} of {share.total:,} parameters are trained ({share.percent:.2f} % of base + adapter)"
    console.note(f"{given.step}: {told}")
    outcome = fit(model, packs, stage, given, where=where, aim=purpose(packs, stage, start=base.digest + start), looks=looks)
    adapters.save(model, given.folder / "adapter", base.base)
    return {
        "trainable": share.trainable,
        "parameters": share.total,
        "trainable_percent": round(share.percent, 2),
        "rows": len(packs),
        "fill": round(packs.fill, 4),
        "labelled": packs.labelled,
        **outcome.facts(),
    }
