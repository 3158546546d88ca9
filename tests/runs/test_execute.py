"""A step runs exactly once; a kill leaves a finished step or none."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from alif import runs, store
from alif.errors import AlifError, DriftError, Waiting
from alif.facts import NoFacts
from alif.runs import Run, Step, StepContext
from alif.settings import Pool
from tests.runs.conftest import FIRST, SECOND, keep, make, recipe


def test_a_step_is_done_once(run: Run) -> None:
    assert runs.run_step(FIRST, recipe(), run)
    written = (run.folder("first") / "examples.jsonl").stat().st_mtime_ns
    assert not runs.run_step(FIRST, recipe(), run)
    assert (run.folder("first") / "examples.jsonl").stat().st_mtime_ns == written
    assert run.state(FIRST.name)["state"] == "done"
    assert not list(run.scratch("first").glob("partial"))


def test_a_failure_leaves_no_step_and_says_so(run: Run) -> None:
    def fail(context: StepContext) -> NoFacts:
        (context.folder / "half.jsonl").write_text("{")
        raise AlifError("the tank is empty", "Fill it.")

    step = Step("first", fail, "")
    with pytest.raises(AlifError, match="the tank is empty"):
        runs.run_step(step, recipe(), run)
    assert not run.folder("first").exists()
    found = run.state(step.name)
    assert (found["state"], found["message"].splitlines()[0]) == ("failed", "the tank is empty")


def test_waiting_is_a_state_of_its_own(run: Run) -> None:
    def wait(context: StepContext) -> NoFacts:
        raise Waiting("3 rows wait for people", "")

    step = Step("first", wait, "")
    with pytest.raises(Waiting):
        runs.run_step(step, recipe(), run)
    assert run.state(step.name)["state"] == "waiting"


def test_a_step_that_waits_reads_its_rows_again_only_when_something_has_changed(
    run: Run, tmp_path: Path
) -> None:
    verdicts, worked = tmp_path / "verdicts.jsonl", []

    def wait(context: StepContext) -> NoFacts:
        worked.append(1)
        context.requests.write_text("{}\n")
        raise Waiting(f"{3 - len(worked)} rows wait for people", "Read them.")

    step = Step("first", wait, "", paths=lambda recipe, root: {"v": verdicts} if verdicts.is_file() else {})
    for told in ("2 rows", "2 rows", "2 rows"):
        with pytest.raises(Waiting, match=f"{told} wait for people\nRead them."):
            runs.run_step(step, recipe(), run)
    verdicts.write_text("{}\n")
    with pytest.raises(Waiting, match="1 rows"):
        runs.run_step(step, recipe(), run)
    run.requests("first").unlink()
    with pytest.raises(Waiting, match="0 rows"):
        runs.run_step(step, recipe(), run)
    assert len(worked) == 3


def test_a_killed_step_is_done_again_from_nothing(run: Run) -> None:
    def die(context: StepContext) -> NoFacts:
        (context.folder / "half.jsonl").write_text("{")
        os._exit(9)

    child = multiprocessing.get_context("fork").Process(
        target=runs.run_step, args=(Step("first", die, ""), recipe(), run)
    )
    child.start()
    child.join()
    assert child.exitcode == 9
    assert run.state(FIRST.name)["state"] == "todo"
    assert runs.run_step(Step("first", make, "", settings=("pool",)), recipe(), run)
    assert not (run.folder("first") / "half.jsonl").exists()


def test_what_training_goes_on_from_is_removed_after_the_step_has_its_name_and_not_before(run: Run) -> None:
    def train(context: StepContext, pool: Pool) -> NoFacts:
        for name in ("checkpoints", "packs1"):
            store.write_text(context.scratch / name / "weights", "x")
        store.write_text(context.scratch / "curve.jsonl", "{}\n")
        return make(context, pool)

    def left() -> set[str]:
        return {path.name for path in run.scratch("first").iterdir()}

    step = Step("first", train, "", settings=("pool",), disposable=("checkpoints", "packs*"))
    run.root.mkdir()
    store.write_text(run.folder("first") / "in the way", "x")
    with pytest.raises(AlifError, match="not empty"):  # so that the rename fails
        runs.run_step(step, recipe(), run)
    assert left() >= {"checkpoints", "packs1"}
    shutil.rmtree(run.folder("first"))
    assert runs.run_step(step, recipe(), run)
    assert left() == {"curve.jsonl", "state.json"}
    store.write_text(
        run.scratch("first") / "checkpoints" / "weights", "x"
    )  # a kill between the rename and the removal
    assert not runs.run_step(step, recipe(), run)
    assert left() == {"curve.jsonl", "state.json"}


def test_a_step_done_again_keeps_the_old_folder_and_later_steps_drift_only_where_rows_changed(
    run: Run,
) -> None:
    def other(context: StepContext, pool: Pool) -> NoFacts:
        return keep(context, 1.0, 2.0)

    with pytest.raises(AlifError, match="first is not done yet"):
        runs.rerun_step(FIRST, recipe(), run, other)
    runs.run_step(FIRST, recipe(), run)
    runs.run_step(SECOND, recipe(), run)
    assert not runs.rerun_step(FIRST, recipe(), run, make)
    assert not runs.run_step(SECOND, recipe(), run)
    assert runs.rerun_step(FIRST, recipe(), run, other)
    assert run.state(FIRST.name)["kept"] == 2
    assert not runs.run_step(FIRST, recipe(), run)
    with pytest.raises(DriftError, match="second was built with another first"):
        runs.run_step(SECOND, recipe(), run)
    aside = [run.scratch("first") / f"before-{number}" / "examples.jsonl" for number in (1, 2)]
    assert [len(list(store.read_rows(path))) for path in aside] == [1, 1]
    with pytest.raises(DriftError, match=r"pool\.threshold"):
        runs.rerun_step(FIRST, recipe(pool={"threshold": 0.8}), run, other)
