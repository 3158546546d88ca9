"""What people type: exit codes, one JSON document, sentences for bad input, old names."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from alif.cli import COMMANDS, RENAMED, app, run_command


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_usage_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["frobnicate"]) == 2
    assert run_command(["run", "demo", "--sett", "x"]) == 2
    assert "Did you mean --set" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "nothing"], "nothing: no such recipe, run or file"),
        (["run", "demo", "--set", "pool.treshold=1"], "pool.treshold: no such key"),
        (["run", "demo", "--until", "baking"], "--until baking: no such step"),
        (["status", "demo"], "runs/demo: no such run"),
        (["show", "demo", "seeds"], "runs/demo: no such run"),
        (["chat", "demo"], "runs/demo: no such run"),
        (["report", "demo"], "runs/demo: no such run"),
        (["run", "demo", "--set", 'language.pack="xx"'], "xx"),
        (["corpus", "demo", "--set", 'corpus.source="none/*.jsonl"'], "none/*.jsonl: no such file"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_1(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(arguments) == 1
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert not said.out
    assert not list(Path().glob("runs/*")), (
        "what cannot be run is not kept: the next command would start from it"
    )


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_is_answered_with_the_new_one(old: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, *flag = old.split()
    for arguments in ([command, "demo", *flag, "7"], [command, "demo", *(f"{one}=7" for one in flag)]):
        assert run_command(arguments) == 2
        told = capsys.readouterr()
        assert RENAMED[old] in told.err
        assert not told.out
    assert RENAMED[old].split()[1] in COMMANDS
    assert not Path("runs").exists()


@pytest.mark.parametrize("name", [name for name in app if not name.startswith("-")])
def test_every_command_argument_and_flag_has_help(name: str) -> None:
    parts = [app[name][part] for part in app[name] if not part.startswith("-")]  # `alif benchmark pin`
    assert app[name].help
    for command in parts or [app[name]]:
        assert command.help
        for argument in command.assemble_argument_collection():
            assert argument.parameter.help, f"alif {name}: {argument.name}"


def test_the_help_of_a_command_is_its_docstring() -> None:
    for name, function in COMMANDS.items():
        first = (inspect.getdoc(function) or "").splitlines()[0]
        assert first
        assert app[name].help.startswith(first)


def test_ctrl_c_is_heard_where_python_swallows_it() -> None:
    code = """
import signal, sys, time
from alif import cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in the background
class Dying:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
def dies(_):
    Dying()
    time.sleep(20)
cli.run_command = dies
try:
    cli.main([])
except KeyboardInterrupt:
    print("heard")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("heard\n", "")
