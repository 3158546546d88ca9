"""The GPU benchmark proves itself on a CPU, piece by piece; it has no figure of a GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "train_gpu.py"
CASES = ("product", "ours 8K, stage 2", "paper, stage 2", "unsloth")


def run(path: Path, *arguments: str) -> str:
    command = [
        sys.executable,
        str(SCRIPT),
        "--json",
        str(path),
        "--shape",
        "tiny",
        "--steps",
        "1",
        "--warm-up",
        "1",
    ]
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_goes_on_where_it_stopped_and_tells_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    assert "left for another call: product" in run(path, "--minutes", "0", "--only", *CASES)
    run(path, "--only", CASES[0])
    first = json.loads(path.read_text())["measured"]["cases"]
    assert list(first) == [CASES[0]]
    assert run(path, "--only", *CASES).splitlines()[-1] == "nothing is left"
    written = json.loads(path.read_text())
    cases = written["measured"]["cases"]
    assert cases["product"] == first["product"]  # not measured twice
    assert cases["ours 8K, stage 2"]["useful_tokens_per_s"] > 0
    assert cases["ours 8K, stage 2"]["labelled_share"] < 0.7 < cases["paper, stage 2"]["labelled_share"]
    assert "No module named 'unsloth'" in cases["unsloth"]["failed"]
    assert "nothing about a GPU" in written["measured"]["summary"]["note"]
    assert not any(str(tmp_path) in line for line in path.read_text().splitlines())
