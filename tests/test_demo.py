"""The whole pipeline, offline, on a CPU: run once, run twice, and killed and resumed to the same bytes."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from alif.llm.ledger import Ledger
from tests.hub_server import TOKEN, serving

SHORT = [
    "generate.target_rows=28", "generate.requests_per_round=4", "translate.rows=8", "replay.rows=8",
    "corpus.max_documents=16",
    "tiny.vocabulary=400", "tiny.width=32", "tiny.feed_forward=64", "tiny.epochs=1",
    "pretrain.epochs=1", "finetune.epochs=1", "finetune.max_seq_length=256", "runtime.checkpoint_steps=2",
    "evaluate.questions=8", "evaluate.max_new_tokens=8", "evaluate.bootstrap_samples=50",
]  # fmt: skip
"""A demo of seconds: every step, little of each."""


def alif(*arguments: str, sets: list[str] = SHORT) -> list[str]:
    """Return the command line of an alif command."""
    options = [part for line in sets for part in ("--set", line)]
    return [sys.executable, "-m", "alif", *arguments, *options]


def finish(folder: Path, sets: list[str]) -> subprocess.CompletedProcess[str]:
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        alif("run", "demo", sets=sets), cwd=folder, capture_output=True, text=True, check=False
    )


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the digest of every data file of the run outside runtime/."""
    root = folder / "runs" / "demo"
    files = [
        path
        for kind in ("*.jsonl", "*.safetensors")
        for path in root.rglob(kind)
        if "runtime" not in path.parts
    ]
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)
    }


def replies(folder: Path) -> tuple[int, int]:
    """Return (requests, replies) of the run's ledger."""
    ledger = Ledger(folder / "runs" / "demo" / "ledger.sqlite")
    try:
        account = ledger.account("demo")
        return account.requests, account.replies
    finally:
        ledger.close()


