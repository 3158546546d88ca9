"""The run's model as a child process: loaded at the first question, gone when it is idle or the desk ends."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from alif import store
from alif.errors import ModelError
from alif.records import EXTRA_STAGES, STAGES, Message
from alif.runs import Run

__all__ = ["StudentProcess", "has_model", "model_stamp"]

ENDING_S = 10
"""How long it may take to end before it is killed."""


def has_model(run: Run) -> bool:
    """Tell whether the run has a model yet, if only its base."""
    return (run.root / "base" / "base.json").is_file()


def model_stamp(run: Run) -> tuple[int, ...]:
    """Return what changes where the run has another model than before."""
    steps = [run.folder(name) / "step.json" for name in ("base", *STAGES, *EXTRA_STAGES, "export")]
    return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in steps)


class StudentProcess:
    """One model that answers one question at a time."""

    def __init__(self, run: Run) -> None:
        self.stamp = model_stamp(run)
        self._log = run.root / "runtime" / "desk" / "chat.txt"
        with store.friendly_os_errors(self._log):
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("wb") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "alif.release.chat_worker", str(run.root)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,
                )
        told = self._read()
        if "ready" not in told:
            self.close()
            raise ModelError(told.get("error", f"the model cannot be loaded: {self._log}"), "")

    def answer(
        self, messages: Sequence[Message], sampling: Mapping[str, object], watch: Callable[[str], bool]
    ) -> str:
        """Return the answer; `watch` sees it grow, and ends it by False.

        Raises:
            ModelError: the model cannot answer this, or has ended.
        """
        asked: dict[str, object] = {"messages": [one.model_dump() for one in messages]}
        asked |= {key: sampling[key] for key in ("temperature", "max_tokens", "seed")}
        self._send(asked)
        wanted = True
        while "done" not in (told := self._read()):
            if "error" in told or "text" not in told:
                raise ModelError(told.get("error", f"the model has ended: {self._log}"), "")
            if wanted and not watch(told["text"]):
                wanted = False
                self._send({"stop": True})
        return told["done"]

    def _send(self, line: Mapping[str, object]) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: the next line that is read says so
            self._child.stdin.write(json.dumps(line) + "\n")
            self._child.stdin.flush()

    def _read(self) -> dict[str, str]:
        assert self._child.stdout is not None
        found: dict[str, str] = json.loads(self._child.stdout.readline() or "{}")
        return found

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._child.poll() is None

    def close(self) -> None:
        """End the process."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        try:
            self._child.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
