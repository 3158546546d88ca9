"""A run is a folder; a step is a folder in it that appears whole or not at all.

    runs/demo/
      recipe.toml  lock.json          what was asked for; what it was made with
      seeds/ generate/ … export/      one folder a finished step: step.json, examples.jsonl, dropped.jsonl, …
      runtime/generate/ …             logs, curves, checkpoints: whatever may differ between two equal runs
      ledger.sqlite                   every request and reply

A step works in `runtime/STEP/partial`, which is flushed to the disk and renamed to `STEP` when all is written. So a kill or a
power cut at any moment leaves either a finished step or none, and the same command goes on. `step.json` keeps the identity:
every setting, file digest and earlier step that the result depends on; and what the folder holds (`manifest`). Where the
identity of a finished step differs from what the recipe asks now, or its files from what was written, that is drift, and it is
named instead of being repaired silently.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import itertools
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alif import manifest, store
from alif import recipe as recipes
from alif.errors import AlifError, BudgetError, BusyError, DriftError, Waiting
from alif.recipe import Recipe, Runtime
from alif.records import Counts

__all__ = [
    "FORMAT",
    "Run",
    "Step",
    "StepContext",
    "describe_drift",
    "environment_snapshot",
    "is_current",
    "list_runs",
    "rerun_step",
    "run_step",
    "step_state",
    "warn_new_ledger",
]

FORMAT = 1
"""Version of the run folder's layout, in every step.json."""


@dataclass(frozen=True)
class StepContext:
    """What a step is handed, beside the recipe tables that it reads."""

    run: str
    step: str
    folder: Path
    """Write results here; it becomes runs/NAME/STEP when the work is done."""
    scratch: Path
    """runs/NAME/runtime/STEP: survives a kill. For checkpoints, curves and logs, never for results."""
    root: Path
    """The run's own folder, for files that people put there (verdicts)."""
    inputs: Mapping[str, Path]
    """Finished folders of the steps that this one needs."""
    runtime: Runtime

    @property
    def ledger(self) -> Path:
        """The file of requests and replies: the run's own, or one shared with sibling runs."""
        return Path(self.runtime.ledger) if self.runtime.ledger else self.root / "ledger.sqlite"


def warn_new_ledger(runtime: Runtime) -> str:
    """Return what to say where the shared ledger is not there yet, else "": it may have been looked for in the wrong place."""
    path = Path(runtime.ledger)
    if not runtime.ledger or path.is_file():
        return ""
    return f"runtime.ledger: {path.resolve()} is new: every request will be sent, none is answered from a sibling's replies"


@dataclass(frozen=True)
class Step:
    """One named piece of work; its name is its folder and its command."""

    name: str
    work: Callable[..., Counts]
    """work(given, **the recipe tables named in `settings`)"""
    about: str
    """One line of help."""
    settings: tuple[str, ...] = ()
    """Recipe tables it may read: what its identity covers."""
    inputs: tuple[Step, ...] = ()
    paths: Callable[[Recipe], Mapping[str, Path]] = field(default=lambda recipe: {})
    """Files and folders it reads, by label; they count by content."""
    disposable: tuple[str, ...] = ()
    """Patterns of what is removed from its scratch folder once it is finished, such as "checkpoints". Not earlier: until the
    results are on the disk under their name, these are all that a long step has to go on from."""


