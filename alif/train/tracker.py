"""The training curve in trackio or Weights & Biases too, where a recipe asks for it (runtime.tracker).

Off by default; the curve on disk is always complete. Only numbers and the stage's settings are sent: no text,
no samples, nothing about the machine, which transformers' own integrations would send. trackio keeps them in
files here, unless TRACKIO_SPACE_ID or TRACKIO_SERVER_URL names a place. A tracker that fails during training
is left out: no training stops for it.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from alif import console, store
from alif.errors import AlifError, MissingExtra
from alif.runs import StepContext
from alif.runs.curves import CurvePoint
from alif.settings import Runtime, Stage

__all__ = ["PROJECT", "Tracker", "check_tracker", "numeric_values", "tracker_hosts"]

PROJECT = "alif"
NAME = "tracker.json"
"""File in a step's scratch folder: the name under which a resumed stage goes on."""


def tracker_hosts(runtime: Runtime) -> Iterator[tuple[str, str]]:
    """Yield (host, what is sent there) of the tracker that a recipe asks for; none where it is local."""
    sent = "the numbers of the training curve and the stages' settings; no text"
    space, server = os.environ.get("TRACKIO_SPACE_ID"), os.environ.get("TRACKIO_SERVER_URL")
    if runtime.tracker == "wandb" and os.environ.get("WANDB_MODE", "online") in ("online", "shared"):
        address = os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai"
        yield urlsplit(address).hostname or address, f"{sent}; WANDB_API_KEY"
    elif runtime.tracker == "trackio" and space:
        yield "huggingface.co", f"{sent}, to the Space {space}; HF_TOKEN"
    elif runtime.tracker == "trackio" and server:
        yield urlsplit(server).hostname or server, sent


def check_tracker(runtime: Runtime) -> None:
    """Refuse a tracker that is not installed.

    Raises:
        MissingExtra: it is not.
    """
    if runtime.tracker and find_spec(runtime.tracker) is None:
        raise MissingExtra(f'runtime.tracker = "{runtime.tracker}"', runtime.tracker)


class Tracker:
    """A stage's connection to the tracker that `runtime.tracker` names, or none."""

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
        check_tracker(self.context.runtime)
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        library: Any = import_module(self.kind)
        path = self.context.scratch / NAME
        if not steps or not path.is_file():
            store.write_json(path, f"{self.context.run}-{self.context.step}-{secrets.token_hex(3)}")
        name = str(store.read_json(path))
        options: dict[str, object] = {"embed": False, "auto_log_gpu": False, "auto_log_cpu": False}
        if self.kind == "wandb":
            folder = self.context.scratch / "wandb"
            folder.mkdir(parents=True, exist_ok=True)
            disabled = {f"x_disable_{what}": True for what in ("meta", "stats", "machine_info")}
            disabled |= {"disable_git": True, "disable_code": True, "x_save_requirements": False}
            settings = library.Settings(silent=True, console="off", **disabled)
            options = {"id": name, "dir": str(folder), "settings": settings}
        config = {"step": self.context.step, **self.stage.model_dump(mode="json")}
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # where `--json` has one document
                library.init(
                    project=PROJECT,
                    group=self.context.run,
                    config=config,
                    resume="allow",
                    name=name,
                    **options,
                )
        except Exception as error:  # whatever it raises, the advice is the same
            message = " ".join(str(error).split())[:200]
            raise AlifError(
                f'runtime.tracker = "{self.kind}": it cannot begin ({message or type(error).__name__})',
                "Log in with its own command (wandb login), or set "
                'runtime.tracker = "": the curve is written in any case.',
            ) from error
        self.library = library

    def log(self, point: CurvePoint) -> None:
        """Send a point of the curve."""
        self._call("log", numeric_values(point), step=point["step"])

    def end(self) -> None:
        """Send what waits, and close."""
        self._call("finish")

    def _call(self, function: str, *args: Any, **kwargs: Any) -> None:
        """Call the tracker, if there is one; leave out one that fails."""
        if self.library is None:
            return
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                getattr(self.library, function)(*args, **kwargs)
        except Exception as error:
            message = " ".join(str(error).split())[:200]
            console.log(f"{self.context.step}: {self.kind} fails and is left out ({message})")
            self.library = None


def numeric_values(point: CurvePoint) -> dict[str, float]:
    """Return the numbers of a point of the curve, bits per byte as one of each language."""
    plain = {key: value for key, value in point.items() if key != "step" and isinstance(value, int | float)}
    by_language = point.get("bits_per_byte", {})
    return plain | {f"bits_per_byte/{language}": bits for language, bits in by_language.items()}
