"""Layouts of other trainers hold every row that the data set for the Hub holds, as messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from alif import store
from alif.errors import DataError
from alif.records import Example, Message, Origin
from alif.report.dataset import read_made_rows
from alif.report.training_layouts import to_messages, write_layout
from tests import made_up


@pytest.fixture
def run(tmp_path: Path) -> Path:
    root = made_up.build(tmp_path)
    rows = list(store.read_models(root / "blend" / "examples.jsonl", Example))
    made = [row for row in rows if row.origin.kind in ("teacher", "translated")]
    store.write_rows(root / "blend" / "held_out.jsonl", [{"id": made[0].id}])
    return root


def test_a_row_is_its_turns_and_its_last_question_and_answer() -> None:
    row = Example.make("ur", "t", "خلاصہ کریں", "متن", "جواب", Origin(kind="teacher"))
    turns = (Message(role="system", content="مختصر"), Message(role="user", content="سلام"))
    found = to_messages(row.with_turns((*turns, Message(role="assistant", content="وعلیکم"))))
    assert [one["role"] for one in found] == ["system", "user", "assistant", "user", "assistant"]
    assert [one["content"] for one in found][-2:] == ["خلاصہ کریں\n\nمتن", "جواب"]


@pytest.mark.parametrize("layout", ["messages", "llama-factory", "axolotl"])
def test_every_row_is_there(run: Path, layout: str) -> None:
    folder = write_layout(run, layout)
    expected = {name: [to_messages(row) for row in rows] for name, rows in read_made_rows(run).items()}
    assert len(expected["validation"]) == 1
    for name, rows in expected.items():
        if layout == "llama-factory":
            found = json.loads((folder / f"{name}.json").read_text("utf-8"))
        else:
            found = [row for _, row in store.read_rows(folder / f"{name}.jsonl")]
        assert [row["messages"] for row in found] == rows


def test_the_trainers_files_name_these(run: Path) -> None:
    entries = store.read_json(write_layout(run, "llama-factory") / "dataset_info.json")
    assert entries["demo_train"]["file_name"] == "train.json"
    assert entries["demo_train"]["tags"]["assistant_tag"] == "assistant"
    folder = write_layout(run, "axolotl")
    settings = yaml.safe_load((folder / "datasets.yaml").read_text("utf-8"))
    assert settings["datasets"][0]["path"] == "train.jsonl"
    assert settings["test_datasets"][0]["type"] == "chat_template"


def test_without_a_mixture_it_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the step blend is not done"):
        write_layout(tmp_path, "messages")
