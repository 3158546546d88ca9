"""A step's bar is noted where the desk finds it; time left is a range between two paces."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from alif import console, store
from alif.runs import Run
from alif.runs.progress import WorkProgress, read_progress


def test_time_left_lies_between_the_latest_and_the_usual_pace() -> None:
    found = WorkProgress(name="generate", done=100, total=400, unit="rows", paces=[2.0, 1.0])
    assert (found.share, found.left_s) == (0.25, (150.0, 300.0))
    for paces, total in (([], 400), ([0.0], 400), ([1.0], 100), ([1.0], 0)):
        assert WorkProgress(name="x", done=100, total=total, unit="rows", paces=paces).left_s is None
    assert WorkProgress(name="x", done=100, total=0, unit="rows", paces=[]).share is None


def test_a_bar_is_noted_while_somebody_works_on_the_run_and_is_gone_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path / "demo")
    clock = itertools.count(0.0, 10.0)
    monkeypatch.setattr("alif.console.time.monotonic", lambda: next(clock))
    with run.locked(), console.note_progress(run.progress):
        with console.progress_bar("generate", 40, "rows") as bar:
            for _ in range(3):
                bar.advance(10)
        found = read_progress(run)
        noted = store.read_json(run.progress)
    assert found is not None
    assert (found.name, found.done, found.total) == ("generate", 30, 40)
    assert all(pace > 0 for pace in found.paces)
    assert read_progress(run) is None
    assert not run.progress.exists()
    store.write_json(run.progress, noted)  # a killed run's note: nobody works, so it says nothing
    assert read_progress(run) is None


def test_a_note_that_cannot_be_read_or_written_stops_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "demo")
    with run.locked(), console.note_progress(tmp_path / "none" / "progress.json"):
        run.progress.write_text("{")
        assert read_progress(run) is None
        with console.progress_bar("x", 2) as bar:
            bar.advance()
