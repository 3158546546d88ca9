"""Question sets: samples counted, examples never questions, margins where ability must be kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.errors import RecipeError
from alif.evaluate.question_sets import QuestionSet, read_question_sets
from alif.language.pack import load_pack
from alif.runs import StepOutput
from alif.settings import Benchmarks, BenchmarkTable, Evaluate

UR, EN = load_pack("ur"), load_pack("en")


def read(folder: Path, each: int = 0, **tables: object) -> tuple[list[QuestionSet], StepOutput]:
    (folder / "step").mkdir(exist_ok=True)
    found = {name: BenchmarkTable.model_validate(table) for name, table in tables.items()}
    with StepOutput(folder / "step") as output:
        return read_question_sets(
            output, Benchmarks(), found, str(folder), Evaluate(questions_each=each), UR, EN
        ), output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"id": f"q{n}", "question": f"{n} + 1?", "final": str(n + 1)} for n in range(6)]
    store.write_rows(tmp_path / "sums.jsonl", [*rows, {"id": "bad", "question": "?"}])
    store.write_rows(
        tmp_path / "train.jsonl",
        [*rows[:2], *({**row, "question": f"{n} + 2?"} for n, row in enumerate(rows))],
    )
    return tmp_path


SUMS = {"form": "number", "files": "sums.jsonl"}


def test_every_row_is_asked_dropped_or_counted_as_not_sampled(folder: Path) -> None:
    (found,), output = read(folder, each=2, sums=SUMS)
    assert len(found.items) == 2
    assert (output.rows_in, output.kept, output.left_out) == (7, 2, 4)
    assert output.dropped == {"no_gold": 1}
    (more,), _ = read(folder, each=2, sums={**SUMS, "questions": 4})
    assert len(more.items) == 4
    assert {item.id for item in found.items} <= {item.id for item in more.items}


def test_an_example_is_never_a_question(folder: Path) -> None:
    (found,), _ = read(folder, sums={**SUMS, "shots": [0, 4], "examples": "train.jsonl"})
    asked = {item.question for item in found.items}
    assert len(found.examples) == 4
    assert asked.isdisjoint(item.question for item in found.examples)
    (again,), _ = read(folder, sums={**SUMS, "shots": [0, 2], "examples": "train.jsonl"})
    assert again.examples == found.examples[:2]
    with pytest.raises(RecipeError, match=r"benchmark\.sums: only 6 examples are not asked themselves"):
        read(folder, sums={**SUMS, "shots": [8], "examples": "train.jsonl"})


def test_a_loss_has_a_margin_in_the_source_language_or_where_the_table_says_so(folder: Path) -> None:
    found, _ = read(folder, own=SUMS, known={**SUMS, "language": "en"}, stated={**SUMS, "margin": 0.05})
    assert [(one.name, one.pack.code, one.margin) for one in found] == [
        ("own", "ur", None),
        ("known", "en", 0.01),
        ("stated", "ur", 0.05),
    ]
