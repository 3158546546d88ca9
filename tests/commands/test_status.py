"""What `alif status` shows: every row accounted for, why a step stopped, what is spent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.cli import run_command
from alif.language.pack import load_pack
from alif.language.replies.item_format import write_item
from alif.llm.chat_model import ScriptedReply
from alif.llm.ledger import Ledger
from tests.commands.conftest import SMALL
from tests.fake_provider import serve_provider


def test_every_row_of_a_step_is_kept_dropped_or_not_sampled(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("replay", "demo", *SMALL, "--set", "replay.rows=20")
    steps = {step["name"]: step for step in document("status", "demo")["steps"]}
    for step in steps.values():
        assert step["rows_in"] == step["kept"] + sum(step["dropped"].values()) + step["not_sampled"]
    assert steps["replay"]["kept"] == 20
    assert steps["replay"]["not_sampled"] > 0
    assert run_command(["status", "demo"]) == 0
    assert "not sampled" in capsys.readouterr().out.splitlines()[1]


def test_a_run_that_the_cap_stopped_says_so_and_what_is_spent(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    prices = [
        "--set",
        "teacher.scripted.usd_per_million_in=10.0",
        "--set",
        "teacher.scripted.usd_per_million_out=10.0",
    ]
    cap = [*SMALL, *prices, "--set", "runtime.max_cost_usd=0.3"]
    assert run_command(["ping", "demo", *cap]) == 0
    assert "spent of $0.30, runtime.max_cost_usd" in capsys.readouterr().out
    assert run_command(["generate", "demo", *cap]) == 4
    found = document("status", "demo")
    step = next(step for step in found["steps"] if step["name"] == "generate")
    assert step["state"] == "cap reached"
    assert "of $0.30" in step["message"]
    with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
        whole, check, asked = (ledger.account("demo", name).usd for name in (None, "check", "generate"))
    assert found["money"]["spent_usd"] == pytest.approx(whole)
    assert found["money"]["cap_usd"] == 0.3
    assert found["money"]["steps"] == {"check": check, "generate": asked}
    assert found["money"]["roles"] == {"teacher": pytest.approx(whole)}
    assert 0 < step["cost_usd"] == asked
    assert document("ls")["runs"] == [{"name": "demo", "state": "cap reached at generate"}]


def test_a_task_that_ended_short_of_its_target_is_in_the_status(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    seed = next(store.read_rows(load_pack("ur").folder / "seeds" / "qa.jsonl"))[1]
    reply = ScriptedReply(text=write_item(seed["instruction"], "", seed["output"]))  # the pool has it
    with serve_provider(lambda messages, draw: reply) as server:
        document(
            "generate",
            "demo",
            "--set",
            f'teacher.scripted.base_url="{server.address}"',
            "--set",
            "generate.target_rows=35",
        )
    step = next(step for step in document("status", "demo")["steps"] if step["name"] == "generate")
    assert (step["kept"], step["target"]) == (0, 35)
    assert "qa" in step["saturated"]
    assert run_command(["status", "demo"]) == 0
    assert "0 of 35 rows, saturated: " in capsys.readouterr().out
