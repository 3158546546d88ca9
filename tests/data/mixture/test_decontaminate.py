"""The index of a recipe's questions: which texts are read, and what is said of a row that gives one away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alif import settings
from alif.data.mixture.decontaminate import drop_leak, open_index, open_kept_out, read_origins
from alif.language.pack import Pack
from alif.records import Document
from tests.data.conftest import row, rows_of

QUESTION = "How many apples does Weng have in her basket if she buys twelve and gives five to her friends?"


@pytest.mark.parametrize(
    "original",
    [
        {"question": QUESTION, "answer": "She has 12 - 5 = 7. #### 7"},
        {"question": QUESTION, "final": "7"},
        {"instruction": QUESTION, "context": "", "response": "7"},
        {"instruction": "Solve:", "input": QUESTION, "output": "7"},
        {"prompt": QUESTION, "completion": "7"},
        {"id": "w", "instruction": "x", "instances": [{"instruction": QUESTION, "input": "", "output": "7"}]},
    ],
)
def test_an_original_may_have_any_shape(
    own: Pack, known: Pack, tmp_path: Path, original: dict[str, Any]
) -> None:
    (tmp_path / "original.jsonl").write_text(json.dumps(original), encoding="utf-8")
    (tmp_path / "asked.jsonl").write_text(json.dumps({"question": "سات؟", "final": "7"}), encoding="utf-8")
    table = settings.BenchmarkTable(form="number", files=("asked.jsonl",), original=("original.jsonl",))
    index = open_index(own, known, str(tmp_path), settings.Benchmarks(test=()), {"mgsm": table})
    dropped = drop_leak(row("qa", QUESTION, "7", language="en"), index)
    assert dropped
    assert dropped.reason == "contaminated"
    assert "of mgsm#original" in dropped.evidence
    assert drop_leak(row("qa", "Name a fruit.", "An apple.", language="en"), index) is None


def test_stage_1_keeps_the_tests_of_the_pack_out_unless_it_is_told_not_to(own: Pack, known: Pack) -> None:
    recipe = settings.Recipe(name="r")
    index = open_kept_out(own, known, "", recipe.kept_out)
    assert index
    first = rows_of(own.folder, "test")[0]
    page = Document.make("ur", f"سوالنامہ\n{first['instruction']}\n{first['input']}")
    leaked = drop_leak(page, index)
    assert leaked
    assert leaked.nearest
    assert first["instruction"] in leaked.nearest.text
    off = settings.Recipe(name="r", corpus=settings.Corpus(decontaminate=False))
    assert open_kept_out(own, known, "", off.kept_out) is None


def test_origins_of_translations_are_rows_sentences_and_pairs(known: Pack, tmp_path: Path) -> None:
    pair = {"en": "It snows.", "ur": "برف"}
    lines = [{"instruction": "Sing.", "output": "La."}, {"text": "It rains."}, pair]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    found = read_origins(
        settings.Translate(source=("a.jsonl",), rows=3), str(tmp_path), known, {"a#1", "a#2", "a#3", "b#1"}
    )
    assert [one.instruction for one in found.values()] == ["Sing.", "It rains.", "It snows."]
