"""Steps are done exactly once; drift is named; a kill leaves a finished step or none."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import runs, store
from alif.errors import AlifError, BusyError, DriftError, Waiting
from alif.facts import NoFacts
from alif.recipe import Pool, Recipe
from alif.records import Dropped, FrozenModel
from alif.runs import Run, Step, StepContext


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


def test_a_step_is_done_once(run: Run) -> None:
    assert runs.run_step(FIRST, recipe(), run)
    written = (run.folder("first") / "examples.jsonl").stat().st_mtime_ns
    assert not runs.run_step(FIRST, recipe(), run)
    assert (run.folder("first") / "examples.jsonl").stat().st_mtime_ns == written
    assert run.state(FIRST.name)["state"] == "done"
    assert not list(run.scratch("first").glob("partial"))


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
    with pytest.raises(OSError, match="not empty"):  # so that the rename fails
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


@pytest.mark.parametrize("harm", ["cut", "removed"])
def test_a_finished_step_of_another_size_is_named(run: Run, harm: str) -> None:
    runs.run_step(FIRST, recipe(), run)
    path = run.folder("first") / "examples.jsonl"
    path.write_text("") if harm == "cut" else path.unlink()
    with pytest.raises(
        DriftError, match=r"r/first/examples.jsonl was (changed|removed) after the step was finished"
    ) as error:
        runs.is_current(FIRST, recipe(), run)
    assert f"remove the folder {run.folder('first')}" in error.value.hint


def test_a_finished_step_of_the_same_size_is_compared_before_another_reads_it(run: Run) -> None:
    runs.run_step(FIRST, recipe(), run)
    path = run.folder("first") / "examples.jsonl"
    content, written = path.read_text(), path.stat().st_mtime_ns
    path.write_text(content.replace("0.7", "0.8"))
    os.utime(path, ns=(written + 1, written + 1))
    assert runs.is_current(FIRST, recipe(), run)  # by size alone
    with pytest.raises(DriftError, match="was changed after the step was finished"):
        runs.run_step(SECOND, recipe(), run)
    path.write_text(content)
    os.utime(path, (1, 1))  # as in a copy, or from a mirror
    assert runs.run_step(SECOND, recipe(), run)


def test_a_step_that_was_finished_before_files_were_recorded_is_accepted(run: Run) -> None:
    runs.run_step(FIRST, recipe(), run)
    path = run.folder("first") / "step.json"
    record = store.read_json(path)
    assert record.pop("files").keys() == {"examples.jsonl"}
    store.write_json(path, record)
    store.write_rows(run.folder("first") / "examples.jsonl", [{"threshold": 0.1}])
    assert runs.run_step(SECOND, recipe(), run)


def test_files_added_after_a_step_was_finished_do_not_count(run: Run) -> None:
    runs.run_step(FIRST, recipe(), run)
    store.write_text(run.folder("first") / "model" / "README.md", "a card")
    assert runs.run_step(SECOND, recipe(), run)


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


def test_rows_that_are_unaccounted_for_are_a_bug(run: Run) -> None:
    def lose(context: StepContext) -> NoFacts:
        for threshold in context.output.read((0.1, 0.2, 0.3)):
            if threshold < 0.2:
                context.output.keep(Threshold(threshold=threshold))
        return NoFacts()

    with pytest.raises(RuntimeError, match=r"3 rows read, but 1 kept \+ 0 dropped \+ 0 not sampled = 1"):
        runs.run_step(Step("first", lose, ""), recipe(), run)
    assert not run.folder("first").exists()


def test_rows_are_counted_where_they_are_read(run: Run) -> None:
    def sample(context: StepContext) -> NoFacts:
        output = context.output
        for number in output.read(range(10)):
            if number < 3:
                output.keep(Threshold(threshold=number))
            elif number < 5:
                output.drop(Dropped(raw=str(number), reason="too_short", evidence="0 words"))
            else:
                output.not_sampled(f"numbers.txt:{number}")
        return NoFacts()

    runs.run_step(Step("first", sample, ""), recipe(), run)
    found = run.state("first")
    assert (found["rows_in"], found["kept"], found["dropped"], found["not_sampled"]) == (
        10,
        3,
        {"too_short": 2},
        5,
    )
    left = [row["id"] for _, row in store.read_rows(run.folder("first") / "not_sampled.jsonl")]
    assert left == [f"numbers.txt:{number}" for number in range(5, 10)]


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
