"""A run's folder: where things lie, who works on it, what its finished steps recorded."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar

from filelock import FileLock, Timeout
from pydantic import Field, JsonValue, ValidationError

from alif import recipe as recipes
from alif import store
from alif.errors import BusyError, DataError
from alif.formatting import format_duration, format_usd
from alif.records import Counts, FrozenModel
from alif.runs.manifest import FileEntry
from alif.settings import Recipe, Runtime

__all__ = ["FORMAT", "Run", "StepRecord", "StepState", "describe_new_ledger", "list_runs"]

FORMAT = 2
"""Version of the run folder's layout, in every step.json."""
Model = TypeVar("Model", bound=FrozenModel)
LOCK_WAIT_S = 0.5
"""`alif status` holds the lock for an instant to see whether somebody works: a run waits that long for it."""


class StepRecord(FrozenModel):
    """step.json: what a finished step was made with, what it did, and what its folder holds."""

    format: int
    step: str
    state: str
    fingerprint: str
    identity: Mapping[str, JsonValue]
    counts: Counts
    cost_usd: float
    seconds: float
    files: Mapping[str, FileEntry] = Field(default_factory=dict)
    """By name relative to the folder; empty in records written before it was kept."""

    def describe(self) -> str:
        """Return what became of the step's rows, its cost and its time, as one line."""
        parts = [f"{self.counts.rows_in} in", f"{self.counts.kept} kept"]
        if self.counts.not_sampled:
            parts.append(f"{self.counts.not_sampled} not sampled")
        dropped = [f"{count} {reason}" for reason, count in self.counts.dropped.items()]
        parts += [f"dropped: {', '.join(dropped)}"] if dropped else []
        parts += [format_usd(self.cost_usd)] if self.cost_usd else []
        return ", ".join([*parts, format_duration(self.seconds)])


class StepState(TypedDict):
    """One entry of `alif status --json`."""

    name: str
    state: str
    rows_in: int
    kept: int
    dropped: Mapping[str, int]
    not_sampled: int
    cost_usd: float
    seconds: float
    message: str


class StepNote(FrozenModel):
    """runtime/STEP/state.json: how far an unfinished step is."""

    state: str = "todo"
    seconds: float = 0.0
    """Over all tries."""
    message: str = ""
    fingerprint: str = ""
    """Of a step that waits: while nothing of its identity changes, it waits on without reading its rows."""