def status(folder: Path) -> dict[str, object]:
    asked = subprocess.run(
        [sys.executable, "-m", "alif", "status", "demo", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(asked.stdout)
    return found


def test_every_step_is_done_and_no_row_is_lost(undisturbed: Path) -> None:
    steps = status(undisturbed)["steps"]
    assert isinstance(steps, list)
    for step in steps:
        assert step["state"] == "done"
        dropped = sum(step["dropped"].values())
        assert step["rows_in"] == step["kept"] + dropped + step["not_sampled"], step["name"]
        folder = undisturbed / "runs" / "demo" / step["name"]
        for name, expected in (
            ("examples.jsonl", step["kept"]),
            ("dropped.jsonl", dropped),
            ("not_sampled.jsonl", step["not_sampled"]),
        ):
            if (folder / name).is_file():
                assert (folder / name).read_text(encoding="utf-8").count("\n") == expected, (
                    f"{step['name']}/{name}"
                )


def test_the_report_keeps_its_contract(undisturbed: Path) -> None:
    report = json.loads((undisturbed / "runs" / "demo" / "report.json").read_text(encoding="utf-8"))
    heldout = [s for s in report["scores"] if (s["benchmark"], s["metric"]) == ("heldout", "bits_per_byte")]
    assert sorted((s["stage"], s["language"]) for s in heldout) == sorted(
        (stage, language) for stage in ("base", "pretrain", "finetune") for language in ("en", "ur")
    )
    for score in report["scores"]:
        assert set(score) == {
            *("stage", "system", "benchmark", "metric", "language", "provenance", "shots", "wording"),
            *("value", "low", "high", "n", "signature"),
        }
        assert score["low"] <= score["value"] <= score["high"]


def test_a_second_run_does_nothing_and_says_so(undisturbed: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in (undisturbed / "runs" / "demo").rglob("*") if path.is_file()
    }
    done = finish(undisturbed, [])
    assert done.returncode == 0
    assert "Nothing to do" in done.stdout
    after = {path: path.stat().st_mtime_ns for path in before}
    changed = [path.name for path in before if before[path] != after[path]]
    assert set(changed) <= {"lock", "pid", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"}


def test_drift_is_refused_and_the_recipe_stays(undisturbed: Path) -> None:
    stored = (undisturbed / "runs" / "demo" / "recipe.toml").read_text(encoding="utf-8")
    done = finish(undisturbed, ["pool.threshold=0.8"])
    assert done.returncode == 1
    assert "was built with pool.threshold = 0.7, now 0.8" in done.stderr
    assert (undisturbed / "runs" / "demo" / "recipe.toml").read_text(encoding="utf-8") == stored


def held(process: subprocess.Popen[Any], folder: Path) -> None:
    """Wait until `process` holds the run."""
    owner = folder / "runs" / "demo" / "runtime" / "pid"
    deadline = time.monotonic() + 60
    while not (owner.is_file() and owner.read_text().strip() == str(process.pid)):
        assert process.poll() is None, "it ended before it held the run"
        assert time.monotonic() < deadline, "it does not hold the run after a minute"
        time.sleep(0.02)


def test_a_second_process_is_refused(undisturbed: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        alif("run", "demo"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        held(process, tmp_path)
        second = finish(tmp_path, SHORT)
        assert second.returncode == 1
        assert f"process {process.pid} is working on this run" in second.stderr
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    # a shell starts background processes, such as these tests, with SIGINT ignored
    usual = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [
        sys.executable,
        "-c",
        f"{usual}; from alif.cli import main; main(sys.argv[1:])",
        *alif("run", "demo")[3:],
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    held(process, tmp_path)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said.splitlines()[-1] == "Stopped. Repeat the command: it continues where it stopped."
    assert process.returncode == 130


def kill_and_resume(
    folder: Path, sets: list[str], kills: int, seconds: float, seed: int, undisturbed: Path
) -> None:
    """Kill the demo `kills` times at random moments, resume it each time, and compare finished runs.

    Each must equal `undisturbed`. A run that ends before it is killed is followed by a new one, so that there
    are as many kills on a fast machine.
    """
    moments = random.Random(seed)
    runs = itertools.count(1)
    place, hit = folder / f"run-{next(runs)}", 0
    place.mkdir(parents=True)
    while hit < kills:
        process = subprocess.Popen(
            alif("run", "demo", sets=sets), cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            _, said = process.communicate(timeout=moments.uniform(0.5, seconds))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            hit += 1
            continue
        assert process.returncode == 0, said.decode()
        compare(place, undisturbed)
        place = folder / f"run-{next(runs)}"
        place.mkdir()
    done = finish(place, sets)
    assert done.returncode == 0, done.stderr
    compare(place, undisturbed)


def compare(folder: Path, other: Path) -> None:
    assert fingerprints(folder) == fingerprints(other)
    assert replies(folder) == replies(other)  # a request that has a stored reply was not sent again


@pytest.fixture(scope="session")
def seconds(undisturbed: Path) -> float:
    """How long the undisturbed run took: its processes are killed within that time."""
    steps = status(undisturbed)["steps"]
    assert isinstance(steps, list)
    return sum(float(step["seconds"]) for step in steps)


def test_killed_six_times_it_ends_with_the_same_bytes(
    undisturbed: Path, seconds: float, tmp_path: Path
) -> None:
    kill_and_resume(tmp_path, SHORT, kills=6, seconds=seconds, seed=1, undisturbed=undisturbed)


def test_a_machine_that_vanishes_in_training_is_replaced_from_the_hub(
    undisturbed: Path, tmp_path: Path
) -> None:
    sets = [*SHORT, 'runtime.backup="hub:somebody/runs"']
    with serving() as hub:
        surroundings = {"HF_ENDPOINT": hub.address, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "cache")}
        surroundings = os.environ | surroundings | {"HF_HUB_DISABLE_XET": "1"}

        def begin(machine: str) -> subprocess.Popen[bytes]:
            (tmp_path / machine).mkdir()
            with (tmp_path / f"{machine}.log").open("wb") as log:
                command = alif("run", "demo", sets=sets)
                return subprocess.Popen(
                    command, cwd=tmp_path / machine, env=surroundings, stdout=log, stderr=log
                )

        first, deadline = begin("rented"), time.monotonic() + 600
        while (
            "alif: demo/runtime/finetune/checkpoints/step-2" not in hub.commits("somebody/runs")
            and first.poll() is None
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        first.kill()
        first.wait()
        logs = (tmp_path / "rented.log").read_text()
        before = len(hub.commits("somebody/runs"))
        shutil.rmtree(tmp_path / "rented")  # the machine is gone
        assert begin("new").wait() == 0, (tmp_path / "new.log").read_text()
        compare(tmp_path / "new", undisturbed)
        steps = {
            commit.split("/")[1] for commit in hub.commits("somebody/runs")[before:] if commit.count("/") == 1
        }
        assert steps == {
            "finetune",
            "prefer",
            "merge",
            "evaluate",
            "judge",
            "export",
        }  # what was done was not done again
        assert not [path for path in hub.repositories["somebody/runs"].files if "/checkpoints/" in path]
    written = [path.read_bytes() for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert not any(
        TOKEN.encode() in content
        for content in (*written, logs.encode(), (tmp_path / "new.log").read_bytes())
    )


@pytest.mark.slow
def test_the_whole_demo_killed_twenty_times(tmp_path: Path) -> None:
    whole, began = tmp_path / "whole", time.monotonic()
    assert finish(whole, []).returncode == 0
    kill_and_resume(tmp_path, [], kills=20, seconds=(time.monotonic() - began) / 2, seed=2, undisturbed=whole)
