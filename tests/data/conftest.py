"""Fixtures of the data room: the two packs, a step's context, and rows made in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from alif import settings, store
from alif.data.prompt_texts import PROMPTS_FOLDER, PromptTexts, load_prompt_texts
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Counts, Example, FrozenModel, Origin
from alif.runs import Run, StepContext, make_context

hypothesis_settings.register_profile("busy machine", deadline=None)
hypothesis_settings.load_profile("busy machine")

LANGUAGE = settings.Language(pack="ur", source="en")
SCRIPTED = {"scripted": settings.Teacher(model="scripted", base_url="scripted", max_tokens=2048)}
PROMPTS = {"prompts": PROMPTS_FOLDER}


@pytest.fixture(scope="session")
def own() -> Pack:
    return packs.load_pack("ur")


@pytest.fixture(scope="session")
def known() -> Pack:
    return packs.load_pack("en")


@pytest.fixture(scope="session")
def texts() -> PromptTexts:
    return load_prompt_texts()


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., StepContext]:
    """Return a function that builds what a step is handed; `rows` are the examples.jsonl of its inputs."""

    def build(
        step: str, rows: Mapping[str, Iterable[Example]] | None = None, run: str = "run", **runtime: Any
    ) -> StepContext:
        root = tmp_path / run
        for name, examples in (rows or {}).items():
            store.write_rows(root / name / "examples.jsonl", examples)
        inputs = {name: root / name for name in rows or {}}
        table = settings.Runtime.model_validate(runtime)
        return make_context(Run(root), step, table, inputs=inputs, paths=PROMPTS, folder=root / step)

    return build


def run_work(work: Callable[..., FrozenModel], context: StepContext, *tables: Any, **named: Any) -> Counts:
    """Run a step's function and return its counts, which add up."""
    with context.output:
        facts = work(context, *tables, **named)
    return context.output.count(facts)


def row(
    task: str, instruction: str, output: str, input: str = "", kind: str = "teacher", *, language: str = "ur"
) -> Example:
    origin = Origin.model_validate({"kind": kind})
    return Example.make(language, task, instruction, input, output, origin)


def rows_of(folder: Path, name: str = "examples") -> list[dict[str, Any]]:
    """Return the rows of a step's file, none where it has no such file."""
    path = folder / f"{name}.jsonl"
    return [values for _, values in store.read_rows(path)] if path.is_file() else []


def triples(pack: Pack, pattern: str) -> list[tuple[str, dict[str, Any]]]:
    """Return (file's name, row) of the pack's files that match."""
    return [
        (path.stem, values)
        for path in sorted(pack.folder.glob(pattern))
        for _, values in store.read_rows(path)
    ]