@dataclass(frozen=True)
class Run:
    """A run's folder."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def ledger_name(self) -> str:
        """The name that the run was made with: its requests stand under it in the ledger."""
        with contextlib.suppress(DataError):
            if (self.root / "lock.json").is_file():
                found = store.read_json(self.root / "lock.json")
                if isinstance(found, dict) and isinstance(found.get("run"), str):
                    return str(found["run"])
        with contextlib.suppress(DataError, tomllib.TOMLDecodeError, RecursionError):
            if (self.root / "recipe.toml").is_file():  # of a version that kept no name in lock.json
                found = tomllib.loads(store.read_text(self.root / "recipe.toml"))
                return str(found.get("name", self.name))
        return self.name

    def folder(self, step: str) -> Path:
        return self.root / step

    def scratch(self, step: str) -> Path:
        return self.root / "runtime" / step

    def requests(self, step: str) -> Path:
        """Return where a step writes the rows that wait for people."""
        return self.root / f"{step}_requests.jsonl"

    def ledger(self, runtime: Runtime) -> Path:
        """Return the file of requests and replies: the run's own, or one shared with sibling runs."""
        return Path(runtime.ledger) if runtime.ledger else self.root / "ledger.sqlite"

    @property
    def progress(self) -> Path:
        """Where the step that is running notes how far it is: see `alif.runs.progress`."""
        return self.root / "runtime" / "progress.json"

    def record(self, step: str) -> StepRecord | None:
        """Return step.json of a finished step, else None."""
        path = self.folder(step) / "step.json"
        return read_model(path, StepRecord) if path.is_file() else None

    def note(self, step: str) -> StepNote:
        """Return how far a step is that is not finished."""
        path = self.scratch(step) / "state.json"
        return read_model(path, StepNote) if path.is_file() else StepNote()

    def write_note(
        self, step: str, state: str, seconds: float, message: str = "", fingerprint: str = ""
    ) -> None:
        note = StepNote(state=state, seconds=round(seconds, 3), message=message, fingerprint=fingerprint)
        store.write_json(self.scratch(step) / "state.json", note.model_dump())

    def state(self, step: str) -> StepState:
        """Return one entry of `alif status --json`."""
        if (record := self.record(step)) is not None:
            counts, note = record.counts, StepNote(state="done", seconds=record.seconds)
        else:
            counts, note = Counts(), self.note(step)
        killed = note.state == "running" and not self.busy()  # the same command goes on
        removed = record is None and note.state == "done"  # its folder, to be built again
        return {
            "name": step,
            "state": "todo" if killed or removed else note.state,
            "rows_in": counts.rows_in,
            "kept": counts.kept,
            "dropped": counts.dropped,
            "not_sampled": counts.not_sampled,
            "cost_usd": record.cost_usd if record else 0.0,
            "seconds": note.seconds,
            "message": note.message,
        }

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process.

        Raises:
            BusyError: another process holds it.
        """
        lock, owner = self.root / "runtime" / "lock", self.root / "runtime" / "pid"
        with store.friendly_os_errors(lock):
            lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(lock, timeout=LOCK_WAIT_S):
                store.write_text(owner, str(os.getpid()))
                yield
        except Timeout as error:
            pid = store.read_text(owner).strip() if owner.is_file() else "unknown"
            raise BusyError(
                f"{self.root}: process {pid} is working on this run",
                "Wait for it, or stop it, and repeat the command.",
            ) from error

    def busy(self) -> bool:
        """Tell whether a process is working on this run."""
        lock = self.root / "runtime" / "lock"
        if not lock.is_file():
            return False
        try:
            with FileLock(lock, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False  # a copy on a read-only disk: nobody works there

    def write_header(self, recipe: Recipe) -> None:
        """Keep the recipe and, once, the environment and the name that the run is made with."""
        lock, name = self.root / "lock.json", self.ledger_name
        snapshot = store.read_json(lock) if lock.is_file() else environment_snapshot()
        if not isinstance(snapshot, dict) or "run" not in snapshot:
            store.write_json(lock, {**(snapshot if isinstance(snapshot, dict) else {}), "run": name})
        text = recipes.dump_recipe(recipe)
        path = self.root / "recipe.toml"
        if not path.is_file() or store.read_text(path).strip() != text.strip():
            store.write_text(path, text)

    def lock_step(self, step: str) -> None:
        """Keep seeds and digests, of what was read and what was written, of a finished step in lock.json.

        A run that was not begun by `write_header` has none, as in tests of single steps.
        """
        path, record = self.root / "lock.json", self.record(step)
        snapshot = store.read_json(path) if path.is_file() and record else None
        if not record or not isinstance(snapshot, dict):
            return
        identity = record.identity
        locked: dict[str, JsonValue] = {
            "fingerprint": record.fingerprint,
            "seeds": {key: value for key, value in identity.items() if key.endswith(".seed")},
            "read": {key: value for key, value in identity.items() if key.startswith("file:")},
            "written": {name: entry.sha256 for name, entry in record.files.items()},
        }
        steps = snapshot.get("steps", {})
        if isinstance(steps, dict) and steps.get(step) != locked:
            store.write_json(path, {**snapshot, "steps": {**steps, step: locked}})


def read_model(path: Path, model: type[Model]) -> Model:
    """Return a JSON file as `model`.

    Raises:
        DataError: it holds something else.
    """
    hint = "Remove that folder to build the step again."
    if path.name == "state.json":
        hint = "Remove that file: it says only how far the step was."
    try:
        return model.model_validate(store.read_json(path))
    except ValidationError as error:
        raise DataError(f"{path}: not a file of this run's format", hint) from error
    except DataError as error:
        raise DataError(error.message, hint) from error


def describe_new_ledger(runtime: Runtime) -> str:
    """Return a note where the shared ledger does not exist yet (perhaps the path is wrong), else ""."""
    path = Path(runtime.ledger)
    if not runtime.ledger or path.is_file():
        return ""
    why = "every request will be sent, none is answered from a sibling's replies"
    return f"runtime.ledger: {path.resolve()} is new: {why}"


def environment_snapshot() -> dict[str, JsonValue]:
    """Return machine, Python, commit (of a checkout) and the version of every installed package."""
    packages = {
        d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]
    }
    checkout = Path(__file__).resolve().parents[2]
    commit = ""
    if (checkout / ".git").exists():
        command = ["git", "-C", str(checkout), "describe", "--always", "--dirty"]
        commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "format": FORMAT,
        "machine": platform.platform(),
        "python": platform.python_version(),
        "commit": commit,
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def list_runs(folder: Path = Path("runs")) -> Iterable[Run]:
    """Yield the runs under `folder`, by name."""
    for path in sorted(folder.glob("*/recipe.toml")):
        yield Run(path.parent)
