"""Sibling runs share what they agree on: a step that one has finished is linked into the others.

Equal identities have equal results, so the folder of a twin is the folder that the step would have made.
Files are hard links, copied where the disk has none: every file of a run is replaced, never written into.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from alif import console, store
from alif.errors import AlifError
from alif.runs import manifest
from alif.runs.curves import CURVE
from alif.runs.folder import FORMAT, Run
from alif.runs.identity import fingerprint_of, identity_of
from alif.runs.step import Step
from alif.settings import Recipe

__all__ = ["find_twin", "link_shared", "link_step", "link_twins", "publish_folder"]


def link_twins(steps: Sequence[Step], recipe: Recipe, run: Run, siblings: Sequence[Run]) -> None:
    """Link all steps that a sibling has finished with the identity that they have here. The lock is held.

    Of the others, what siblings keep under names that cover its content.
    """
    twins: dict[str, list[str]] = {}
    for step in steps:
        needs = [earlier for earlier in step.inputs if earlier.enabled(recipe) and step.enabled(recipe)]
        if run.record(step.name) or not all(run.record(earlier.name) for earlier in needs):
            continue
        if twin := find_twin(step, recipe, run, siblings):
            link_step(step.name, twin, run)
            twins.setdefault(twin.name, []).append(step.name)
    for step in steps:
        if run.record(step.name) is None:
            link_shared(step, run, siblings)
    for name, linked in twins.items():
        console.log(f"{'linked':>10}  {', '.join(linked)}, as in {name}")


def find_twin(step: Step, recipe: Recipe, run: Run, siblings: Sequence[Run]) -> Run | None:
    """Return the first sibling that has finished `step` with the identity that it has here, whole."""
    wanted = fingerprint_of(identity_of(step, recipe, run))
    for twin in siblings:
        with contextlib.suppress(AlifError):  # a damaged folder is no twin: its own run tells of it
            record = twin.record(step.name)
            if record and (record.format, record.fingerprint) == (FORMAT, wanted):
                manifest.verify(twin.folder(step.name), record.files, content=False)
                return twin
    return None


def link_step(step: str, twin: Run, run: Run) -> None:
    """Link a finished step of `twin`, with its training curve, into `run`."""
    partial = run.scratch(step) / "partial"
    with store.friendly_os_errors(partial):
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(twin.folder(step), partial, copy_function=_link_file)
        if (curve := twin.scratch(step) / CURVE).is_file():
            _link_file(curve, run.scratch(step) / CURVE)
        store.fsync_tree(partial)
    publish_folder(partial, run.folder(step))


def link_shared(step: Step, run: Run, siblings: Sequence[Run]) -> None:
    """Link what siblings have in the scratch folder of `step` under names that cover its content."""
    for pattern in step.shared:
        for sibling in siblings:
            for path in sibling.scratch(step.name).glob(pattern):
                _link_file(path, run.scratch(step.name) / path.relative_to(sibling.scratch(step.name)))


def publish_folder(partial: Path, folder: Path) -> None:
    """Give a step's flushed folder its name, so that a power cut leaves it whole or not at all."""
    with store.friendly_os_errors(folder):
        partial.rename(folder)
        for changed in (
            partial.parent,
            folder.parent,
            folder.parent.parent,
        ):  # the last: the run itself may be new
            store.fsync(changed)


def _link_file(source: str | Path, target: str | Path) -> None:
    """Link a file, or copy it where that cannot be; one that is there already stays."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:  # another disk, or one without links
            shutil.copy2(source, target)
