"""What changed since a step was finished is named."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from alif import runs, store
from alif.errors import DriftError
from alif.facts import NoFacts
from alif.runs import Run, Step, StepContext
from alif.settings import Pool, Recipe
from tests.runs.conftest import FIRST, SECOND, make, recipe


def test_runtime_is_no_identity(run: Run) -> None:
    runs.run_step(FIRST, recipe(), run)
    assert not runs.run_step(FIRST, recipe(runtime={"max_concurrency": 3}), run)


def test_drift_names_the_key(run: Run) -> None:
    runs.run_step(FIRST, recipe(), run)
    with pytest.raises(DriftError, match=r"r/first was built with pool.threshold = 0.7, now 0.8") as error:
        runs.run_step(FIRST, recipe(pool={"threshold": 0.8}), run)
    assert "another name" in error.value.hint


def test_drift_of_an_earlier_step_is_named(run: Run) -> None:
    runs.run_step(FIRST, recipe(), run)
    runs.run_step(SECOND, recipe(), run)
    (run.folder("first") / "step.json").unlink()
    (run.folder("first") / "examples.jsonl").unlink()
    run.folder("first").rmdir()
    assert runs.is_current(SECOND, recipe(), run)  # compared once its need is there again
    runs.run_step(FIRST, recipe(pool={"threshold": 0.9}), run)
    with pytest.raises(DriftError, match="second was built with another first"):
        runs.run_step(SECOND, recipe(), run)


def test_a_step_that_is_not_asked_for_does_nothing_and_counts_in_no_identity(run: Run) -> None:
    def work(context: StepContext, pool: Pool) -> NoFacts:
        raise AssertionError("it was not asked for")

    old = Step("second", make, "", settings=("pool",), inputs=(FIRST,))
    runs.run_step(FIRST, recipe(), run)
    runs.run_step(old, recipe(), run)
    extra = Step("extra", work, "", settings=("pool",), enabled=lambda recipe: recipe.pool.threshold > 0.75)
    new = replace(old, inputs=(FIRST, extra))
    assert runs.run_step(extra, recipe(), run)
    assert not runs.run_step(new, recipe(), run)
    assert not runs.run_step(extra, recipe(pool={"threshold": 0.6}), run)
    with pytest.raises(DriftError, match="extra was built with this step off, now on"):
        runs.run_step(extra, recipe(pool={"threshold": 0.8}), run)


def test_files_count_by_content(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data.txt"
    data.write_text("one")
    step = Step("first", make, "", settings=("pool",), paths=lambda recipe, root: {"data.txt": data})
    runs.run_step(step, recipe(), run)
    os.utime(data, (1, 1))
    assert runs.is_current(step, recipe(), run)
    data.write_text("two")
    with pytest.raises(DriftError, match=r"another content of data\.txt"):
        runs.is_current(step, recipe(), run)


def test_a_verdict_that_is_added_to_a_finished_review_is_drift(run: Run) -> None:
    verdicts = run.root / "verdicts.jsonl"

    def declare(recipe: Recipe, root: Path) -> dict[str, Path]:
        return {"verdicts": verdicts} if verdicts.is_file() else {}

    step = Step("first", make, "", settings=("pool",), paths=declare)
    runs.run_step(step, recipe(), run)
    verdicts.write_text("{}")
    with pytest.raises(DriftError, match="first was built with no verdicts"):
        runs.run_step(step, recipe(), run)


def test_a_run_of_an_older_format_is_refused_with_a_sentence(run: Run) -> None:
    runs.run_step(FIRST, recipe(), run)
    path = run.folder("first") / "step.json"
    store.write_json(path, store.read_json(path) | {"format": 1})
    with pytest.raises(DriftError, match=r"built by another version of alif \(format 1, now 2\)"):
        runs.run_step(FIRST, recipe(), run)


def test_a_step_that_is_asked_for_later_is_missing_in_what_was_made_before(run: Run) -> None:
    first = replace(FIRST, enabled=lambda recipe: recipe.pool.threshold > 0.8)
    second = replace(SECOND, inputs=(first,), work=lambda context: NoFacts())
    runs.run_step(first, recipe(), run)
    runs.run_step(second, recipe(), run)
    assert not runs.run_step(second, recipe(), run)
    with pytest.raises(DriftError, match="second was built with no first"):
        runs.is_current(second, recipe(pool={"threshold": 0.9}), run)
