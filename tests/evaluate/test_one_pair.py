"""One system on one benchmark: nothing else is measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from alif.errors import RecipeError
from alif.evaluate.measure import evaluate_systems
from alif.runs import Run, make_context
from alif.settings import Benchmarks, Evaluate, Finetune, Language, Pretrain, Runtime, Sources


def measure(needs: Mapping[str, Path], folder: Path, system: str, benchmark: str) -> None:
    runtime = Runtime(device="cpu", threads=1)
    context = make_context(Run(folder), "evaluate", runtime, inputs=needs, folder=folder / "pair")
    with context.output:
        evaluate_systems(
            context,
            language=Language(),
            sources=Sources(folder=str(folder)),
            benchmarks=Benchmarks(),
            benchmark={},
            system={},
            evaluate=Evaluate(questions=8, max_new_tokens=4, bootstrap_samples=20),
            pretrain=Pretrain(max_seq_length=64),
            finetune=Finetune(),
            only=(system, benchmark),
        )


def test_nothing_else_is_measured(needs: Mapping[str, Path], tmp_path: Path) -> None:
    measure(needs, tmp_path, "finetune", "test")
    folder = tmp_path / "pair"
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["finetune"]
    assert [path.name for path in (folder / "finetune").iterdir()] == ["test"]
    assert (folder / "finetune" / "test" / "corpus.json").is_file()


@pytest.mark.parametrize(("system", "benchmark"), [("gpt-9", "test"), ("base", "mmlu")])
def test_what_the_recipe_does_not_have_is_named(
    needs: Mapping[str, Path], tmp_path: Path, system: str, benchmark: str
) -> None:
    with pytest.raises(RecipeError, match=r"gpt-9: no such system|mmlu: no such benchmark"):
        measure(needs, tmp_path, system, benchmark)
