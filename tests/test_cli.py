"""What people type: exit codes, one JSON document, sentences for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.cli import _main


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_usage_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["frobnicate"]) == 2
    assert _main(["run", "demo", "--sett", "x"]) == 2
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
    assert _main(arguments) == 1
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert not said.out
    assert not list(Path().glob("runs/*")), (
        "what cannot be run is not kept: the next command would start from it"
    )


@pytest.mark.parametrize("name", recipes.shipped_recipes())
def test_check_answers_for_every_shipped_recipe(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = _main(["check", name, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == bool(found["problems"])
    assert found["recipe"] == name
    assert all(setting["key"] for setting in found["settings"])
    for problem in found["problems"]:
        assert problem["message"]
        assert problem["hint"]


def test_check_names_every_host_and_what_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    sets = ["--set", 'student.base="meta-llama/Llama-3.1-8B"', "--set", 'teacher.gpt.model="gpt-4o"']
    assert _main(["check", "demo", "--json", *sets]) == 1
    found = json.loads(capsys.readouterr().out)
    hosts = {host["host"]: host["sent"] for host in found["hosts"]}
    assert set(hosts) == {"127.0.0.1", "api.openai.com", "huggingface.co"}
    assert "prompts" in hosts["api.openai.com"]
    assert any("price" in problem["message"] for problem in found["problems"])


def test_check_is_exit_1_where_a_run_would_stop_and_0_where_it_would_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    teacher = ["--set", 'teacher.gpt.model="gpt-4o"']
    assert _main(["check", "demo", *teacher]) == 1
    said = capsys.readouterr()
    assert "! teacher.gpt.usd_per_million_in: the price of gpt-4o" in said.out
    assert "demo: 2 problems\nMend what is said above" in said.err
    nothing_asked = ["--set", "generate.target_rows=0", "--set", "translate.rows=0"]
    assert _main(["check", "demo", *teacher, *nothing_asked]) == 0
    assert "No problems found" in capsys.readouterr().out


def test_check_knows_shares_of_no_task_and_tasks_without_a_teacher(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def problems(share: str, *sets: str) -> list[str]:
        arguments = [f"teacher.scripted.weight={share}", *sets]
        code = _main(["check", "demo", "--json", *(part for line in arguments for part in ("--set", line))])
        found = json.loads(capsys.readouterr().out)["problems"]
        assert code == bool(found)
        return [problem["message"] for problem in found]

    assert problems("{reasoning = 3.0, other = 1.0}") == []
    misspelt = "teacher.scripted.weight.sentimant: no task of the pack ur"
    assert problems("{sentimant = 3.0, other = 1.0}") == [misspelt]
    uncovered = problems("{reasoning = 1.0}")
    assert "teacher.NAME.weight: no teacher has a share of the task generation" in uncovered
    assert not any("task reasoning" in one for one in uncovered)
    second = 'teacher.two={model="m", address="http://pc:1/v1"}'
    assert problems("{reasoning = 1.0}", second) == [], "the other teacher has the rest"
    assert problems("{reasoning = 1.0}", "generate.target_rows=0") == [], "nothing is generated"


def test_check_names_where_a_mirror_and_a_tracker_send(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hosts(*sets: str) -> dict[str, str]:
        assert _main(["check", "demo", "--json", *(part for line in sets for part in ("--set", line))]) == 0
        return {host["host"]: host["sent"] for host in json.loads(capsys.readouterr().out)["hosts"]}

    plain = hosts()
    assert "checkpoints" in hosts('runtime.backup="hub:somebody/runs"')["huggingface.co"]
    assert "no text" in hosts('runtime.tracker="wandb"')["api.wandb.ai"]
    assert hosts('runtime.tracker="trackio"') == plain  # it keeps files here
    monkeypatch.setenv("TRACKIO_SPACE_ID", "somebody/curves")
    assert "somebody/curves" in hosts('runtime.tracker="trackio"')["huggingface.co"]
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert hosts('runtime.tracker="wandb"') == plain


def test_new_copies_a_recipe_and_refuses_to_overwrite(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(["new", "demo", "mine.toml"]) == 0
    assert recipes.load_recipe(empty_folder / "mine.toml") == recipes.load_recipe(
        recipes.shipped_recipes()["demo"]
    )
    assert _main(["new", "demo", "mine.toml"]) == 1
    assert "mine.toml: is already there" in capsys.readouterr().err


def test_ls_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["ls", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"packs", "recipes", "runs"} == set(found)
    assert found["runs"] == []
    urdu = next(one for one in found["packs"] if one["tasks"])
    assert urdu["seeds"] >= 50


def test_a_step_alone_is_done_with_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        _main(
            [
                "generate",
                "demo",
                "--json",
                "--set",
                "generate.target_rows=14",
                "--set",
                "generate.requests_per_round=2",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    states = {step["name"]: step["state"] for step in found["steps"]}
    assert (states["seeds"], states["generate"], states["translate"]) == ("done", "done", "todo")
    assert _main(["show", "demo", "generate", "--json", "-n", "3"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 3
    assert all(row["origin"]["kind"] == "teacher" for row in rows)


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
cli._main = dies
try:
    cli.main([])
except KeyboardInterrupt:
    print("heard")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("heard\n", "")
