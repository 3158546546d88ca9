"""Each distinct step is done once, no request sent twice; one cap for all; a failure stops only its own."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from alif.ablate.grid import StudyRun
from alif.ablate.run_siblings import find_failures, run_siblings
from alif.ablate.study import Study
from alif.ablate.study_plan import plan_study, spent_usd
from alif.errors import BudgetError, BusyError, RecipeError
from alif.llm.ledger import Ledger
from alif.runs import Run
from tests.ablate.conftest import RANKS, short_study
from tests.test_demo import SHORT, alif, fingerprints, replies


def count_executed(found: StudyRun) -> dict[str, int]:
    """Return how often each step was done: a linked one has the inode of the one that was."""
    steps: dict[str, set[int]] = {}
    for sibling in found.siblings:
        for path in sibling.run.root.glob("*/step.json"):
            steps.setdefault(path.parent.name, set()).add(path.stat().st_ino)
    return {name: len(inodes) for name, inodes in steps.items()}


def account(found: StudyRun) -> tuple[int, int]:
    with closing(Ledger(found.ledger)) as ledger:
        sums = ledger.account()
        return sums.requests, sums.replies


def test_what_the_plan_counts_is_what_is_done(study: StudyRun, undisturbed: Path) -> None:
    planned = {one["step"]: one["distinct"] for one in plan_study(study, "h200", 1.0)["steps"]}
    executed = count_executed(study)
    assert {name: executed[name] for name in planned} == planned
    assert planned["generate"] == planned["base"] == planned["blend"] == 1
    assert planned["pretrain"] == planned["evaluate"] == 4
    assert account(study) == replies(undisturbed)  # as many requests as one run sends


def test_a_sibling_is_equal_to_the_bit_to_a_run_of_its_own(study: StudyRun, undisturbed: Path) -> None:
    (own,) = (one for one in study.siblings if one.point == "16" and one.seed == 3407)
    alone = fingerprints(undisturbed)
    compared = 0
    for name, digest in alone.items():
        path = own.run.root / name
        if not name.startswith("export/"):
            compared += 1
            assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, name
    assert compared > 40
    assert any(name.endswith(".safetensors") for name in alone if not name.startswith("export/"))


def test_another_value_costs_only_what_is_new(study: StudyRun) -> None:
    before = {path: path.stat().st_mtime_ns for path in study.root.rglob("step.json")}
    sent = account(study)
    wider = short_study(RANKS.model_copy(update={"over": {"adapter.rank": (4, 16, 8)}, "seeds": 1}))
    todo = {one["step"]: one["distinct"] - one["done"] for one in plan_study(wider, "h200", 1.0)["steps"]}
    assert {name for name, count in todo.items() if count} == {"pretrain", "finetune", "evaluate"}
    assert run_siblings(wider, 1.0) == []
    assert account(wider) == sent
    assert {path: path.stat().st_mtime_ns for path in before} == before
    executed = count_executed(wider)
    assert (executed["generate"], executed["pretrain"], executed["evaluate"]) == (1, 3, 3)


def test_it_links_what_the_base_recipes_own_run_has_done(
    undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(undisturbed)
    found = short_study(Study(over={"finetune.epochs": (0.0,)}, seeds=1), "linked")
    assert run_siblings(found, 0.0, [Run(Path("runs/demo"))]) == []
    assert not found.ledger.is_file()  # nothing was asked
    own, demo = found.siblings[0].run, Path("runs/demo")
    assert (own.folder("pretrain") / "step.json").samefile(demo / "pretrain" / "step.json")
    assert not (own.folder("finetune") / "step.json").samefile(demo / "finetune" / "step.json")


def test_a_sibling_that_fails_stops_only_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = Study(over={"adapter.layers": ("7", "0")}, seeds=1)
    found = short_study(study, "s", "evaluate.questions=2", "pretrain.epochs=0.2", "finetune.epochs=0.2")
    errors = run_siblings(found, 1.0)
    assert [type(error) for error in errors] == [RecipeError]
    (failure,) = find_failures(found)
    assert failure.state == "failed"
    assert (failure.sibling.point, failure.step) == ("7", "seeds")
    assert "this base has 2 layers" in failure.message
    assert found.siblings[1].run.state("evaluate")["state"] == "done"


def test_one_cap_covers_all_siblings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prices = ["teacher.scripted.usd_per_million_in=100.0", "teacher.scripted.usd_per_million_out=100.0"]
    found = short_study(
        Study(over={"pool.threshold": (0.7, 0.2, 0.3)}, seeds=1), "s", *prices, "runtime.max_concurrency=1"
    )
    cap = 6.0
    errors = run_siblings(found, cap)
    assert errors
    assert all(isinstance(error, BudgetError) for error in errors)
    assert 0 < spent_usd(found) <= cap
    assert {failure.state for failure in find_failures(found)} == {"cap reached"}


def test_a_second_process_is_refused(study: StudyRun) -> None:
    with Run(study.root).locked(), pytest.raises(BusyError, match="is working on this run"):
        run_siblings(study, 1.0)


def test_killed_in_the_middle_it_ends_with_the_same_bytes(study: StudyRun, tmp_path: Path) -> None:
    command = alif(
        "ablate", "demo", "--over", "adapter.rank=4,16", "--seeds", "2", "--name", "ranks", sets=SHORT
    )
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    second = tmp_path / "runs" / "ranks" / study.siblings[1].run.name
    deadline = time.monotonic() + 300
    while not (second / "runtime" / "pretrain").is_dir():
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for sibling in study.siblings:
        for path in (study.root / sibling.run.name).glob("*/adapter/*.safetensors"):
            other = tmp_path / "runs" / "ranks" / path.relative_to(study.root)
            assert other.read_bytes() == path.read_bytes(), path
    assert sys.executable in command
