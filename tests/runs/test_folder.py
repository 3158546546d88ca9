"""One process works on a run; the recipe is kept."""

from __future__ import annotations

import os

import pytest

from alif import recipe as recipes
from alif import store
from alif.errors import BusyError
from alif.runs import Run
from tests.runs.conftest import recipe


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
