"""Siblings link what one of them has finished; nothing is written through a link."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from alif import runs
from alif.runs import Run, execute, sharing
from alif.runs.curves import CURVE
from alif.runs.identity import predict_fingerprints
from tests.runs.conftest import FIRST, SECOND, recipe


def work(run: Run, twin: Run, **tables: object) -> list[bool]:
    """Link what can be, run the rest; return which steps were run."""
    sharing.link_twins((FIRST, SECOND), recipe(**tables), run, [twin])
    return [runs.run_step(step, recipe(**tables), run) for step in (FIRST, SECOND)]


def rows(run: Run, step: str) -> Path:
    return run.folder(step) / "examples.jsonl"


@pytest.fixture
def twin(tmp_path: Path) -> Run:
    """A sibling with both steps done."""
    found = Run(tmp_path / "twin")
    for step in (FIRST, SECOND):
        runs.run_step(step, recipe(), found)
    (found.scratch("first") / CURVE).write_text('{"step": 1}\n')
    return found


def test_a_step_of_a_sibling_is_linked_and_not_done_again(run: Run, twin: Run) -> None:
    assert work(run, twin) == [False, False]
    for step in ("first", "second"):
        assert rows(run, step).samefile(rows(twin, step))
        assert run.record(step) == twin.record(step)
    assert (run.scratch("first") / CURVE).read_text() == '{"step": 1}\n'
    assert runs.is_current(SECOND, recipe(), run)


def test_another_setting_is_another_step_and_all_that_follows_it(run: Run, twin: Run) -> None:
    assert work(run, twin, pool={"threshold": 0.5}) == [True, True]


def test_a_damaged_sibling_is_left_alone(run: Run, twin: Run) -> None:
    rows(twin, "first").write_text("changed")
    (twin.folder("second") / "step.json").write_text("{")
    assert work(run, twin) == [True, True]


def test_where_the_disk_has_no_links_files_are_copied(
    run: Run, twin: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    sharing.link_twins((FIRST,), recipe(), run, [twin])
    assert rows(run, "first").read_bytes() == rows(twin, "first").read_bytes()
    assert not rows(run, "first").samefile(rows(twin, "first"))


def test_results_by_content_are_linked_before_a_step_is_done(run: Run, twin: Run) -> None:
    kept = twin.scratch("first") / "results" / "abc.jsonl"
    kept.parent.mkdir()
    kept.write_text("1\n")
    step = runs.Step("first", FIRST.work, "", settings=FIRST.settings, shared=("results/*.jsonl",))
    sharing.link_twins((step,), recipe(pool={"threshold": 0.5}), run, [twin])
    assert run.record("first") is None
    assert (run.scratch("first") / "results" / "abc.jsonl").samefile(kept)
    sharing.link_shared(step, run, [twin])  # again: what is there stays


def test_a_fingerprint_is_known_before_the_step_is_done(run: Run) -> None:
    predicted = predict_fingerprints((FIRST, SECOND), recipe(), run)
    for step in (FIRST, SECOND):
        execute.run_step(step, recipe(), run)
    done = {name: record.fingerprint for name in predicted if (record := run.record(name))}
    assert done == predicted
    assert predict_fingerprints((FIRST, SECOND), recipe(pool={"threshold": 0.5}), Run(run.root / "x")) != done
