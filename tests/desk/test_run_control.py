"""A run from the desk: it outlives the desk, stops as by Ctrl-C, and only one goes at a time."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from alif import recipe as recipes
from alif import store
from alif.desk import run_control
from alif.desk.people import Refused
from alif.llm.chat_model import ScriptedReply
from alif.records import Message
from alif.runs import Run
from tests import made_up
from tests.desk.conftest import PASSWORD, Browser
from tests.fake_provider import serve_provider

WAIT_S = 60


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


@contextlib.contextmanager
def desk_process(recipe: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a desk from a process of its own; yield it and its one-time link."""
    command = [sys.executable, "-m", "alif", "desk", recipe, "--port", "0", "--json"]
    desk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert desk.stdout is not None
    try:
        text = ""
        while not text.endswith("}\n"):
            text += desk.stdout.readline() or "\n}\n"
        yield desk, json.loads(text)["link"]
    finally:
        desk.kill()
        desk.wait()
        desk.stdout.close()


def test_a_run_started_in_the_browser_outlives_the_desk_and_another_desk_stops_it(folder: Path) -> None:
    asked, free = threading.Event(), threading.Event()

    def answer(messages: Sequence[Message], draw: int) -> ScriptedReply:
        asked.set()
        free.wait(WAIT_S)
        return ScriptedReply(text="جواب")

    run = Run(Path("runs/mine"))
    with serve_provider(answer) as server:
        keys = (
            f'model = "m"\nbase_url = "{server.address}"\nusd_per_million_in = 1.0\nusd_per_million_out = 1.0'
        )
        head = 'extends = "demo"\nname = "mine"\n[teacher]\nscripted = false\n[teacher.slow]\n'
        (folder / "mine.toml").write_text(f"{head}{keys}\n")
        with desk_process("mine.toml") as (desk, link):
            at = urlsplit(link)
            lead = Browser((str(at.hostname), int(at.port or 0)))
            assert lead.post(at.path, name="زید", password=PASSWORD)[0] == 303
            page = lead.get("/start")[1]
            digest = re.search(r'name="digest" value="(\w+)"', page)
            assert digest is not None
            assert "$1.00" in page
            assert lead.post("/start", digest=digest[1], cap="2")[0] == 422
            assert not (run.root / "runtime" / "desk").exists()
            assert lead.post("/start", digest=digest[1], cap="$1.00")[0] == 303
            assert lead.post("/start", digest=digest[1], cap="1")[0] == 409, "one at a time"
            assert asked.wait(WAIT_S)
            lead.connection.close()
            desk.send_signal(signal.SIGKILL)
            desk.wait()
        pid = json.loads((run.root / "runtime/desk/child.json").read_text())["pid"]
        os.kill(pid, 0)
        found = run_control.read_activity(run)  # of a desk that is opened later
        assert (found.state, found.by) == ("going", "زید")
        run_control.stop_run(run)
        assert run_control.read_activity(run).state == "stopping"
        with pytest.raises(Refused, match="run_rests"):
            run_control.stop_run(run)
        free.set()
        wait_for(lambda: not run.busy())
        assert len(server.served) > 0, "replies on their way were waited for"
        free.clear()
        wait_for(lambda: run_control.read_activity(run).state == "rests")
        run_control.start_run(run, run.root / "recipe.toml", "آمنہ")  # it goes on
        wait_for(lambda: run_control.read_activity(run).state == "going")
        run_control.stop_run(run)
        free.set()
        wait_for(lambda: run_control.read_activity(run).code == 130)
    assert run.state("generate")["state"] == "todo"
    assert "Stopped. Repeat the command" in run_control.read_activity(run).log
    assert recipes.load_recipe(run.root / "recipe.toml").teacher.keys() == {"slow"}


def test_how_a_run_ended_is_kept_with_what_it_said(folder: Path) -> None:
    run = Run(Path("runs/demo"))
    run_control.start_run(run, Path("none.toml"), "آمنہ")
    with pytest.raises(Refused, match="run_is_going"):
        run_control.start_run(run, Path("none.toml"), "آمنہ")
    wait_for(lambda: run_control.read_activity(run).code is not None)
    found = run_control.read_activity(run)
    assert (found.state, found.code) == ("rests", 1)
    assert "none.toml: no such recipe" in found.log
    with pytest.raises(Refused, match="run_rests"):
        run_control.stop_run(run)


def test_what_a_terminal_started_is_seen_and_left_alone(folder: Path) -> None:
    run = Run(Path("runs/demo"))
    with run.locked():
        assert run_control.read_activity(run).state == "elsewhere"
        for started in ({"pid": os.getpid(), "host": "another machine", "by": "x"}, {"pid": 1}, []):
            store.write_json(run.root / "runtime/desk/child.json", started)
            assert run_control.read_activity(run).state == "elsewhere"
            with pytest.raises(Refused, match="started_elsewhere"):
                run_control.stop_run(run)
            with pytest.raises(Refused, match="run_is_going"):
                run_control.start_run(run, Path("x.toml"), "x")
    assert run_control.read_activity(run).state == "rests"


def test_drift_is_told_as_the_command_line_tells_it(folder: Path) -> None:
    run = Run(made_up.build(folder, until="seeds"))
    recipe = recipes.load_recipe(run.root / "recipe.toml")
    told = run_control.describe_drift(run, recipe)
    assert "was built with" in told
    assert "Give the run another name" in told
    assert run_control.describe_drift(Run(folder / "new"), recipe) == ""


def test_a_log_that_no_terminal_should_obey_is_inert(folder: Path) -> None:
    run = Run(Path("runs/demo"))
    log = run.root / "runtime/desk/log.txt"
    store.write_text(log, "x" * 50_000 + "\n\x1b[2Jlast \u202e line\n")
    assert run_control.read_activity(run).log.endswith("\n\\x1b[2Jlast \\u202e line")