@dataclass(frozen=True)
class Run:
    """A run's folder."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    def folder(self, step: str) -> Path:
        return self.root / step

    def scratch(self, step: str) -> Path:
        return self.root / "runtime" / step

    def record(self, step: str) -> dict[str, Any] | None:
        """Return step.json of a finished step, else None."""
        path = self.folder(step) / "step.json"
        return store.read_json(path) if path.is_file() else None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process.

        Raises:
            BusyError: another process holds it.
        """
        path = self.root / "runtime" / "lock"
        with store.friendly_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                raise BusyError(
                    f"{self.root}: process {file.read().strip() or 'unknown'} is working on this run",
                    "Wait for it, or stop it, and repeat the command.",
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def busy(self) -> bool:
        """Tell whether a process is working on this run."""
        try:
            with (self.root / "runtime" / "lock").open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def write_header(self, recipe: Recipe) -> None:
        """Keep the recipe and, once, what the run is made with."""
        text = recipes.dump_recipe(recipe)
        path = self.root / "recipe.toml"
        if not path.is_file() or store.read_text(path).strip() != text.strip():
            store.write_text(path, text)
        if not (self.root / "lock.json").is_file():
            store.write_json(self.root / "lock.json", environment_snapshot())


def environment_snapshot() -> dict[str, Any]:
    """Return machine, Python, commit and versions of every installed package."""
    packages = {
        d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]
    }
    return {
        "format": FORMAT,
        "machine": platform.platform(),
        "python": platform.python_version(),
        "commit": _commit(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _commit() -> str:
    """Return the commit of the source tree that this package runs from, or "" where it is installed."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return ""
    asked = subprocess.run(
        ["git", "-C", str(here), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()


def identity_of(step: Step, recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return everything the result of `step` depends on, as flat keys: settings, `file:` digests, `need:` fingerprints."""
    found: dict[str, Any] = {}
    for table in step.settings:
        found |= recipes.identity_settings(table, getattr(recipe, table))
    for label, path in sorted(step.paths(recipe).items()):
        found[f"file:{label}"] = store.sha256_tree(path)
    for need in step.inputs:
        record = run.record(need.name)
        if record is None:
            raise AlifError(
                f"{run.root}: {step.name} needs {need.name}", f"alif run {run.name} --until {step.name}"
            )
        found[f"need:{need.name}"] = record["fingerprint"]
    return found


def fingerprint_of(identity: Mapping[str, Any]) -> str:
    """Return a SHA-256 of an identity."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def describe_drift(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the first difference of two identities as a phrase: `pool.threshold = 0.7, now 0.8`."""
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key.startswith("need:"), key)):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        kind, _, label = key.partition(":")
        if kind == "file":
            return (
                f"another content of {label}"
                if before and after
                else f"{'no ' if before is None else ''}{label}"
            )
        if kind == "need":
            return f"another {label}"
        return f"{key} = {_toml(before)}, now {_toml(after)}"
    return ""


