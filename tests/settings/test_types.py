"""The field types of recipe tables: what they accept and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from alif.settings.types import EnvironmentVariable, Files, RunName, Weight


def test_one_source_is_a_tuple_of_one() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Files)
    assert adapter.validate_python("pack") == ("pack",)
    assert adapter.validate_python(["a.jsonl", "b.jsonl"]) == ("a.jsonl", "b.jsonl")


@pytest.mark.parametrize(
    "weight", [0, -1, float("inf"), float("nan"), {}, {"qa": 0.0}, {"qa": 1.0, "other": -1.0}]
)
def test_a_weight_without_a_positive_part_or_with_a_wrong_one_is_refused(weight: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Weight).validate_python(weight)


@pytest.mark.parametrize("weight", [1, 0.5, {"qa": 3.0, "other": 0.0}])
def test_weights_are_numbers_or_tables_by_task(weight: object) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Weight)
    assert adapter.validate_python(weight) == weight


@pytest.mark.parametrize("name", ["sk-abc", "hf_abc", "9_KEY", "a b", "ab" * 33, "0123456789abcdef" * 2])
def test_what_is_no_variables_name_or_may_be_a_key_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="never the key itself"):
        TypeAdapter(EnvironmentVariable).validate_python(name)


@pytest.mark.parametrize("name", ["", "OPENAI_API_KEY", "_key2"])
def test_a_variables_name_is_accepted(name: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(EnvironmentVariable)
    assert adapter.validate_python(name) == name


@pytest.mark.parametrize("name", [".", "..", "a/b", "", "a\n"])
def test_a_run_is_one_folder(name: str) -> None:
    with pytest.raises(ValidationError, match="one folder under runs/"):
        TypeAdapter(RunName).validate_python(name)
