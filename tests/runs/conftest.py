"""Two steps, of which the second copies what the first wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.facts import NoFacts
from alif.records import FrozenModel
from alif.runs import Run, Step, StepContext
from alif.settings import Pool, Recipe


class Threshold(FrozenModel):
    threshold: float


def keep(context: StepContext, *thresholds: float) -> NoFacts:
    for threshold in context.output.read(thresholds):
        context.output.keep(Threshold(threshold=threshold))
    return NoFacts()


def make(context: StepContext, pool: Pool) -> NoFacts:
    """A step that writes its threshold."""
    return keep(context, pool.threshold)


def copy(context: StepContext) -> NoFacts:
    """A step that copies what an earlier one wrote."""
    rows = store.read_models(context.inputs["first"] / "examples.jsonl", Threshold)
    return keep(context, *(row.threshold for row in rows))


def recipe(**tables: object) -> Recipe:
    return recipes.validate_recipe({"name": "r", **tables}, "r")


FIRST = Step("first", make, "", settings=("pool",))


SECOND = Step("second", copy, "", inputs=(FIRST,))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "r")
