"""Opening every data file before anything is paid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.data import source_check
from alif.language.pack import load_pack
from alif.recipe import validate_recipe
from alif.settings import Recipe

OWN, KNOWN = load_pack("ur"), load_pack("en")


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def recipe(folder: Path, **tables: Any) -> Recipe:
    return validate_recipe({"name": "r", "sources": {"folder": str(folder)}, **tables}, "test")


def test_a_sample_counts_rows_by_what_the_step_of_their_key_needs(tmp_path: Path) -> None:
    shapes = {"en": "Hello.", "ur": "سلام"}, {"text": "a"}, {"instruction": "a", "output": "b"}
    path = write(tmp_path / "a.jsonl", *shapes)
    usable = {
        key: source_check.sample_source(path, key, OWN, KNOWN).usable
        for key in ("teacher.g.parallel_files", "corpus.source", "replay.source", "translate.source",
                    "benchmarks.multiple_choice")
    }  # fmt: skip
    assert list(usable.values()) == [1, 1, 1, 3, 3]
    found = source_check.sample_source(path, "corpus.source", OWN, KNOWN)
    assert found.columns == ("en", "ur", "text", "instruction", "output")
    assert "a.jsonl:1" in found.fault


def test_a_first_usable_row_behind_the_sample_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *[{"x": 1}] * 300, {"text": "late"})
    found = source_check.sample_source(path, "corpus.source", OWN, KNOWN)
    assert (found.rows, found.usable) == (301, 1)


def test_only_the_sources_of_the_steps_to_come_are_opened(tmp_path: Path) -> None:
    write(tmp_path / "empty.jsonl")
    found = recipe(tmp_path, replay={"rows": 5, "source": "empty.jsonl"}, corpus={"source": "none.jsonl"})
    keys = [one.message.partition(":")[0] for one in source_check.find_problems(found)]
    assert keys == ["replay.source", "corpus.source"]
    assert [one.message for one in source_check.find_problems(found, ["seeds"])] == []
    (problem,) = source_check.find_problems(found, ["corpus"])
    assert "no such file" in problem.message


def test_pairs_that_cannot_be_learned_from_are_told_before_anything_is_paid(tmp_path: Path) -> None:
    write(tmp_path / "good.jsonl", {"prompt": "What is ice?", "chosen": "Frozen water.", "rejected": "Fire."})
    write(tmp_path / "bad.jsonl", {"prompt": "What is ice?", "chosen": "Frozen water."})
    found = recipe(tmp_path, pairs={"source": ["review", "good.jsonl", "bad.jsonl"]})
    bad, nobody = source_check.find_problems(found, ["pairs"])
    assert "bad.jsonl: its row cannot be used" in bad.message
    assert "a pair needs chosen and rejected" in bad.message
    assert nobody.message == 'pairs.source names "review", but nobody is asked to read a row'


def test_of_a_thousand_shards_a_few_are_opened(tmp_path: Path) -> None:
    for number in range(100):
        write(tmp_path / f"{number:03}.jsonl", {"text": "a"})
    found = list(source_check.sample_sources(recipe(tmp_path, corpus={"source": "*.jsonl"}), ["corpus"]))
    assert len(found) <= source_check.MOST_FILES


def test_packs_without_questions_are_named_before_anything_is_paid(tmp_path: Path) -> None:
    def problems(pack: str) -> list[str]:
        asked = recipe(
            tmp_path, language={"pack": "ur", "source": pack}, benchmarks={"multiple_choice": "pack"}
        )
        return [one.message for one in source_check.find_problems(asked, ["evaluate"])]

    assert problems("en") == []
    (problem,) = problems("sw")
    assert problem.startswith("benchmarks.multiple_choice: ")
    assert "sw/choices.jsonl: no such file" in problem


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"hub": "o/n"}, "benchmark.b: o/n has no revision, and could change"),
        ({"files": "none.jsonl"}, "none.jsonl: no such file"),
        ({"files": "b.jsonl"}, "benchmark.b: "),
        (
            {"files": "good.jsonl", "language": "bn"},
            'benchmark.b.language = "bn": no language of this recipe',
        ),
        ({"files": "good.jsonl", "shots": [1], "examples": "b.jsonl"}, "benchmark.b: 0 examples, 1 shots"),
        ({"files": "good.jsonl"}, ""),
        ({"hub": "o/n", "revision": "0f1e"}, ""),
    ],
)
def test_a_benchmark_is_checked_before_anything_is_paid(
    tmp_path: Path, table: dict[str, object], problem: str
) -> None:
    store.write_rows(tmp_path / "b.jsonl", [{"question": "no number"}])
    store.write_rows(tmp_path / "good.jsonl", [{"question": "۱ + ۱؟", "final": "2"}])
    loaded = recipe(tmp_path, benchmark={"b": {"form": "number", **table}})
    for steps in (None, ["evaluate"], ["blend"]):
        found = [error.message for error in source_check.find_problems(loaded, steps)]
        found = [message for message in found if "benchmark." in message or "none" in message]
        assert bool(found) == bool(problem)
        assert not found or problem in found[0]
    assert not source_check.find_problems(loaded, ["generate"])
