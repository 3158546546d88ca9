"""What `alif check` finds; it sends nothing."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.cli import run_command
from alif.language.pack import load_pack


def test_check_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check", "demo"]) == 0
    assert not Path("runs").exists()
    assert "Nothing was sent." in capsys.readouterr().out


@pytest.mark.parametrize("name", recipes.shipped_recipes())
def test_check_answers_for_every_shipped_recipe(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command(["check", name, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == bool(found["problems"])
    assert found["recipe"] == name
    assert all(setting["key"] for setting in found["settings"])
    for problem in found["problems"]:
        assert problem["message"]
        assert problem["hint"]


def test_check_names_every_host_and_what_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    sets = ["--set", 'student.base="meta-llama/Llama-3.1-8B"', "--set", 'teacher.gpt.model="gpt-4o"']
    assert run_command(["check", "demo", "--json", *sets]) == 1
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
    assert run_command(["check", "demo", *teacher]) == 1
    said = capsys.readouterr()
    assert "! teacher.gpt.usd_per_million_in: the price of gpt-4o" in said.out
    assert "demo: 2 problems\nFix the problems listed above." in said.err
    nothing_asked = ["--set", "generate.target_rows=0", "--set", "translate.rows=0"]
    assert run_command(["check", "demo", *teacher, *nothing_asked]) == 0
    assert "No problems found" in capsys.readouterr().out


def test_check_knows_shares_of_no_task_and_tasks_without_a_teacher(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def problems(share: str, *sets: str) -> list[str]:
        arguments = [f"teacher.scripted.weight={share}", *sets]
        code = run_command(
            ["check", "demo", "--json", *(part for line in arguments for part in ("--set", line))]
        )
        found = json.loads(capsys.readouterr().out)["problems"]
        assert code == bool(found)
        return [problem["message"] for problem in found]

    assert problems("{reasoning = 3.0, other = 1.0}") == []
    misspelt = "teacher.scripted.weight.sentimant: no task of the pack ur"
    assert problems("{sentimant = 3.0, other = 1.0}") == [misspelt]
    uncovered = problems("{reasoning = 1.0}")
    assert "teacher.NAME.weight: no teacher has a weight for the task generation" in uncovered
    assert not any("task reasoning" in one for one in uncovered)
    second = 'teacher.two={model="m", base_url="http://pc:1/v1"}'
    assert problems("{reasoning = 1.0}", second) == [], "the other teacher has the rest"
    assert problems("{reasoning = 1.0}", "generate.target_rows=0") == [], "nothing is generated"


TRACKERS = ("wandb", "trackio")


def test_check_names_where_a_mirror_and_a_tracker_send(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hosts(*sets: str) -> dict[str, str]:
        code = run_command(["check", "demo", "--json", *(part for line in sets for part in ("--set", line))])
        missing = any(f'tracker="{name}"' in "".join(sets) and not find_spec(name) for name in TRACKERS)
        assert code == int(missing)
        return {host["host"]: host["sent"] for host in json.loads(capsys.readouterr().out)["hosts"]}

    plain = hosts()
    assert "checkpoints" in hosts('runtime.backup="hub:somebody/runs"')["huggingface.co"]
    assert "no text" in hosts('runtime.tracker="wandb"')["api.wandb.ai"]
    assert hosts('runtime.tracker="trackio"') == plain  # it keeps files here
    monkeypatch.setenv("TRACKIO_SPACE_ID", "somebody/curves")
    assert "somebody/curves" in hosts('runtime.tracker="trackio"')["huggingface.co"]
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert hosts('runtime.tracker="wandb"') == plain


def test_a_pack_with_errors_is_exit_1_after_all_of_them_were_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run_command(["check", "--pack", "ur"]) == 0
    capsys.readouterr()
    copy = tmp_path / "pack"
    shutil.copytree(load_pack("ur").folder, copy)
    (copy / "card.md").write_text("")
    (copy / "seeds" / "qa.jsonl").write_text("[1]\n")
    assert run_command(["check", "--pack", str(copy)]) == 1
    told = capsys.readouterr()
    assert "seeds/qa.jsonl:1: not a JSON object" in told.out
    assert "wrong\nStart at the top" in told.err


def test_check_names_the_hosts_of_systems_that_are_measured_beside_the_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    systems = [
        'system.gpt={model="gpt-4o", base_url="https://api.openai.com/v1"}',
        'system.published={model="a/b"}',
    ]
    sets = [part for line in systems for part in ("--set", line)]
    assert run_command(["check", "demo", "--json", *sets]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {host["host"] for host in found["hosts"]} == {"127.0.0.1", "api.openai.com", "huggingface.co"}
    messages = [problem["message"] for problem in found["problems"]]
    assert any(message.startswith("system.gpt.usd_per_million_in") for message in messages)


def test_check_and_plan_count_the_judges_cost_and_name_their_families(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    price = "usd_per_million_in=2, usd_per_million_out=8"
    lines = [f'judge.j={{model="gpt-4.1", {price}}}', f'teacher.t={{model="openai/gpt-4o", {price}}}']
    sets = [part for line in (*lines, "judging.questions=10") for part in ("--set", line)]
    assert run_command(["check", "demo", "--json", *sets]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {
        "host": "api.openai.com",
        "sent": "judge.j: prompts for gpt-4.1, with the key from OPENAI_API_KEY",
    } in (found["hosts"])
    judge = found["judges"]["j"]
    assert (
        judge["calls"] == 2 * 10 * 2 + 10 * 3
    )  # both stages in both orders, three systems by a rubric at most
    assert 0.1 < judge["usd"] < 10
    assert any(
        "gpt-4.1 is of the family gpt, as is the teacher openai/gpt-4o" in one for one in found["notes"]
    )
    assert run_command(["plan", "demo", "--gpu", "h200", "--json", *sets]) == 0
    assert json.loads(capsys.readouterr().out)["judges"]["j"] == judge
    wrong = ["--set", 'judging.pairs=[["nobody","base"]]', "--set", 'judging.prompt_language="own"']
    assert run_command(["check", "demo", "--json", *sets, *wrong]) == 1
    messages = [one["message"] for one in json.loads(capsys.readouterr().out)["problems"]]
    assert messages == ["judging.pairs: no answers of nobody are stored"]