def _toml(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def is_current(step: Step, recipe: Recipe, run: Run) -> bool:
    """Tell whether `step` is done, and done with what the recipe says now.

    Raises:
        DriftError: it was done with something else, or a file of it has another size now; the message names it.
    """
    record = run.record(step.name)
    if record is None:
        return False
    manifest.verify(run.folder(step.name), record.get("files", {}), content=False)
    if any(run.record(need.name) is None for need in step.inputs):
        return True  # an earlier folder was removed to be built again; compared once that is there
    changed = describe_drift(record["identity"], identity_of(step, recipe, run))
    if changed:
        raise DriftError(
            f"{run.folder(step.name)} was built with {changed}",
            "Give the run another name, or remove that folder to build it again.",
        )
    return True


def run_step(step: Step, recipe: Recipe, run: Run) -> bool:
    """Do `step` unless it is finished; return whether anything was done. The caller holds the run's lock."""
    if is_current(step, recipe, run):
        _clear(step, run)  # left by a kill just after the rename
        return False
    with _work(step, recipe, run, identity_of(step, recipe, run)) as (partial, record):
        _publish(partial, record, run.folder(step.name))
    _clear(step, run)
    return True


def rerun_step(step: Step, recipe: Recipe, run: Run, work: Callable[..., Counts]) -> bool:
    """Do a finished step again by `work`; return whether its rows changed. The caller holds the run's lock.

    The old folder moves to runtime/STEP/before-N. Where rows changed, later steps that are done have drifted from now on.

    Raises:
        AlifError: the step is not done.
    """
    folder = run.folder(step.name)
    if not is_current(step, recipe, run):
        raise AlifError(f"{folder}: {step.name} is not done yet", f"alif {step.name} {run.name}")
    old = store.read_json(folder / "step.json")
    identity = identity_of(step, recipe, run)
    with _work(replace(step, work=work), recipe, run, identity) as (partial, record):
        rows = [store.sha256_tree(place / "examples.jsonl") for place in (folder, partial)]
        name = old["fingerprint"] if rows[0] == rows[1] else fingerprint_of({**identity, "rows": rows[1]})
        scratch = run.scratch(step.name)
        number = next(number for number in itertools.count(1) if not (scratch / f"before-{number}").exists())
        folder.rename(scratch / f"before-{number}")
        _publish(partial, record | {"fingerprint": name}, folder)
    _clear(step, run)
    return rows[0] != rows[1]


@contextlib.contextmanager
def _work(
    step: Step, recipe: Recipe, run: Run, identity: Mapping[str, Any]
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Do `step` in a folder of its own; yield that, flushed to the disk, and its step.json, for the block to publish.

    Raises:
        DriftError: a file of a step that this one needs was changed; nothing is done.
    """
    for need in step.inputs:
        manifest.verify(run.folder(need.name), (run.record(need.name) or {}).get("files", {}), content=True)
    scratch = run.scratch(step.name)
    partial = scratch / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    with store.friendly_os_errors(partial):
        partial.mkdir(parents=True)
    context = StepContext(
        run=run.name,
        step=step.name,
        folder=partial,
        scratch=scratch,
        root=run.root,
        inputs={need.name: run.folder(need.name) for need in step.inputs},
        runtime=recipe.runtime,
    )
    before = _seconds(scratch)
    began = time.monotonic()
    _note(scratch, "running", before)
    try:
        with store.friendly_os_errors(partial):
            counts = step.work(context, **{table: getattr(recipe, table) for table in step.settings})
            store.fsync_tree(partial)
        files = manifest.build(partial)
        seconds = before + time.monotonic() - began
        yield partial, _record(step, identity, counts, seconds, files)
    except BaseException as error:
        with contextlib.suppress(AlifError, OSError):  # a full disk must not hide the first error
            _note(scratch, _ended(error), before + time.monotonic() - began, str(error))
        raise
    _note(scratch, "done", seconds)


def _record(
    step: Step, identity: Mapping[str, Any], counts: Counts, seconds: float, files: Mapping[str, Any]
) -> dict[str, Any]:
    """Return step.json of a step that is done."""
    return {
        "format": FORMAT,
        "step": step.name,
        "state": "done",
        "fingerprint": fingerprint_of(identity),
        "identity": identity,
        "counts": counts.model_dump(mode="json", exclude={"cost_usd"}),
        "cost_usd": counts.cost_usd,
        "seconds": round(seconds, 3),
        "files": files,
    }


def _publish(partial: Path, record: Mapping[str, Any], folder: Path) -> None:
    """Give a step's flushed folder its name, so that a power cut leaves it whole or not at all."""
    store.write_json(partial / "step.json", record)  # flushes `partial` too
    with store.friendly_os_errors(folder):
        partial.rename(folder)
        for changed in (
            partial.parent,
            folder.parent,
            folder.parent.parent,
        ):  # the last: the run itself may be new
            store.fsync(changed)


def _clear(step: Step, run: Run) -> None:
    """Remove what a finished step has no use for any more."""
    for pattern in step.disposable:
        for path in run.scratch(step.name).glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def _ended(error: BaseException) -> str:
    """Return the state of a step that this error ended."""
    if isinstance(error, Waiting):
        return "waiting"
    if isinstance(error, BudgetError):
        return "cap reached"
    return "failed" if isinstance(error, Exception) else "todo"


def _note(scratch: Path, state: str, seconds: float, message: str = "") -> None:
    store.write_json(
        scratch / "state.json", {"state": state, "seconds": round(seconds, 3), "message": message}
    )


def _seconds(scratch: Path) -> float:
    """Return the seconds that earlier, unfinished tries of a step took."""
    path = scratch / "state.json"
    return float(store.read_json(path)["seconds"]) if path.is_file() else 0.0


def step_state(step: Step, run: Run) -> dict[str, Any]:
    """Return one entry of `alif status --json`: name, state, rows_in, kept, dropped, cost_usd, seconds, message."""
    record = run.record(step.name)
    if record is not None:
        counts = record["counts"]
        return {
            "name": step.name,
            "state": "done",
            **{key: counts[key] for key in ("rows_in", "kept", "dropped")},
            "cost_usd": record["cost_usd"],
            "seconds": record["seconds"],
            "message": "",
        }
    note = {"state": "todo", "seconds": 0.0, "message": ""}
    path = run.scratch(step.name) / "state.json"
    if path.is_file():
        note = store.read_json(path)
    if note["state"] == "running" and not run.busy():
        note["state"] = "todo"  # killed; the same command goes on
    empty: dict[str, Any] = {"rows_in": 0, "kept": 0, "dropped": {}, "cost_usd": 0.0}
    return {
        "name": step.name,
        "state": note["state"],
        **empty,
        "seconds": note["seconds"],
        "message": note["message"],
    }


def list_runs(folder: Path = Path("runs")) -> Iterable[Run]:
    """Yield the runs under `folder`, by name."""
    for path in sorted(folder.glob("*/recipe.toml")):
        yield Run(path.parent)
