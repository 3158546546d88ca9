"""A study of seconds, run once: two ranks of the short demo with two seeds each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.ablate.grid import StudyRun, expand_study
from alif.ablate.run_siblings import run_siblings
from alif.ablate.study import Study
from tests.test_demo import SHORT

RANKS = Study(question="Which rank?", over={"adapter.rank": (4, 16)}, seeds=2, saturation="adapter.rank")


@dataclass(frozen=True)
class Finished:
    """A study that was run in `folder`."""

    folder: Path
    found: StudyRun


def short_study(study: Study, name: str = "ranks", *overrides: str) -> StudyRun:
    """Return a study on the short demo, in runs/ of the working directory."""
    return expand_study(name, study, recipes.shipped_recipes()["demo"], [*SHORT, *overrides], Path("runs"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """RANKS, run to its end."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = short_study(RANKS)
        assert run_siblings(found, 1.0) == []
    return Finished(folder, found)


@pytest.fixture
def study(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> StudyRun:
    """The finished study, in its own working directory."""
    monkeypatch.chdir(finished.folder)
    return finished.found
