"""Sources of translated and replayed rows as people have them, right and damaged: a sentence before money."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from alif.data import source_check
from alif.data.mixture.replay import sample_replay
from alif.data.translation.translation_items import TranslationItem, read_items
from alif.errors import RecipeError
from alif.language.pack import load_pack
from alif.recipe import validate_recipe
from alif.records import Dropped
from alif.runs import Run, make_context
from alif.settings import Language, Replay, Runtime, Sources, Translate

EN, UR = load_pack("en"), load_pack("ur")
QUESTION, GIVEN, ANSWER = (
    "Where is the key of the old house?",
    "The house by the river.",
    "It is on the shelf.",
)
SHAPES: dict[str, dict[str, Any]] = {
    "alpaca": {"instruction": QUESTION, "input": GIVEN, "output": ANSWER, "text": "### Instruction:"},
    "dolly": {"instruction": QUESTION, "context": GIVEN, "response": ANSWER, "category": "closed_qa"},
    "openorca": {"id": "t0.1", "system_prompt": "Be short.", "question": QUESTION, "response": ANSWER},
    "sharegpt": {"conversations": [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": ANSWER}]},
    "messages": {
        "messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
    },
    "plain": {"prompt": QUESTION, "completion": ANSWER},
}


def items(folder: Path, name: str) -> list[TranslationItem | Dropped]:
    return list(read_items(UR, EN, str(folder), Translate(source=(name,), rows=9)))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_that_people_have_is_read(tmp_path: Path, shape: str) -> None:
    for name, content in {
        "rows.jsonl": json.dumps(SHAPES[shape]),
        "rows.json": json.dumps([SHAPES[shape]]),
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        [item] = items(tmp_path, name)
        assert isinstance(item, TranslationItem), item
        assert (item.row.instruction, item.row.output) == (QUESTION, ANSWER)
        assert item.row.input in ("", GIVEN)


def test_a_table_and_a_parquet_file_are_read(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Instruction", "input", "output"), (QUESTION, GIVEN, ANSWER)])
    table = arrow.table({"question": [QUESTION], "answer": [ANSWER]})
    parquet.write_table(table, tmp_path / "rows.parquet")
    for name in ("rows.csv", "rows.parquet"):
        [item] = items(tmp_path, name)
        assert isinstance(item, TranslationItem), name
        assert (item.row.instruction, item.row.output) == (QUESTION, ANSWER)


ROW = SHAPES["alpaca"]
LONG = "The bridge over the river is closed today. " * 250_000
DAMAGED: dict[str, tuple[bytes, str]] = {
    "missing columns": (
        json.dumps({"a": 1, "b": "x"}).encode(),
        "a row needs instruction and output as text",
    ),
    "mixed types": (json.dumps({**ROW, "output": 42}).encode(), "a row needs instruction and output as text"),
    "a list for a text": (
        json.dumps({**ROW, "instruction": ["a"]}).encode(),
        "instruction and output as text",
    ),
    "a row of 10 MB": (json.dumps({**ROW, "output": LONG}).encode(), "a row has at most 200,000"),
    "UTF-16": (json.dumps(ROW).encode("utf-16"), "not UTF-8 but UTF-16"),
    "Windows-1252": (json.dumps({**ROW, "output": "café"}, ensure_ascii=False).encode("cp1252"), "not UTF-8"),
    "half a line": (b'{"instruction": "Where', "not JSON"),
    "nothing": (b"", "the file is empty"),
}


@pytest.mark.parametrize("table", ["translate", "replay"])
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_source_is_a_sentence_at_alif_check(tmp_path: Path, damage: str, table: str) -> None:
    content, told = DAMAGED[damage]
    (tmp_path / "rows.jsonl").write_bytes(content)
    asked = {table: {"source": "rows.jsonl", "rows": 5}}
    recipe = validate_recipe({"name": "r", "sources": {"folder": str(tmp_path)}, **asked}, "test")
    [problem] = source_check.find_problems(recipe, [table])
    assert problem.message.startswith(f"{table}.source: ")
    assert told in problem.message
    assert problem.hint


def test_of_mixed_rows_the_right_ones_stay_and_the_others_are_beside(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "output": 42}, {"a": 1}, {**ROW, "output": LONG}, {**ROW, "output": "It is there."}]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = items(tmp_path, "rows.jsonl")
    assert [isinstance(one, TranslationItem) for one in found] == [True, False, False, False, True]
    assert [one.reason for one in found if isinstance(one, Dropped)] == [
        "missing_field", "missing_field", "too_long",
    ]  # fmt: skip
    context = make_context(Run(tmp_path / "run"), "replay", Runtime(), folder=tmp_path / "run" / "replay")
    with context.output:
        replay = Replay(source=("rows.jsonl",), rows=9)
        facts = sample_replay(context, Language(), Sources(folder=str(tmp_path)), replay, Translate())
    counts = context.output.count(facts)
    assert (counts.rows_in, counts.kept) == (5, 2)
    assert dict(counts.dropped) == {"missing_field": 2, "too_long": 1}


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (
            {"replay": {"share": 0.2}, "blend": {"replay": {"rows": 5}}},
            "replay.share and blend.replay.rows both",
        ),
        ({"replay": {"source": "self", "rows": 5}}, "needs the base's instruct sibling"),
        ({"translate": {"back_translator": "nobody"}}, "which is no teacher of this recipe"),
        (
            {"teacher": {"a": {"model": "m"}}, "translate": {"back_translator": "a"}},
            "is the only teacher; another model",
        ),
        ({"replay": {"kind_shares": {"poems": 0.5}}}, "replay.kind_shares.poems"),
        ({"replay": {"share": 1.0}}, "replay.share"),
    ],
)
def test_two_ways_to_say_one_thing_and_names_of_nobody_are_refused(tables: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        validate_recipe({"name": "r", **tables}, "test")
