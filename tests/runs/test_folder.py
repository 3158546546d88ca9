"""One process works on a run; the recipe is kept."""

from __future__ import annotations

import os

import pytest

from alif import recipe as recipes
from alif import store
from alif.errors import BusyError
from alif.runs import Run, run_step
from tests.runs.conftest import FIRST, recipe


def test_a_second_process_on_the_same_run_is_refused(run: Run) -> None:
    with (
        run.locked(),
        pytest.raises(BusyError, match=rf"process {os.getpid()} is working on this run"),
        run.locked(),
    ):
        pass
    with run.locked():
        assert run.busy()
    assert not run.busy()


def test_the_stored_recipe_is_the_one_that_was_run(run: Run) -> None:
    run.write_header(recipe(pool={"threshold": 0.5}))
    assert recipes.load_recipe(run.root / "recipe.toml") == recipe(pool={"threshold": 0.5})
    assert store.read_json(run.root / "lock.json")["packages"]


def test_the_lock_file_has_seeds_and_digests_of_each_step(run: Run) -> None:
    run.write_header(recipe())
    assert run_step(FIRST, recipe(), run)
    locked = store.read_json(run.root / "lock.json")
    assert locked["packages"]
    found = locked["steps"]["first"]
    record = run.record("first")
    assert record
    assert found["written"] == {name: entry.sha256 for name, entry in record.files.items()}
    assert found["fingerprint"] == record.fingerprint
    run.write_header(recipe())
    assert store.read_json(run.root / "lock.json") == locked


def test_a_step_whose_folder_was_removed_is_to_be_done_again(run: Run) -> None:
    assert run_step(FIRST, recipe(), run)
    assert run.state("first")["state"] == "done"
    run.folder("first").rename(run.root / "elsewhere")
    assert run.state("first")["state"] == "todo"
