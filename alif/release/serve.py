"""Serve a model folder: vLLM, transformers or llama.cpp as a child process, asked like any other provider.

    model folder ─▶ vllm serve … │ transformers serve … ─▶ http://127.0.0.1:8000/v1 ─▶ any OpenAI client
    GGUF file    ─▶ python -m llama_cpp.server …        ─▶

vLLM is taken where it is installed: it answers many requests at once. The others need no GPU. All are
programs, so each may be installed in an environment of its own. The child listens on loopback only, reaches
no network, and ends with this process, however that ends.
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

__all__ = ["ServedModel", "find_program", "serve_model"]

READY_S = 1800.0
"""How long a model may take to load; an 8B from a slow disk takes minutes."""
ENDING_S = 20.0
"""How long the child may take to end before it is killed."""
SERVING_PACKAGES = ("transformers", "fastapi", "uvicorn", "openai")
"""Packages that `transformers serve` needs."""
LLAMA_SERVER = ("llama_cpp", "sse_starlette", "starlette_context")
"""Packages that llama.cpp's server needs."""
LAST_LINES = 5
"""Last lines of the child's output in the message when it fails."""
CHILD = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG: SIGTERM when the parent is gone, kill -9 included
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Becomes the program in argv. Source: man 2 prctl; elsewhere the child may outlive a killed parent."""


@dataclass(frozen=True)
class ServedModel:
    """A model that answers at an OpenAI-compatible address."""

    address: str
    model: str
    """The name to request it by."""
    by: str
    """The program that serves it."""
    process: subprocess.Popen[bytes]
    log: Path
    health: str = "/health"
    """What answers as soon as the model does."""

    def facts(self) -> dict[str, str]:
        """Return where it is and how to request it."""
        return {"address": self.address, "model": self.model, "by": self.by, "log": str(self.log)}

    def as_recipe_table(self) -> str:
        """Return the table that makes it a recipe's teacher."""
        keys = f'model = "{self.model}"\nbase_url = "{self.address}"'
        return f"[teacher.student]\n{keys}\n# {self.by} serve; Ctrl-C ends it"

    def wait(self) -> None:
        """Wait until Ctrl-C.

        Raises:
            ModelError: it ended by itself.
        """
        self.process.wait()
        raise self.ended_error()

    def wait_until_ready(self, ready_s: float) -> None:
        """Return when it is healthy; transformers' list of models fails without a download folder."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + ready_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self.ended_error()
            with suppress(OSError), opener.open(self.address.removesuffix("/v1") + self.health, timeout=5):
                return
            time.sleep(0.2)
        raise ModelError(
            f"{self.by} serve has not answered for {ready_s:,.0f} s", f"Read its output: {self.log}."
        )

    def end(self) -> None:
        """End the child and everything that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(ENDING_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def ended_error(self) -> ModelError:
        """Return the error of a child that ended by itself, with its last lines."""
        with self.log.open(encoding="utf-8", errors="replace") as file:
            said = " | ".join(deque((line.strip() for line in file if line.strip()), maxlen=LAST_LINES))
        return ModelError(
            f"{self.by} serve has ended with code {self.process.returncode}: {said[-500:]}",
            f"Read its output: {self.log}.",
        )


@contextmanager
def serve_model(
    folder: Path, log: Path, *, port: int = 0, by: str = "", ready_s: float = READY_S
) -> Iterator[ServedModel]:
    """Serve the model in `folder` for the length of a block.

    Args:
        folder: weights, configuration and a tokenizer with a chat template, or a GGUF file.
        log: file for the child's output.
        port: on loopback; 0: any free port.
        by: path of a `vllm` or `transformers` program, for a GGUF file of a Python that has llama.cpp; empty:
            what is installed.
        ready_s: how long it may take to load.

    Raises:
        DataError: no model there.
        MissingExtra: no program to serve it.
        AlifError: something else listens at the port.
        ModelError: the program cannot serve it.
    """
    gguf = next(iter(sorted(folder.glob("*.gguf"))), None)
    if gguf is None and not (folder / "config.json").is_file():
        there = ", ".join(sorted(path.name for path in folder.parent.glob("[!.]*") if path.is_dir()))
        hint = f"There is {there}." if there else "Export the run's model first: alif export RUN."
        raise DataError(f"{folder}: no model folder", hint)
    program = find_program(by) if gguf is None else _find_llama_server(by)
    model = str((gguf or folder).resolve())
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = f"port {port} is taken ({error.strerror})"
            raise AlifError(message, "Name another one with --port.") from error
        port = int(probe.getsockname()[1])
    serve = ["serve", model] if gguf is None else ["-m", "llama_cpp.server", "--model", model]
    command = [sys.executable, "-c", CHILD, str(program), *serve, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--served-model-name", model] if program.name == "vllm" else []
    with store.friendly_os_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("wb")
    with output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            start_new_session=True,
        )
    name, health = (program.name, "/health") if gguf is None else ("llama.cpp", "/v1/models")
    served = ServedModel(f"http://127.0.0.1:{port}/v1", model, name, process, log, health)
    try:
        served.wait_until_ready(ready_s)
        yield served
    finally:
        served.end()


def find_program(by: str = "") -> Path:
    """Return `by`, else vLLM where it is installed, else `transformers` where it can serve.

    Raises:
        DataError: `by` is no such program.
        MissingExtra: none is installed.
    """
    if by:
        found = shutil.which(by)
        if found is None or Path(found).name not in ("vllm", "transformers"):
            raise DataError(f"{by}: no program called vllm or transformers", "Name one: ENV/bin/vllm.")
        return Path(found)
    here = Path(sys.executable).parent
    if vllm := shutil.which("vllm", path=f"{here}{os.pathsep}{os.environ.get('PATH', '')}"):
        return Path(vllm)
    if (here / "transformers").is_file() and all(map(importlib.util.find_spec, SERVING_PACKAGES)):
        return here / "transformers"
    raise MissingExtra("serving a model", "serve")


def _find_llama_server(by: str) -> Path:
    """Return a Python that has llama.cpp's server: `by`, else this one.

    Raises:
        DataError: `by` cannot be run.
        MissingExtra: it has no such server.
    """
    python = shutil.which(by or sys.executable)
    if python is None:
        raise DataError(f"{by}: no such program", "Name one: ENV/bin/python.")
    script = f"import importlib.util as i, sys; sys.exit(not all(map(i.find_spec, {LLAMA_SERVER})))"
    if subprocess.run([python, "-c", script], capture_output=True, check=False).returncode:
        raise MissingExtra("serving a GGUF file", "llama-cpp")
    return Path(python)
