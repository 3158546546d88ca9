"""Checkpoints that are there whole or not at all.

    runtime/pretrain/checkpoints/step-50/      weights of what is trained, optimiser, schedule, random numbers, counters
    runtime/pretrain/checkpoints/.step-100     being written, or left by a kill: never read

A folder is written under another name, flushed and renamed. `whole.json`, written last, holds the size of each file and the
purpose: a digest of settings, data and starting weights. What has another purpose or other sizes is not resumed from but
removed. They go when the step is finished (`pipeline.DISPOSABLE`).
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from alif import store
from alif.errors import DataError

__all__ = ["BEST", "FOLDER", "KEPT", "newest_checkpoint", "require_checkpoint_space", "write_checkpoint"]

FOLDER = "checkpoints"
"""Under a step's scratch folder."""
BEST = "best"
"""Beside it: trained weights of the stage's best looks, by step, where it may stop early (`patience`)."""
KEPT = 2
"""Checkpoints kept: the last, and the one before in case the disk lied about the last."""

WHOLE = "whole.json"


def newest_checkpoint(folder: Path, purpose: str) -> Path | None:
    """Return the last whole checkpoint made for `purpose`, and remove all that are not."""
    good = []
    for path in folder.glob("*"):
        if _is_whole(path, purpose):
            good.append(path)
        elif path.is_dir():
            shutil.rmtree(path)
    return max(good, key=_step, default=None)


@contextlib.contextmanager
def write_checkpoint(folder: Path, step: int, purpose: str) -> Iterator[Path]:
    """Give a folder to write the checkpoint of `step` into; it takes its name when the block ends, and older ones go."""
    partial, final = folder / f".step-{step}", folder / f"step-{step}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    sizes = {path.name: path.stat().st_size for path in sorted(partial.iterdir())}
    store.fsync_tree(partial)
    store.write_json(partial / WHOLE, {"purpose": purpose, "sizes": sizes})
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    store.fsync(folder)
    for old in sorted(folder.glob("step-*"), key=_step)[:-KEPT]:
        shutil.rmtree(old)


def require_checkpoint_space(folder: Path, bytes_needed: int) -> None:
    """Refuse to begin a checkpoint that the disk cannot hold.

    Raises:
        AlifError: with the sizes.
    """
    hint = "Free some space and repeat the command: it goes on from the last checkpoint."
    store.require_free_space(folder, bytes_needed, "a checkpoint", hint)


def _is_whole(path: Path, purpose: str) -> bool:
    try:
        record = store.read_json(path / WHOLE)
    except DataError:
        return False
    if path.name.startswith(".") or record["purpose"] != purpose:
        return False
    return all(
        (path / name).is_file() and (path / name).stat().st_size == size
        for name, size in record["sizes"].items()
    )


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
