"""The numbers of a stage's curve to trackio or Weights & Biases too, where a recipe asks for it (runtime.tracker).

Off by default; the curve on disk is always whole. Only numbers and the stage's settings are sent: no text, no samples, nothing
about the machine. trackio keeps them in files here, unless TRACKIO_SPACE_ID or TRACKIO_SERVER_URL names a place; `trackio show`
draws them. A tracker that fails in the middle is told once and left out: no training stops for it.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from alif import console, store
from alif.errors import AlifError, MissingExtra
from alif.runs import StepContext
from alif.settings import Runtime, Stage

__all__ = ["PROJECT", "Tracker", "numeric_values", "tracker_hosts"]

PROJECT = "alif"
NAME = "tracker.json"
"""File in a step's scratch folder: the name that a resumed stage goes on under."""


def tracker_hosts(runtime: Runtime) -> Iterator[tuple[str, str]]:
    """Yield (host, what is sent there) of the tracker that a recipe asks for; none where it keeps to this machine."""
    sent = "the numbers of the training curve and the stages' settings; no text"
    space, server = os.environ.get("TRACKIO_SPACE_ID"), os.environ.get("TRACKIO_SERVER_URL")
    if runtime.tracker == "wandb" and os.environ.get("WANDB_MODE", "online") in ("online", "shared"):
        address = os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"
        yield urlsplit(address).hostname or address, f"{sent}; WANDB_API_KEY"
    elif runtime.tracker == "trackio" and space:
        yield "huggingface.co", f"{sent}, to the Space {space}; HF_TOKEN"
    elif runtime.tracker == "trackio" and server:
        yield urlsplit(server).hostname or server, sent


class Tracker:
    """A stage's line to the tracker that `runtime.tracker` names, or none."""

    def __init__(self, context: StepContext, stage: Stage) -> None:
        self.context, self.stage, self.kind = context, stage, context.runtime.tracker
        self.library: Any = None

    def begin(self, steps: int) -> None:
        """Begin, or go on after `steps` steps.

        Raises:
            MissingExtra: the tracker is not installed.
            AlifError: it refuses: no key, no network.
        """
        if not self.kind:
            return
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            library: Any = import_module(self.kind)
        except ImportError as error:
            raise MissingExtra(f'runtime.tracker = "{self.kind}"', self.kind) from error
        settings = {"step": self.context.step, **self.stage.model_dump(mode="json")}
        common = {
            "project": PROJECT,
            "group": self.context.run,
            "config": settings,
            "resume": "allow",
            "name": self._name(steps),
        }
        try:
            with _silent():
                library.init(**common, **getattr(self, f"_{self.kind}")(library))
        except Exception as error:  # whatever it raises, the cure is the same
            told = " ".join(str(error).split())[:200]
            raise AlifError(
                f'runtime.tracker = "{self.kind}": it cannot begin ({told or type(error).__name__})',
                'Log in with its own command (wandb login), or set runtime.tracker = "": the curve is written in any case.',
            ) from error
        self.library = library

    def log(self, row: Mapping[str, Any]) -> None:
        """Send a row of the curve."""
        self._tell("log", numeric_values(row), step=row["step"])

    def end(self) -> None:
        """Send what waits, and close."""
        self._tell("finish")

    def _tell(self, what: str, *context: Any, **more: Any) -> None:
        """Do nothing without a tracker; leave one out that fails."""
        if self.library is None:
            return
        try:
            with _silent():
                getattr(self.library, what)(*context, **more)
        except Exception as error:
            console.log(
                f"{self.context.step}: {self.kind} fails and is left out ({' '.join(str(error).split())[:200]})"
            )
            self.library = None

    def _name(self, steps: int) -> str:
        """Return the name of this training: kept where it goes on, another one where it begins anew."""
        path = self.context.scratch / NAME
        if not steps or not path.is_file():
            store.write_json(path, f"{self.context.run}-{self.context.step}-{secrets.token_hex(3)}")
        return str(store.read_json(path))

    def _trackio(self, library: Any) -> dict[str, Any]:
        return {"embed": False, "auto_log_gpu": False, "auto_log_cpu": False}

    def _wandb(self, library: Any) -> dict[str, Any]:
        folder = self.context.scratch / "wandb"
        folder.mkdir(parents=True, exist_ok=True)
        nothing_else = {f"x_disable_{what}": True for what in ("meta", "stats", "machine_info")}
        nothing_else |= {"disable_git": True, "disable_code": True, "x_save_requirements": False}
        settings = library.Settings(silent=True, console="off", **nothing_else)
        return {"id": self._name(1), "dir": str(folder), "settings": settings}


def numeric_values(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a row of the curve, bits per byte as one of each language."""
    plain = {key: value for key, value in row.items() if key != "step" and isinstance(value, int | float)}
    return plain | {
        f"bits_per_byte/{language}": bits for language, bits in row.get("bits_per_byte", {}).items()
    }


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what a tracker prints from standard output, where `--json` has one document."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
