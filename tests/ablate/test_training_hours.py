"""Hours by FLOPs: on a GPU as `alif plan`, on a CPU by what it reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.ablate.training_hours import TrainingHours
from alif.cost.training_plan import plan_training
from alif.settings import Recipe


def recipe(name: str, *overrides: str) -> Recipe:
    return recipes.load_recipe(recipes.shipped_recipes()[name], overrides)


def test_on_a_gpu_they_are_those_of_the_plan() -> None:
    own, other = recipe("urdu-8b"), recipe("urdu-8b", 'name="b"', "adapter.rank=16")
    found = TrainingHours(own, "h200", Path("runs"))
    hours = found.add_up("pretrain", [own, other])
    stages = [plan_training(one, "h200")["stages"][0] for one in (own, other)]
    plans = [stage["hours"]["mid"] for stage in stages]  # type: ignore[index]
    assert hours is not None
    assert hours["mid"] == pytest.approx(sum(plans))
    assert found.memory_gb
    assert found.memory_gb > 60
    assert found.usd["mid"] > 0


def test_on_a_cpu_they_cost_nothing_and_are_a_wide_range() -> None:
    own = recipe("demo")
    found = TrainingHours(own, "h200", Path("runs"))
    hours = found.add_up("finetune", [own])
    assert hours is not None
    assert 0 < hours["low"] < hours["mid"] < hours["high"] < 1
    assert found.on_cpu
    assert not any(found.usd.values())


def test_of_a_base_that_is_not_known_nothing_is_said() -> None:
    own = recipe("urdu-8b", 'student.base="nobody/nothing"')
    assert TrainingHours(own, "h200", Path("runs")).add_up("pretrain", [own]) is None
