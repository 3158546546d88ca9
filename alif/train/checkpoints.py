"""Checkpoints that are there whole or not at all.

    runtime/pretrain/checkpoints/step-50/      trained weights, optimizer, schedule, random state, counters
    runtime/pretrain/checkpoints/.step-100     being written, or left by a kill: never read

A folder is written under another name, flushed and renamed. `whole.json`, written last, holds the size of
each file and the key: a digest of settings, data and starting weights. What has another key or other sizes is
removed, not resumed from. They are removed when the step is finished (`pipeline.DISPOSABLE`).
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alif import store
from alif.errors import DataError
from alif.remote import backup
from alif.runs import StepContext

__all__ = ["BEST", "FOLDER", "KEPT", "newest_checkpoint", "upload_checkpoint", "write_checkpoint"]

FOLDER = "checkpoints"
"""Under a step's scratch folder."""
BEST = "best"
"""Beside it: trained weights of the best evaluations, by step (`early_stopping`)."""
KEPT = 2
"""Checkpoints kept: the last, and the one before in case the disk lied about the last."""

WHOLE = "whole.json"


def newest_checkpoint(folder: Path, key: str) -> Path | None:
    """Return the last whole checkpoint of this `key`, and remove all that are not."""
    good = []
    for path in folder.glob("*"):
        record: Any = {"purpose": "", "sizes": {}}
        with contextlib.suppress(DataError):
            record = store.read_json(path / WHOLE)
        sizes = {file.name: file.stat().st_size for file in path.glob("*")}
        is_named = record["purpose"] == key and not path.name.startswith(".")
        if is_named and record["sizes"].items() <= sizes.items():
            good.append(path)
        elif path.is_dir():
            shutil.rmtree(path)
    return max(good, key=_step, default=None)


@contextlib.contextmanager
def write_checkpoint(folder: Path, step: int, key: str, bytes_needed: int) -> Iterator[Path]:
    """Yield a folder to write the checkpoint of `step` into; it gets its name at the end.

    Raises:
        AlifError: the disk cannot hold it.
    """
    hint = "Free some space and repeat the command: it goes on from the last checkpoint."
    store.require_free_space(folder, bytes_needed, "a checkpoint", hint)
    partial, final = folder / f".step-{step}", folder / f"step-{step}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    sizes = {path.name: path.stat().st_size for path in sorted(partial.iterdir())}
    store.fsync_tree(partial)
    store.write_json(partial / WHOLE, {"purpose": key, "sizes": sizes})
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    store.fsync(folder)
    for old in sorted(folder.glob("step-*"), key=_step)[:-KEPT]:
        shutil.rmtree(old)


def upload_checkpoint(context: StepContext, *paths: Path) -> None:
    """Copy `paths` of the scratch folder to runtime.backup, and prune the first one's folder there."""
    name = f"{context.scratch.parents[1].name}/runtime/{context.step}"
    for path in paths:
        remote = f"{name}/{path.relative_to(context.scratch).as_posix()}"
        backup.upload_path(path, remote, context.runtime.backup)
    folder = paths[0].parent
    backup.prune_backup(
        folder, f"{name}/{folder.relative_to(context.scratch).as_posix()}", context.runtime.backup
    )


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
