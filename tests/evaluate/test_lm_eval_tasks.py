"""lm-eval's tasks by its own API: the same numbers as its command line, with intervals and our readers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError, MissingExtra, ModelError
from alif.evaluate.lm_eval_tasks import run_tasks
from alif.language.pack import load_pack

EN = load_pack("en")
TASK = {
    "dataset_path": "json",
    "test_split": "test",
    "doc_to_text": "{{question}}",
    "metadata": {"version": 1.0},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two tasks: choices, and sums that are answered in words."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = [
        {"question": f"Two and {n} is", "choices": ["one", "two", "ten hens"], "gold": n % 3, "final": str(n)}
        for n in range(12)
    ]
    store.write_rows(tmp_path / "rows.jsonl", rows)
    files = {"data_files": {"test": str(tmp_path / "rows.jsonl")}}
    choice = {
        "task": "alif_choice", "output_type": "multiple_choice", "doc_to_choice": "choices",
        "doc_to_target": "gold", "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }  # fmt: skip
    sums = {
        "task": "alif_sums", "output_type": "generate_until", "doc_to_target": "{{final}}",
        "metric_list": [{"metric": "exact_match"}], "generation_kwargs": {"max_gen_toks": 4, "until": ["\n"]},
    }  # fmt: skip
    for task in (choice, sums):
        store.write_json(tmp_path / f"{task['task']}.yaml", {**TASK, "dataset_kwargs": files, **task})
    return tmp_path


def test_without_lm_eval_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(MissingExtra) as caught:
        run_tasks(tmp_path, ["arc_easy"], EN)
    assert "lm-eval" in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.slow
def test_the_numbers_are_those_of_lm_evals_command_line(needs: Mapping[str, Path], folder: Path) -> None:
    pytest.importorskip("lm_eval", reason="the extra lm-eval is not installed")
    model = needs["base"] / "model"
    found = {
        (one.task, one.metric): one
        for one in run_tasks(model, ["alif_choice", "alif_sums"], EN, include=folder)
    }
    command = [
        *(sys.executable, "-m", "lm_eval", "--model", "hf", "--include_path", str(folder)),
        *("--model_args", f"pretrained={model},dtype=float32", "--tasks", "alif_choice,alif_sums"),
        *("--device", "cpu", "--batch_size", "8", "--output_path", str(folder / "out")),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    assert done.returncode == 0, done.stderr
    (path,) = (folder / "out").rglob("results*.json")
    told = json.loads(path.read_text(encoding="utf-8"))["results"]
    for task, metric in (("alif_choice", "acc"), ("alif_choice", "acc_norm"), ("alif_sums", "exact_match")):
        assert found[task, metric].value == told[task][f"{metric},none"]
    one = found["alif_choice", "acc"]
    assert one.low <= one.value <= one.high
    assert one.n == 12
    assert {metric for task, metric in found if task == "alif_sums"} >= {"alif:number", "alif:number_read"}
    with pytest.raises(DataError, match="none: lm-eval has no such task"):
        run_tasks(model, ["none"], EN, include=folder)
    with pytest.raises(ModelError, match="no model folder"):
        run_tasks(folder, ["alif_choice"], EN, include=folder)
