"""Faults of translation that the review of the data half listed, each with neighbours of its kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alif import sources
from alif.data.synthesis.seeds import read_seeds
from alif.data.translation.translate import TranslationItem, read_items
from alif.language import pack as packs
from alif.records import Dropped, Example
from alif.settings import Translate

ALPACA = "Task.\n### Instruction:\nName two uses of a rope.\n### Response:\nTie a boat."
TRIPLE = {"instruction": "Name two uses of a rope.", "input": "", "output": "Tie a boat."}
TALK = [{"role": "user", "content": "Where is the key?"}, {"role": "assistant", "content": "On the shelf."}]


def write_source(folder: Path, *rows: Any) -> tuple[str]:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return ("rows.jsonl",)


def items_of(folder: Path, *rows: Any, pack: str = "ur") -> list[TranslationItem | Dropped]:
    asked = Translate(source=write_source(folder, *rows), rows=9)
    return list(read_items(packs.load_pack(pack), packs.load_pack("en"), str(folder), asked))


# --- A1: which shape a row has ---------------------------------------------------------------------------


def test_data_a1_a_triple_with_text_is_translated_as_a_triple(tmp_path: Path) -> None:
    [item] = items_of(tmp_path, {**TRIPLE, "text": ALPACA})
    assert isinstance(item, TranslationItem)
    assert not item.request_template
    assert (item.row.task, item.row.instruction, item.row.input) == ("other", TRIPLE["instruction"], "")
    assert item.row.output == "Tie a boat."


@pytest.mark.parametrize(
    "values",
    [
        {**TRIPLE, "text": ALPACA, "en": "Name two uses of a rope."},
        {"text": ALPACA, "prompt": ALPACA, **TRIPLE},
        {"question": "Name two uses of a rope.", "answer": "Tie a boat.", "text": "q a"},
        {"instruction": None, "prompt": TRIPLE["instruction"], "completion": "Tie a boat.", "text": "q"},
        {**TRIPLE, "output": None, "instances": [{"input": "", "output": "Tie a boat."}], "text": "q"},
        {"messages": [], "text": ALPACA, **TRIPLE},
        {"conversations": None, "text": ALPACA, **TRIPLE},
    ],
)  # fmt: skip
def test_data_a1_the_triple_wins_over_what_stands_beside_it(tmp_path: Path, values: dict[str, Any]) -> None:
    [item] = items_of(tmp_path, values)
    assert isinstance(item, TranslationItem)
    assert (item.row.instruction, item.row.output) == (TRIPLE["instruction"], TRIPLE["output"])


@pytest.mark.parametrize("key", ["messages", "conversations"])
@pytest.mark.parametrize("beside", [{"text": ALPACA}, TRIPLE, {**TRIPLE, "text": ALPACA, "en": "x"}])
def test_data_a1_a_conversation_wins_over_what_stands_beside_it(
    tmp_path: Path, key: str, beside: dict[str, Any]
) -> None:
    [item] = items_of(tmp_path, {**beside, key: TALK})
    assert isinstance(item, TranslationItem)
    assert (item.row.instruction, item.row.output) == ("Where is the key?", "On the shelf.")


@pytest.mark.parametrize(
    "values",
    [
        {"text": "The bridge is closed."},
        {"en": "The bridge is closed.", "text": "other"},
        {"en": None, "text": "The bridge is closed."},
        {"en": "", "text": "The bridge is closed."},
        {"text": "The bridge is closed.", "instruction": None, "output": None},
        {"text": "The bridge is closed.", "instruction": "", "input": "", "output": ""},
        {"text": "The bridge is closed.", "messages": []},
        {"text": "The bridge is closed.", "question": "What is closed?"},
        {"text": "The bridge is closed.", "prompt": "news"},
    ],
)
def test_data_a1_a_text_is_a_sentence_where_no_other_shape_is_whole(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    [item] = items_of(tmp_path, values)
    assert isinstance(item, TranslationItem)
    assert item.request_template
    assert item.row.input == "The bridge is closed."


def test_data_a1_a_triple_without_its_output_is_dropped_and_not_read_as_its_text(tmp_path: Path) -> None:
    [item] = items_of(tmp_path, {**TRIPLE, "output": "", "text": ALPACA})
    assert isinstance(item, Dropped)
    assert item.reason == "missing_field"


def test_data_a1_the_last_turn_of_a_conversation_is_not_translated_alone(tmp_path: Path) -> None:
    [item] = items_of(tmp_path, {"messages": [*TALK, *TALK], "text": "x"})
    assert isinstance(item, Dropped)
    assert item.reason == "earlier_turns"


def test_data_a1_every_other_door_reads_the_same_shape(tmp_path: Path) -> None:
    rows = ({**TRIPLE, "text": ALPACA}, {"messages": TALK, "text": ALPACA, **TRIPLE})
    source = write_source(tmp_path, *rows)
    found = [*sources.read_examples(source, str(tmp_path), language="en", task="other", kind="replay")]
    asked = [one.instruction for one in found if isinstance(one, Example)]
    assert asked == [TRIPLE["instruction"], "Where is the key?"]
    source = write_source(tmp_path, {**TRIPLE, "text": ALPACA, "task": "qa"})
    assert [one.output for one in read_seeds(packs.load_pack("ur"), str(tmp_path), source)] == ["Tie a boat."]
