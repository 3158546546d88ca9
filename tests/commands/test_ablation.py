"""`alif ablate` as people type it: a plan first, bad input as a sentence, the results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif.cli import run_command
from tests.test_demo import SHORT

SETS = [part for line in (*SHORT, "finetune.epochs=0.5") for part in ("--set", line)]


def test_the_plan_is_a_document_and_does_nothing(document: Callable[..., Any], empty_folder: Path) -> None:
    found = document(
        "ablate", "demo", "--over", "adapter.rank=8,16", "--over", "pretrain.replay=0,0.2", "--plan"
    )
    assert found["runs"] == 12  # 2 x 2 points, 3 seeds
    assert found["shared_steps"] > 60
    assert found["hours"]["low"] < found["hours"]["high"]
    assert found["money"]["cap_usd"] == 1.0
    assert not list(empty_folder.iterdir())


def test_a_shipped_study_is_planned_by_name_on_another_recipe_with_other_values(
    document: Callable[..., Any],
) -> None:
    own = document("ablate", "ablate-rank", "--plan")
    assert (own["study"], own["recipe"], own["runs"]) == ("ablate-rank", "urdu-8b", 30)
    assert own["memory_gb"] > 60
    other = document(
        "ablate", "ablate-rank", "--recipe", "demo", "--over", "adapter.rank=2,16", "--seeds", "1", "--plan"
    )
    assert (other["study"], other["recipe"], other["points"]) == ("ablate-rank-demo", "demo", ["16", "2"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["demo", "--over", "adapter.rnk=8,16"], "adapter.rnk: no such key"),
        (["demo", "--over", "adapter.rank=8,many"], "input should be a valid integer"),
        (["demo", "--over", "adapter.rank"], "no key with values"),
        (["demo", "--over", "adapter.rank=8", "--over", "adapter.rank=16"], "stands there twice"),
        (["demo"], "nothing is varied"),
        (["nothing", "--over", "adapter.rank=8,16"], "nothing: no such recipe"),
        (["demo", "--recipe", "small", "--over", "adapter.rank=8,16"], "demo: no such study"),
        (["ablate-rank", "--recipe", "nothing"], "nothing: no such recipe"),
        (["demo", "--over", "adapter.rank=8,16", "--plan", "--gpu", "abacus"], "abacus"),
    ],
)
def test_bad_input_is_a_sentence(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], empty_folder: Path
) -> None:
    assert run_command(["ablate", *arguments]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
    assert not list(empty_folder.iterdir())


def test_a_study_of_ones_own_names_its_recipe(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = empty_folder / "mine.toml"
    path.write_text('[over]\n"adapter.rank" = [8, 16]\n', encoding="utf-8")
    assert run_command(["ablate", "mine.toml", "--plan"]) == 1
    assert "mine.toml: the study names no recipe" in capsys.readouterr().err
    assert run_command(["ablate", "mine.toml", "--recipe", "demo", "--plan"]) == 0
    assert "6 runs: 2 points, 3 trainings each, compared with 16." in capsys.readouterr().out


def test_ten_thousand_runs_want_to_be_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    values = ",".join(map(str, range(1, 101)))
    grid = [
        "ablate",
        "demo",
        "--over",
        f"adapter.rank={values}",
        "--over",
        f"tiny.seed={values}",
        "--seeds",
        "1",
    ]
    assert run_command(grid) == 1
    assert "10,000 runs: up to" in capsys.readouterr().err


def test_a_study_is_run_told_and_done_only_once(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str], empty_folder: Path
) -> None:
    command = [
        "ablate",
        "demo",
        "--over",
        "finetune.lr=0.002,1e14",
        "--seeds",
        "1",
        "--name",
        "layers",
        *SETS,
    ]
    found = document(*command, code=1)
    assert [one["settings"] for one in found["failures"]] == [{"finetune.lr": 1e14}]
    assert run_command(command) == 1
    told = capsys.readouterr()
    assert "seed 3407: finetune failed. finetune: the loss is not a number" in told.out
    assert "1 of 2 runs are not finished" in told.err
    assert (empty_folder / "runs" / "layers" / "report.html").is_file()
    assert run_command(["status", "layers/finetune.lr-0.002-seed-3407"]) == 0
    assert run_command(["run", "layers/finetune.lr-0.002-seed-3407", "--until", "evaluate", "--json"]) == 0
    assert not (empty_folder / "runs" / "finetune.lr-0.002-seed-3407").exists()
