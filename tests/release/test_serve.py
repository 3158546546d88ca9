from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from alif.errors import AlifError, DataError, MissingExtra, ModelError
from alif.llm.budget import price_of
from alif.llm.endpoint import is_local
from alif.release import serve
from alif.settings import Teacher

STAND_IN = f"""#!{sys.executable}
import http.server, os, sys
if os.environ.get("STAND_IN") == "fails":
    sys.exit("CUDA out of memory")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 500)
        self.end_headers()
assert sys.argv[1] == "serve"
host, port = (sys.argv[sys.argv.index(name) + 1] for name in ("--host", "--port"))
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""
"""A program with the command line and addresses of the real ones, which benchmarks/real_server.py runs."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "demo" / "export" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture(params=["vllm", "transformers"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / str(request.param)
    path.write_text(STAND_IN)
    path.chmod(0o755)
    return str(path)


def gone(pid: int) -> bool:
    """Wait for the end of a process of somebody else's; a zombie has ended."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def answers(address: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address.removesuffix('/v1')}/health", timeout=5) as response:
        return bool(response.status == 200)


def test_a_model_answers_for_the_length_of_a_block(model: Path, program: str, tmp_path: Path) -> None:
    with serve.serve_model(model, tmp_path / "log" / "log.txt", by=program) as served:
        assert answers(served.address)
        assert served.model == str(model)
        teacher = Teacher.model_validate(tomllib.loads(served.as_recipe_table())["teacher"]["student"])
        assert (teacher.base_url, teacher.model) == (served.address, str(model))
        assert is_local(teacher.base_url)
        assert price_of("student", teacher).upper_usd(10**6, 10**6) == 0.0
    assert served.process.returncode is not None
    assert served.log.is_file()


def test_what_cannot_be_served_is_a_sentence(
    model: Path, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.txt"

    def refused(kind: type[AlifError], said: str, folder: Path = model, **more: object) -> None:
        with pytest.raises(kind, match=said), serve.serve_model(folder, log, **{"by": program, **more}):  # type: ignore[arg-type]  # as given
            pass

    refused(DataError, "no model folder", folder=tmp_path)
    refused(DataError, "no program called vllm or transformers", by="python")
    refused(ModelError, "has not answered", ready_s=0.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused(AlifError, "is taken", port=taken.getsockname()[1])
    monkeypatch.setenv("STAND_IN", "fails")
    refused(ModelError, "has ended with code 1: CUDA out of memory")


LLAMA_SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/v1/models", "/health") else 404)
        self.end_headers()
host, port, model = (sys.argv[sys.argv.index(name) + 1] for name in ("--host", "--port", "--model"))
assert model.endswith("demo-q8_0.gguf")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


def test_a_gguf_file_is_served_by_llama_cpp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the Python that has it; a stand-in has its command line, and its address that tells health."""
    folder = tmp_path / "export" / "gguf-q8_0"
    folder.mkdir(parents=True)
    (folder / "demo-q8_0.gguf").touch()
    with (
        pytest.raises(DataError, match="no such program"),
        serve.serve_model(folder, tmp_path / "log.txt", by="nowhere/python"),
    ):
        pass
    package = tmp_path / "packages" / "llama_cpp"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "server.py").write_text(LLAMA_SERVER)
    for name in ("sse_starlette", "starlette_context"):
        (tmp_path / "packages" / f"{name}.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    with serve.serve_model(folder, tmp_path / "log.txt", by=sys.executable) as served:
        assert answers(served.address)
        assert (served.by, served.model) == ("llama.cpp", str(folder / "demo-q8_0.gguf"))
    assert served.process.returncode is not None


def test_a_form_that_is_not_there_names_those_that_are(model: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match="gguf-f16: no model folder") as error,
        serve.serve_model(model.parent / "gguf-f16", tmp_path / "log.txt"),
    ):
        pass
    assert error.value.hint == "There is model."


def test_without_a_program_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MissingExtra, match="serving a model needs the serve extra") as caught:
        serve.find_program()
    assert caught.value.hint == 'In the checkout of Alif: pip install ".[serve]"'


@pytest.fixture
def started(
    model: Path, program: str, tmp_path: Path
) -> Callable[[], tuple[subprocess.Popen[str], dict[str, str]]]:
    """Return a function that starts `alif serve` and returns it with what it says."""
    (tmp_path / "runs" / "demo" / "recipe.toml").write_text('name = "demo"\n')

    def start() -> tuple[subprocess.Popen[str], dict[str, str]]:
        command = [
            sys.executable,
            "-m",
            "alif",
            "serve",
            "demo",
            "--port",
            "0",
            "--server",
            program,
            "--json",
        ]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            said += process.stdout.readline() or pytest.fail(process.communicate()[1])
        return process, json.loads(said)

    return start


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_alif_serve_ends_its_child_however_it_ends(
    started: Callable[[], tuple[subprocess.Popen[str], dict[str, str]]], how: signal.Signals
) -> None:
    process, facts = started()
    assert answers(facts["address"])
    child = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert process.returncode == (-how if how == signal.SIGKILL else 0)
    assert gone(child)


def test_a_child_that_ends_by_itself_is_said(
    started: Callable[[], tuple[subprocess.Popen[str], dict[str, str]]],
) -> None:
    process, _ = started()
    os.kill(int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()), signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "serve has ended with code -9" in said
