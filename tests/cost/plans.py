"""Shipped recipes to plan, and steps that are done."""

from __future__ import annotations

from pathlib import Path

from alif import recipe as recipes
from alif import settings, store
from alif.records import Counts, FrozenModel
from alif.runs import FORMAT, StepRecord


def of(name: str, *sets: str) -> settings.Recipe:
    return recipes.load_recipe(recipes.shipped_recipes()[name], sets)


def finish(folder: Path, facts: FrozenModel) -> None:
    """Write the record of a step that is done."""
    record = StepRecord(
        format=FORMAT, step=folder.name, state="done", fingerprint="", identity={}, cost_usd=0, seconds=0,
        counts=Counts(kept=1, facts=facts.model_dump(mode="json")),
    )  # fmt: skip
    store.write_json(folder / "step.json", record.model_dump(mode="json"))
