"""Run a step: work in `runtime/STEP/partial`, flush it to the disk, rename it to `STEP`.

So a kill or a power cut at any moment leaves either a finished step or none, and the same command goes on.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from alif import console, store
from alif.errors import AlifError, BudgetError, Waiting
from alif.facts import NoFacts
from alif.records import FrozenModel
from alif.runs import manifest, sharing
from alif.runs.folder import FORMAT, Run, StepRecord
from alif.runs.identity import fingerprint_of, identity_of, is_current
from alif.runs.output import StepOutput
from alif.runs.step import Step, StepContext
from alif.settings import Recipe, Runtime

__all__ = ["make_context", "rerun_step", "run_step"]


def run_step(step: Step, recipe: Recipe, run: Run) -> bool:
    """Run `step` unless it is finished; return whether it ran. The caller holds the run's lock."""
    ran = not is_current(step, recipe, run)
    if ran:
        with _partial(step, recipe, run) as (partial, record):
            _publish(partial, record, run.folder(step.name))
    run.lock_step(step.name)
    for pattern in step.disposable:  # also what a kill just after the rename left
        for path in run.scratch(step.name).glob(pattern):
            shutil.rmtree(path, ignore_errors=True)
    return ran


def rerun_step(step: Step, recipe: Recipe, run: Run, work: Callable[..., FrozenModel]) -> bool:
    """Run a finished step again by `work`; return whether its rows changed. The caller holds the run's lock.

    The old folder moves to runtime/STEP/before-N. Where rows changed, later steps that are done have drifted
    from now on.

    Raises:
        AlifError: the step is not done.
    """
    folder, scratch = run.folder(step.name), run.scratch(step.name)
    old = run.record(step.name)
    if old is None or not is_current(step, recipe, run):
        raise AlifError(f"{folder}: {step.name} is not done yet", f"alif {step.name} {run.name}")
    with _partial(replace(step, work=work), recipe, run, {step.name: folder}) as (partial, record):
        before, after = (store.sha256_tree(place / "examples.jsonl") for place in (folder, partial))
        fingerprint = (
            old.fingerprint if before == after else fingerprint_of({**record.identity, "rows": after})
        )
        number = next(number for number in itertools.count(1) if not (scratch / f"before-{number}").exists())
        folder.rename(scratch / f"before-{number}")
        _publish(partial, record.model_copy(update={"fingerprint": fingerprint}), folder)
    return before != after


@contextlib.contextmanager
def _partial(
    step: Step, recipe: Recipe, run: Run, again: Mapping[str, Path] | None = None
) -> Iterator[tuple[Path, StepRecord]]:
    """Run `step` in a folder of its own; yield that folder, flushed to the disk, and its record.

    `again` is the step's own finished folder where it runs once more: an input beside the others.

    Raises:
        DriftError: a file of an input step was changed; nothing is done.
    """
    identity = identity_of(step, recipe, run)
    fingerprint, note = fingerprint_of(identity), run.note(step.name)
    is_on = step.enabled(recipe)
    for earlier in step.inputs if is_on else ():
        record = run.record(earlier.name)
        manifest.verify(run.folder(earlier.name), record.files if record else {}, content=True)
    if note.state == "waiting" and note.fingerprint == fingerprint and run.requests(step.name).is_file():
        raise Waiting(note.message)
    partial = run.scratch(step.name) / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    context = make_context(
        run,
        step.name,
        recipe.runtime,
        inputs={earlier.name: run.folder(earlier.name) for earlier in step.inputs} | dict(again or {}),
        paths=step.paths(recipe, run.root),
    )
    before, began = note.seconds, time.monotonic()
    run.write_note(step.name, "running", before)
    try:
        with store.friendly_os_errors(partial):
            with context.output, console.note_progress(run.progress):
                tables = {table: getattr(recipe, table) for table in step.settings}
                facts = step.work(context, **tables) if is_on else NoFacts()
            counts = context.output.count(facts)
            store.fsync_tree(partial)
        seconds = before + time.monotonic() - began
        yield (
            partial,
            StepRecord(
                format=FORMAT,
                step=step.name,
                state="done",
                fingerprint=fingerprint,
                identity=identity,
                counts=counts,
                cost_usd=context.output.cost_usd,
                seconds=round(seconds, 3),
                files=manifest.build(partial),
            ),
        )
    except BaseException as error:
        states = {Waiting: "waiting", BudgetError: "cap reached", Exception: "failed"}  # else it was stopped
        state = next((state for kind, state in states.items() if isinstance(error, kind)), "todo")
        with contextlib.suppress(AlifError, OSError):  # a full disk must not hide the first error
            seconds = before + time.monotonic() - began
            run.write_note(step.name, state, seconds, str(error), fingerprint)
        raise
    run.write_note(step.name, "done", seconds)


def make_context(
    run: Run,
    step: str,
    runtime: Runtime,
    *,
    inputs: Mapping[str, Path] | None = None,
    paths: Mapping[str, Path] | None = None,
    folder: Path | None = None,
) -> StepContext:
    """Return what a step is handed; it works in `folder`, by default runtime/STEP/partial."""
    folder = folder or run.scratch(step) / "partial"
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return StepContext(
        run=run.ledger_name,
        step=step,
        folder=folder,
        scratch=run.scratch(step),
        inputs=inputs or {},
        paths=paths or {},
        runtime=runtime,
        ledger=run.ledger(runtime),
        requests=run.requests(step),
        output=StepOutput(folder),
    )


def _publish(partial: Path, record: StepRecord, folder: Path) -> None:
    """Give a step's flushed folder its name, so that a power cut leaves it whole or not at all."""
    store.write_json(partial / "step.json", record.model_dump(mode="json"))  # flushes `partial` too
    sharing.publish_folder(partial, folder)
