"""Benchmark tables: contradictions are refused with the benchmark's name, before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from alif.errors import RecipeError
from alif.recipe import validate_recipe
from alif.settings import BenchmarkTable


def check(**table: Any) -> BenchmarkTable:
    values = {"name": "r", "benchmark": {"b": {"form": "number", "files": "x.jsonl", **table}}}
    return validate_recipe(values, "recipe.toml").benchmark["b"]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"files": []}, "b: name files or hub, one of them"),
        ({"hub": "o/n"}, "b: name files or hub, one of them"),
        ({"columns": {"choices": "x"}}, "b: columns: form number has question, final, id, cluster, aliases"),
        ({"form": "label"}, 'b: labels: form "label" needs its words'),
        ({"labels": {"0": "x"}}, 'b: labels: form "label" needs its words'),
        ({"asked": "text"}, 'b: asked: form "number" is asked by text alone'),
        ({"form": "pair", "asked": "text"}, 'b: asked: form "pair" is asked by likelihood alone'),
        ({"form": "pair", "wordings": ["x"]}, "b: wordings: sentences of a pair stand alone"),
        ({"form": "translation"}, 'b: wordings: form "translation" needs one at least'),
        ({"wordings": ["x", "x"]}, "b: wordings: two are the same"),
        ({"shots": []}, "b: shots: at least one number, each once"),
        ({"shots": [1, 1], "examples": "y"}, "b: shots: at least one number, each once"),
        ({"shots": [0, 4]}, "b: shots: name examples, or examples_split"),
        ({"shots": [1], "examples": "pack"}, "b: examples_task: name the task"),
        ({"shots": [1], "examples_split": "train"}, "b: examples_split: only hub has splits"),
        (
            {"files": [], "hub": "o/n", "shots": [1], "examples_split": "test"},
            "b: examples_split: the split of the questions themselves",
        ),
        ({"form": "essay"}, "input should be 'choice'"),
        ({"margin": 2}, "less than 1"),
        ({"wording": "x"}, "benchmark.b.wording: no such key"),
    ],
)
def test_a_table_that_contradicts_itself_is_a_sentence(table: dict[str, object], fault: str) -> None:
    with pytest.raises(RecipeError) as caught:
        check(**table)
    assert fault in caught.value.message


def test_a_mistyped_key_names_the_right_one() -> None:
    with pytest.raises(RecipeError) as caught:
        check(wording="x")
    assert "benchmark.NAME.wordings" in caught.value.hint


@pytest.mark.parametrize("name", ["heldout", "answers", "test", "fidelity"])
def test_alifs_own_benchmarks_keep_their_names(name: str) -> None:
    with pytest.raises(RecipeError, match="are Alif's own benchmarks"):
        validate_recipe({"name": "r", "benchmark": {name: {"form": "number", "files": "x"}}}, "recipe.toml")


def test_a_hub_address_has_configuration_revision_and_split() -> None:
    table = check(
        files=[], hub="juletxara/mgsm", config="bn", revision="abc", shots=[0, 8], examples_split="train"
    )
    assert table.address() == ("hub:juletxara/mgsm:bn@abc#test",)
    assert table.address("train") == ("hub:juletxara/mgsm:bn@abc#train",)
    assert check().address() == ("x.jsonl",)
