"""COMET by a worker in an environment of its own: a script stands for that environment's interpreter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError
from alif.evaluate.comet_scores import RECIPE, score_translations
from alif.language.pack import load_pack

UR = load_pack("ur")
WORKER = """#!/bin/sh
[ "$2" = -c ] && exit {has_comet}
while read -r line; do {each}; done
"""


def environment(folder: Path, each: str = 'echo "{\\"score\\": 0.5}"', has_comet: int = 0) -> str:
    """Write an interpreter that answers each line of its input in one way."""
    path = folder / "python"
    path.write_text(WORKER.format(each=each, has_comet=has_comet), encoding="utf-8")
    os.chmod(path, 0o755)  # noqa: PTH101  (Path.chmod is the same; the test says what it needs)
    return str(path)


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    rows = [
        {
            "id": f"{task}{number}",
            "task": task,
            "language": "ur",
            "instruction": "اردو میں ترجمہ کریں۔",
            "input": "The house is old.",
            "reference": "گھر پرانا ہے۔",
            "sample": False,
            "answers": {"base": "" if number else "مکان پرانا ہے۔", "finetune": "گھر پرانا ہے۔"},
            "marks": {},
        }
        for task in ("translation", "qa")
        for number in range(2)
    ]
    store.write_rows(tmp_path / "answers.jsonl", rows)
    return tmp_path


def test_translations_are_scored_and_an_empty_one_is_zero(answers: Path) -> None:
    found = score_translations(answers, answers / "runtime", environment(answers), UR)
    assert (found.systems, found.n) == ({"base": 0.25, "finetune": 0.5}, 2)
    assert found.empty == {"base": 1, "finetune": 0}
    kept = [row for _, row in store.read_rows(answers / "runtime" / "comet.jsonl")]
    assert [(row["system"], row["score"]) for row in kept] == [
        ("base", 0.5),
        ("finetune", 0.5),
        ("finetune", 0.5),
    ]


@pytest.mark.parametrize("python", ["no/such/python", ""])
def test_without_an_environment_it_is_skipped_with_the_recipe(answers: Path, python: str) -> None:
    found = score_translations(answers, answers / "runtime", python, UR)
    assert (found.systems, found.n) == ({}, 0)
    assert RECIPE in found.describe()


def test_an_environment_without_comet_is_skipped_with_the_recipe(answers: Path) -> None:
    found = score_translations(answers, answers, environment(answers, has_comet=1), UR)
    assert "has no COMET" in found.skipped
    assert RECIPE in found.skipped


@pytest.mark.parametrize("each", ["echo nothing", ":", "echo '{}'", "exit 3"])
def test_a_worker_that_gives_no_scores_is_named(answers: Path, each: str) -> None:
    with pytest.raises(DataError, match="the COMET worker failed"):
        score_translations(answers, answers, environment(answers, each), UR)


def test_a_test_set_without_translations_asks_nobody(answers: Path) -> None:
    rows = [row for _, row in store.read_rows(answers / "answers.jsonl") if row["task"] == "qa"]
    store.write_rows(answers / "answers.jsonl", rows)
    assert "no translations" in score_translations(answers, answers, "no/such/python", UR).skipped
