"""Translated benchmarks: what is written of translations that agree, differ, or are missing."""

from __future__ import annotations

import json
from pathlib import Path

from alif import store
from alif.benchmark_items import Item
from alif.data.translation.benchmark_translation import TranslatedItem, write_benchmark

FOUND = [
    TranslatedItem(
        Item("1", "Two and two?", answers=("4",), licence="MIT"),
        {"a": {"question": "دو اور دو؟", "final": "4"}, "b": {"question": "دو اور دو؟", "final": "4"}},
        1.0,
    ),
    TranslatedItem(
        Item("2", "Six?", answers=("6",)),
        {"a": "lost_number: final: 6", "b": {"question": "چھ؟", "final": "6"}},
        0.0,
    ),
    TranslatedItem(Item("3", "Ten?", answers=("10",)), {"a": "refusal: no", "b": "refusal: no"}, 0.0),
]


def read(path: Path) -> list[dict[str, object]]:
    return [row for _, row in store.read_rows(path)]


def test_the_second_teacher_stands_in_for_the_first_and_what_nobody_translated_is_review_alone(
    tmp_path: Path,
) -> None:
    told = write_benchmark(tmp_path, "sums.ur", FOUND)
    assert told == {
        "questions": 2, "untranslated": 1, "provenance": "machine-translated, 0 of 2 checked by people",
    }  # fmt: skip
    assert [(row["id"], row["question"]) for row in read(tmp_path / "sums.ur.jsonl")] == [
        ("1", "دو اور دو؟"), ("2", "چھ؟"),
    ]  # fmt: skip
    review = read(tmp_path / "sums.ur.review.jsonl")
    assert [row["id"] for row in review] == ["2", "3", "1"]
    assert review[0]["translations"] == FOUND[1].translations
    task = json.loads((tmp_path / "sums.ur.yaml").read_text(encoding="utf-8"))
    assert (task["task"], task["output_type"], task["doc_to_target"]) == (
        "sums_ur",
        "generate_until",
        "{{final}}",
    )


def test_what_a_person_wrote_and_signed_counts(tmp_path: Path) -> None:
    write_benchmark(tmp_path, "sums.ur", FOUND)
    path = tmp_path / "sums.ur.review.jsonl"
    rows = read(path)
    rows[1] |= {"question": "دس؟", "final": "10", "checked_by": "Amna"}
    rows[0] |= {"question": "نہ گنا جائے", "checked_by": " "}  # not signed
    store.write_rows(path, rows)
    told = write_benchmark(tmp_path, "sums.ur", FOUND)
    assert told["provenance"] == "machine-translated, 1 of 3 checked by people"
    questions = {row["id"]: row["question"] for row in read(tmp_path / "sums.ur.jsonl")}
    assert questions == {"1": "دو اور دو؟", "2": "چھ؟", "3": "دس؟"}
