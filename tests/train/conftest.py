"""A run folder with a small corpus, a blend and a tiny base, made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alif import runs, store
from alif.language import pack as languages
from alif.records import Document, Example, Origin
from alif.runs import Run, StepContext, StepOutput
from alif.settings import Language, Runtime, StudentSettings, Tiny
from alif.train import prepare_base
from tests.pipeline_steps import step_by_name

TINY = Tiny(vocabulary=400, width=32, feed_forward=48, epochs=1, max_seq_length=128, batch_size=2)
RUNTIME = Runtime(device="cpu", threads=1, checkpoint_steps=3)


@dataclass(frozen=True)
class House:
    """A run folder; `given` hands a step its folders as the pipeline does."""

    root: Path
    outputs: list[StepOutput] = field(default_factory=list, compare=False)

    def context(self, step: str, *needs: str, runtime: Runtime = RUNTIME) -> StepContext:
        scratch = self.root / "runtime" / step
        partial = scratch / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        context = runs.make_context(
            Run(self.root), step, runtime, inputs={need: self.root / need for need in needs}, folder=partial
        )
        self.outputs.append(context.output)
        return context

    def clear(self, context: StepContext) -> None:
        """Remove what a finished step leaves in its scratch folder, as `runs.perform` does."""
        for pattern in step_by_name(context.step).disposable:
            for path in context.scratch.glob(pattern):
                shutil.rmtree(path)

    def finish(self, context: StepContext) -> Path:
        """Give a step's folder its name."""
        context.output.__exit__()
        return context.folder.rename(self.root / context.step)


def articles(language: str, count: int) -> list[Document]:
    code = languages.load_pack(language).code
    rows = store.read_rows(languages.load_pack(language).folder / "demo" / "articles.jsonl")
    return [Document.make(code, row["text"], title=row["title"]) for _, row in rows][:count]


def blend() -> list[Example]:
    rows = store.read_rows(languages.load_pack("en").folder / "demo" / "rows.jsonl")
    return [
        Example.make("en", "x", r["instruction"], r["input"], r["output"], Origin(kind="replay"))
        for _, r in rows
    ][:12]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders corpus, blend and base; only to be read."""
    house = House(tmp_path_factory.mktemp("built"))
    documents = [*articles("ur", 8), *articles("en", 6)]
    store.write_rows(house.root / "corpus" / "examples.jsonl", documents)
    store.write_rows(
        house.root / "corpus" / "held_out.jsonl", [{"id": documents[0].id}, {"id": documents[-1].id}]
    )
    rows = blend()
    store.write_rows(house.root / "blend" / "examples.jsonl", rows)
    store.write_rows(house.root / "blend" / "held_out.jsonl", [{"id": rows[0].id}])
    context = house.context("base", "corpus")
    prepare_base.prepare_base(context, Language(), StudentSettings(base="tiny"), TINY)
    house.finish(context)
    return house.root


@pytest.fixture
def house(built: Path, tmp_path: Path) -> Iterator[House]:
    """A run of its own with the built folders in it."""
    for name in ("corpus", "blend", "base"):
        (tmp_path / name).symlink_to(built / name)
    house = House(tmp_path)
    yield house
    for output in house.outputs:
        output.__exit__()
