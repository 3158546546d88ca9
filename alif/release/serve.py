"""Serve a model folder: vLLM or `transformers serve` as a child process, asked like any other provider.

    model folder ─▶ vllm serve … │ transformers serve … ─▶ http://127.0.0.1:8000/v1 ─▶ alif, curl, any OpenAI client

vLLM is taken where it is installed: it answers many requests at once. The other needs no GPU. Both are programs, so either may
lie in an environment of its own. The child listens on loopback only, reaches no network, and ends with this process, however
that ends.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from alif import store
from alif.errors import AlifError, DataError, MissingExtra, ModelError
from alif.recipe import Teacher

__all__ = ["ServedModel", "find_program", "serve_model"]

READY_S = 1800.0
"""How long a model may take to load; an 8B from a slow disk takes minutes."""
ENDING_S = 20.0
"""How long the child may take to end before it is killed."""
SERVING = ("transformers", "fastapi", "uvicorn", "openai")
"""Packages that `transformers serve` needs."""
WORDS = 5
"""Last lines of the child's output that are told when it fails."""
_TETHERED = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM: ended by the system when the parent is gone, a kill -9 included
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Becomes the program in argv. Source: man 2 prctl; elsewhere the child may outlive a killed parent."""


@dataclass(frozen=True)
class ServedModel:
    """A model that answers."""

    address: str
    """OpenAI-compatible."""
    model: str
    """The name to ask it by."""
    by: str
    """Which program serves it."""
    process: subprocess.Popen[bytes]
    log: Path

    def teacher(self, max_tokens: int = 1024, temperature: float = 1.0) -> Teacher:
        """Return it as a recipe's teacher: local, so that it needs neither key nor price."""
        return Teacher(
            model=self.model, base_url=self.address, max_tokens=max_tokens, temperature=temperature
        )

    def facts(self) -> dict[str, str]:
        """Return where it is and how to ask it."""
        return {"address": self.address, "model": self.model, "by": self.by, "log": str(self.log)}

    def told(self) -> str:
        """Return the same for a person: the table that makes it a recipe's teacher."""
        return f'[teacher.student]\nmodel = "{self.model}"\naddress = "{self.address}"\n# {self.by} serve; Ctrl-C ends it'

    def wait(self) -> None:
        """Wait, until a person ends it with Ctrl-C.

        Raises:
            ModelError: it ended by itself.
        """
        self.process.wait()
        raise _ended(self.by, self.process, self.log)


@contextmanager
def serve_model(
    folder: Path, log: Path, *, port: int = 0, by: str = "", ready_s: float = READY_S
) -> Iterator[ServedModel]:
    """Serve the model in `folder` for the length of a block.

    Args:
        folder: weights, configuration and a tokenizer with a chat template, as `export` writes them.
        log: file for what the child says.
        port: on loopback; 0: any that is free.
        by: path of a `vllm` or `transformers` program; empty: the one that is installed.
        ready_s: how long it may take to load.

    Raises:
        DataError: no model there.
        MissingExtra: no program to serve it.
        ModelError: the program cannot serve it.
    """
    if not (folder / "config.json").is_file():
        raise DataError(f"{folder}: no model folder", "Export the run's model first: alif export RUN.")
    chosen, free = find_program(by), _free(port)
    with store.friendly_os_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("wb")
    with output:
        process = subprocess.Popen(
            _command(chosen, folder.resolve(), free),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            start_new_session=True,
        )
    try:
        served = ServedModel(f"http://127.0.0.1:{free}/v1", str(folder.resolve()), chosen.name, process, log)
        _await(served, ready_s)
        yield served
    finally:
        _end(process)


def find_program(by: str = "") -> Path:
    """Return the program to serve with: `by`, else vLLM where it is installed, else `transformers` where it can serve.

    Raises:
        DataError: `by` is no such program.
        MissingExtra: none is installed.
    """
    if by:
        found = shutil.which(by)
        if found is None or Path(found).name not in ("vllm", "transformers"):
            raise DataError(
                f"{by}: no program called vllm or transformers", "Name one: ENVIRONMENT/bin/vllm."
            )
        return Path(found)
    here = Path(sys.executable).parent
    vllm = shutil.which("vllm", path=f"{here}{os.pathsep}{os.environ.get('PATH', '')}")
    if vllm:
        return Path(vllm)
    if (here / "transformers").is_file() and all(importlib.util.find_spec(name) for name in SERVING):
        return here / "transformers"
    raise MissingExtra("serving a model", "serve")


def _command(program: Path, folder: Path, port: int) -> list[str]:
    own = ["--served-model-name", str(folder)] if program.name == "vllm" else []
    return [
        sys.executable,
        "-c",
        _TETHERED,
        str(program),
        "serve",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *own,
    ]


def _free(port: int) -> int:
    """Return `port`, or any free one for 0.

    Raises:
        AlifError: something else listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise AlifError(
                f"port {port} is taken ({error.strerror})", "Name another one with --port."
            ) from error
        return int(probe.getsockname()[1])


def _await(served: ServedModel, ready_s: float) -> None:
    """Return when the server answers. Not by its list of models: transformers looks for a download folder and fails without."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + ready_s
    while time.monotonic() < deadline:
        if served.process.poll() is not None:
            raise _ended(served.by, served.process, served.log)
        with suppress(OSError), opener.open(f"{served.address.removesuffix('/v1')}/health", timeout=5):
            return
        time.sleep(0.2)
    raise ModelError(
        f"{served.by} serve has not answered for {ready_s:,.0f} s", f"Read what it says: {served.log}."
    )


def _ended(by: str, process: subprocess.Popen[bytes], log: Path) -> ModelError:
    with log.open(encoding="utf-8", errors="replace") as file:
        words = " | ".join(deque((line.strip() for line in file if line.strip()), maxlen=WORDS))
    return ModelError(
        f"{by} serve has ended with code {process.returncode}: {words[-500:]}", f"Read what it says: {log}."
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child and everything that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
