"""Fixtures of the data room: the two packs, a step's Given, and rows made in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from alif import recipe, store
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Example, Origin
from alif.runs import Run, StepContext, make_context

settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

LANGUAGE = recipe.Language(pack="ur", source="en")
SCRIPTED = {"scripted": recipe.Teacher(model="scripted", base_url="scripted", max_tokens=2048)}


@pytest.fixture(scope="session")
def own() -> Pack:
    return packs.load_pack("ur")


@pytest.fixture(scope="session")
def known() -> Pack:
    return packs.load_pack("en")


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., StepContext]:
    """Return a function that builds what a step is handed; `rows` are the examples.jsonl of the steps that it needs."""

    def build(
        step: str, rows: Mapping[str, Iterable[Example]] | None = None, run: str = "run", **runtime: Any
    ) -> StepContext:
        root = tmp_path / run
        for name, examples in (rows or {}).items():
            store.write_rows(root / name / "examples.jsonl", examples)
        folder = root / step
        folder.mkdir(parents=True, exist_ok=True)
        needs = {name: root / name for name in rows or {}}
        return make_context(
            Run(root), step, recipe.Runtime.model_validate(runtime), inputs=needs, folder=folder
        )

    return build


def row(
    task: str, instruction: str, output: str, input: str = "", kind: str = "teacher", *, language: str = "ur"
) -> Example:
    origin = Origin.model_validate({"kind": kind})
    return Example.make(language, task, instruction, input, output, origin)


def rows_of(folder: Path, name: str = "examples") -> list[dict[str, Any]]:
    """Return the rows of a step's file."""
    return [values for _, values in store.read_rows(folder / f"{name}.jsonl")]


def triples(pack: Pack, pattern: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (file's name, row) of the pack's files that match."""
    return [
        (path.stem, values)
        for path in sorted(pack.folder.glob(pattern))
        for _, values in store.read_rows(path)
    ]
