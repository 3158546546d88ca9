"""What all stages do with their rows: pack them, report what is trained, train it, save the adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from peft import PeftModel

from alif import console, store
from alif.facts.training_facts import StageFacts
from alif.runs import StepContext
from alif.settings import Adapter, Stage
from alif.student import adapter as adapters
from alif.student import distributed
from alif.student.base import TINY, Base, LoadedBase
from alif.student.device import DeviceConfig
from alif.student.trimming import revert_small_changes
from alif.train.heldout_eval import HeldOutEval
from alif.train.loss import ChunkedLossModel
from alif.train.packing import PackedDataset, Segment, pack_segments, pad_segments
from alif.train.trainer import checkpoint_key, fit_model

__all__ = ["continue_adapter", "pack_rows", "train_stage"]


def pack_rows(
    segments: Sequence[Segment],
    stage: Stage,
    filler: int,
    scratch: Path | None = None,
    *,
    apart: Sequence[Segment] = (),
) -> PackedDataset:
    """Pack or pad texts as the stage says, those `apart` in rows of their own behind the others.

    Rows are memory-mapped under `scratch`, where that is given.
    """
    folder = scratch / f"packs{distributed.rank() or ''}" if scratch else None
    if stage.packing == "padded":
        return pad_segments([*segments, *apart], stage.max_seq_length, filler, folder)
    return pack_segments(segments, stage.max_seq_length, filler, folder, apart=apart)


def continue_adapter(
    base: LoadedBase, before: Path, adapter: Adapter, *, merged: bool
) -> tuple[PeftModel, str]:
    """Return the model with the adapter of an earlier stage, and what identifies it as a start.

    `merged` into the base, it is the model of that stage while the new adapter is switched off; the result is
    to be combined with `before`.
    """
    model, start = adapters.load_adapter(base.model, before), store.sha256_tree(before)
    if not merged:
        return model, start
    return adapters.add_adapter(model.merge_and_unload(), adapter), start + adapter.model_dump_json()


def train_stage(
    context: StepContext,
    base: Base,
    model: PeftModel,
    dataset: PackedDataset,
    stage: Stage,
    *,
    device: DeviceConfig,
    start: str,
    order: npt.NDArray[np.int64] | None = None,
    heldout: HeldOutEval | None = None,
    learner: Callable[..., torch.nn.Module] = ChunkedLossModel,
) -> StageFacts:
    """Train `model` on `dataset`, write `adapter/`, and return the stage's facts.

    `start` identifies the adapter before, by settings or digest: checkpoints of another start are not resumed
    from. `order` is that of the rows of all epochs, where it is not a shuffle.
    """
    share = adapters.count_parameters(model)
    console.log(
        f"{context.step}: {share.trainable:,} of {share.total:,} parameters are trained "
        f"({share.percent:.2f} % of base + adapter)"
    )
    key = checkpoint_key(dataset, stage, start=base.digest + start)
    outcome = fit_model(
        model, dataset, stage, context, device=device, key=key, order=order, heldout=heldout, learner=learner
    )
    reverted = revert_small_changes(model, stage.embedding_keep_share)
    if reverted:
        console.log(f"{context.step}: {reverted:,} weights of the embedding copies are the base's again")
    extended = context.inputs["base"] / "model"  # PEFT opens the base that the adapter names
    is_extended = base.base != TINY and extended.is_dir()
    adapters.save_adapter(model, context.folder / "adapter", str(extended) if is_extended else base.base)
    return StageFacts(
        trainable=share.trainable,
        parameters=share.total,
        trainable_percent=round(share.percent, 2),
        rows=len(dataset),
        fill=round(dataset.fill, 4),
        labelled=dataset.labelled,
        reverted=reverted,
        **outcome.model_dump(),
    )
