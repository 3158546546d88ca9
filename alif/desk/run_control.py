"""Start, watch and stop a run from the desk: `alif run` in a process of its own.

    runs/NAME/runtime/desk/child.json   {"pid": 4711, "host": "…", "by": "آمنہ", "code": null, …}
    runs/NAME/runtime/desk/log.txt      what it prints

The process has a session of its own, so it outlives the desk, its terminal and Ctrl-C there. That one goes at
a time is the run's own lock; a desk that is opened later finds the process by what stands in these files. It
is stopped by the signal of Ctrl-C, to it and to what it started, as a terminal would send it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from alif import console, store
from alif.desk.people import Refused
from alif.errors import AlifError, Waiting
from alif.pipeline import PIPELINE
from alif.records import FrozenModel
from alif.runs import Run, is_current
from alif.settings import Recipe

__all__ = ["Activity", "ask_command", "describe_drift", "read_activity", "start_run", "stop_run"]

LAST_LINES, LAST_BYTES = 12, 20_000
"""Of the log that the page shows; of it that are read for them."""
CHECK_S = 120
"""How long a command that only looks may take."""
_starting = threading.Lock()
_children: dict[Path, subprocess.Popen[bytes]] = {}
"""What this desk has started, by the run's folder."""


class StartedRun(FrozenModel):
    """child.json."""

    pid: int
    host: str
    by: str
    code: int | None = None
    """How it ended; None: it has not, or nobody saw it."""
    stopping: bool = False


class Activity(NamedTuple):
    """What is going on in a run, as far as starting and stopping it goes."""

    state: str
    """rests, starting, going, stopping; elsewhere: something else works on it, which is stopped there."""
    by: str
    code: int | None
    log: str


def _folder(run: Run) -> Path:
    return run.root / "runtime" / "desk"


def _read_started(run: Run) -> StartedRun | None:
    try:
        return StartedRun.model_validate(store.read_json(_folder(run) / "child.json"))
    except (AlifError, ValidationError, OSError):
        return None


def read_activity(run: Run) -> Activity:
    """Return what is going on in the run."""
    started, child = _read_started(run), _children.get(run.root)
    is_starting = child is not None and child.poll() is None
    state = "starting" if is_starting else "rests"
    if run.busy():
        state = "going" if started and _holds_lock(run, started) else "elsewhere"
    if state in ("starting", "going") and started and started.stopping:
        state = "stopping"
    log = _folder(run) / "log.txt"
    text = ""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_BYTES))
        text = file.read().decode("utf-8", "replace")
    lines = [console.make_inert(line) for line in text.splitlines() if line.strip()]
    return Activity(
        state,
        started.by if started else "",
        started.code if started else None,
        "\n".join(lines[-LAST_LINES:]),
    )


def _holds_lock(run: Run, started: StartedRun) -> bool:
    """Tell whether who works on the run is the process that a desk on this machine has started."""
    owner = run.root / "runtime" / "pid"
    try:
        return started.host == socket.gethostname() and store.read_text(owner).strip() == str(started.pid)
    except (AlifError, OSError):
        return False


def start_run(run: Run, recipe: Path, by: str) -> None:
    """Start `alif run` on a recipe file; what it prints goes to the log.

    Raises:
        Refused: the run is going, or is being started.
    """
    folder = _folder(run)
    with _starting, store.friendly_os_errors(folder):
        if read_activity(run).state != "rests":
            raise Refused("run_is_going", 409)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log.txt").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "alif", "run", str(recipe)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _children[run.root] = child
        _write_started(run, StartedRun(pid=child.pid, host=socket.gethostname(), by=by))
    threading.Thread(target=_wait, args=(run, child), name="run", daemon=True).start()


def _write_started(run: Run, started: StartedRun) -> None:
    store.write_json(_folder(run) / "child.json", started.model_dump())


def _wait(run: Run, child: subprocess.Popen[bytes]) -> None:
    """Note how the process ended, if this desk is still there then."""
    code = child.wait()
    started = _read_started(run)
    if started and started.pid == child.pid:
        with contextlib.suppress(AlifError, OSError):
            _write_started(run, started.model_copy(update={"code": code, "stopping": False}))


def stop_run(run: Run) -> None:
    """Send the run the signal of Ctrl-C, once; replies on their way are waited for, and it can go on later.

    Raises:
        Refused: it does not go, is being stopped, or was started elsewhere.
    """
    state, started = read_activity(run).state, _read_started(run)
    if state == "elsewhere":
        raise Refused("started_elsewhere", 409)
    if state not in ("starting", "going") or started is None:
        raise Refused("run_rests", 409)
    _write_started(run, started.model_copy(update={"stopping": True}))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGINT)


def describe_drift(run: Run, recipe: Recipe) -> str:
    """Return why a run with this recipe would not go on, as the command line says it; "" where it would."""
    for step in PIPELINE:
        try:
            is_current(step, recipe, run)
        except Waiting:
            continue
        except AlifError as error:
            return f"{error.message}\n{error.hint}"
    return ""


def ask_command(*arguments: str) -> str:
    """Return what a command of `alif` prints that sends nothing: its JSON, or else its complaint.

    Raises:
        Refused: it takes too long.
    """
    command = [sys.executable, "-m", "alif", *arguments, "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Refused("took_too_long", 504) from error
    return done.stdout or done.stderr
