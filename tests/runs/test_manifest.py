"""What a finished step's folder holds is compared."""

from __future__ import annotations

import os

import pytest

from alif import runs, store
from alif.errors import DriftError
from alif.runs import Run
from tests.runs.conftest import FIRST, SECOND, recipe


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
