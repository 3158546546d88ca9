"""The mixture: sums that add up, no row twice, no prompt on both sides, no question of a test in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import settings
from alif.data.mixture.blend import build_blend
from alif.errors import RecipeError
from alif.language import text
from alif.language.pack import Pack, load_pack
from alif.records import Counts, Example
from alif.runs import StepContext
from tests.data.conftest import LANGUAGE, row, rows_of, run_work

PARTS = {name: settings.Part() for name in ("generate", "translate", "replay")}


def reviewed() -> list[Example]:
    made = [row("qa", f"سوال نمبر {n} کا جواب کیا ہے؟", f"جواب {n}") for n in range(40)]
    return made + [row("qa", f"ترجمہ نمبر {n} کیا ہے؟", f"ترجمہ {n}", kind="translated") for n in range(20)]


def replayed() -> list[Example]:
    return [
        row("other", f"What is question {n}?", f"answer {n}", kind="replay", language="en") for n in range(10)
    ]


def run(
    step: StepContext,
    folder: Path | str = "",
    parts: dict[str, settings.Part] | None = None,
    validation: float = 0.1,
    tables: dict[str, settings.BenchmarkTable] | None = None,
    **benchmarks: Any,
) -> Counts:
    return run_work(
        build_blend,
        step,
        language=LANGUAGE,
        sources=settings.Sources(folder=str(folder)),
        blend=parts or PARTS,
        split=settings.Split(validation_share=validation),
        benchmarks=settings.Benchmarks.model_validate(benchmarks),
        decontaminated=tables or {},
    )


@pytest.fixture
def step(context: Callable[..., StepContext]) -> StepContext:
    return context("blend", {"review": reviewed(), "replay": replayed()})


def test_parts_are_the_steps_rows_and_each_has_validation_rows(step: StepContext) -> None:
    counts = run(step)
    assert (counts.kept, counts.dropped, counts.facts["held_out"]) == (70, {}, 7)
    assert {name: part["validation"] for name, part in counts.facts["parts"].items()} == {
        "generate": 4,
        "translate": 2,
        "replay": 1,
    }
    assert [one["id"] for one in rows_of(step.folder)] == [one.id for one in [*reviewed(), *replayed()]]


def test_no_prompt_stands_on_both_sides(context: Callable[..., StepContext], own: Pack) -> None:
    twice = [row("qa", f"سوال نمبر {n}", f"جواب {m}") for n in range(30) for m in range(3)]
    twice += [row("qa", f"سوال نمبر ۲{n}؟", "ایک اور", kind="translated") for n in range(9)]
    step = context("blend", {"review": twice, "replay": []})
    run(step, validation=0.3)
    held = {one["id"] for one in rows_of(step.folder, "held_out")}
    prompts: dict[bool, set[str]] = {True: set(), False: set()}
    for one in rows_of(step.folder):
        prompts[one["id"] in held].add(text.fold_text(one["instruction"], own))
    assert prompts[True]
    assert prompts[False]
    assert not prompts[True] & prompts[False]


def test_a_row_is_there_once_and_a_cap_draws_by_lot(step: StepContext, tmp_path: Path) -> None:
    same = [one.model_dump(mode="json") for one in reviewed()[:3]]
    other = [{"instruction": f"نیا سوال نمبر {n}", "output": "نیا جواب"} for n in range(9)]
    (tmp_path / "set.jsonl").write_text(
        "\n".join(json.dumps(one, ensure_ascii=False) for one in [*same, *other, *other]), encoding="utf-8"
    )
    parts = {
        "generate": settings.Part(rows=30),
        "more": settings.Part(source=("set.jsonl",), licence="CC0-1.0"),
    }
    counts = run(step, tmp_path, parts)
    assert counts.facts["parts"]["generate"]["drawn"] == 30
    assert counts.dropped["duplicate"] >= 9
    rows = rows_of(step.folder)
    assert len({one["id"] for one in rows}) == len(rows) == counts.kept
    more = [one for one in rows if one["origin"]["kind"] == "source"]
    assert {one["origin"]["licence"] for one in more} == {"CC0-1.0"}
    assert {one["language"] for one in more} == {"ur"}


def test_a_part_without_a_source_that_is_no_step_is_refused(step: StepContext) -> None:
    with pytest.raises(RecipeError, match=r"blend\.alpaca: no source"):
        run(step, parts={"alpaca": settings.Part()})


def test_questions_of_the_test_set_and_of_benchmarks_are_dropped(
    context: Callable[..., StepContext], own: Pack, tmp_path: Path
) -> None:
    first = rows_of(own.folder, "test")[0]
    copied = row("generation", first["instruction"].replace("ی", "ي") + "!!", "کچھ", first["input"])
    question = "Which of these animals lays eggs in the sand of a warm beach at night and swims away?"
    (tmp_path / "bench.jsonl").write_text(
        json.dumps({"question": question, "choices": ["a", "b"], "gold": 0}), encoding="utf-8"
    )
    inside = row("qa", f"Tell me: {question}", "the turtle", kind="replay", language="en")
    alike = row(
        "qa", "Which of these animals lays eggs in the sand?", "the turtle", kind="replay", language="en"
    )
    step = context("blend", {"review": [copied, *reviewed()], "replay": [inside, alike]})
    counts = run(step, tmp_path, multiple_choice="bench.jsonl")
    assert dict(counts.dropped) == {"contaminated": 2}
    evidence = [one["evidence"] for one in rows_of(step.folder, "dropped")]
    assert evidence[0] == "the prompt of test#1"
    assert evidence[1].startswith("13 words of bench.en#1: which of these")
    assert alike.id in {one["id"] for one in rows_of(step.folder)}


def test_questions_of_a_benchmark_with_columns_of_its_own_are_dropped(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    (tmp_path / "sums.jsonl").write_text(json.dumps({"q": "سات اور پانچ؟", "a": "12"}), encoding="utf-8")
    columns = {"question": "q", "final": "a"}
    table = settings.BenchmarkTable(form="number", files=("sums.jsonl",), columns=columns)
    step = context(
        "blend", {"review": [row("qa", "سات اور پانچ؟", "بارہ"), *reviewed()], "replay": replayed()}
    )
    assert dict(run(step, tmp_path, tables={"sums": table}).dropped) == {"contaminated": 1}
    assert rows_of(step.folder, "dropped")[0]["evidence"] == "the prompt of sums#1"


def test_questions_of_the_packs_are_dropped(context: Callable[..., StepContext]) -> None:
    asked = rows_of(load_pack("en").folder, "choices")[0]
    copied = row("qa", asked["question"].upper(), "It may crack.", kind="replay", language="en")
    step = context("blend", {"review": reviewed(), "replay": [copied]})
    assert dict(run(step, multiple_choice="pack").dropped) == {"contaminated": 1}
    (dropped,) = rows_of(step.folder, "dropped")
    assert dropped["evidence"] == "the prompt of pack_choices.en#en-choice-001"


def test_nothing_written_for_the_demo_is_in_its_test_set(
    context: Callable[..., StepContext], own: Pack
) -> None:
    from tests.data.conftest import triples

    rows = [
        row(name, one["instruction"], one["output"], one["input"])
        for name, one in triples(own, "demo/candidates/*.jsonl")
    ]
    step = context("blend", {"review": rows, "replay": []})
    assert run(step).dropped == {}
