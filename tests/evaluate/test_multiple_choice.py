"""Multiple choice: reading questions, choosing by log-probability a byte."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError, MissingExtra
from alif.evaluate import multiple_choice
from alif.evaluate.likelihood import LikelihoodInput, target_bits
from alif.evaluate.multiple_choice import Question
from alif.student import Student

ROWS = (
    {
        "id": "a",
        "question": "Predators eat",
        "choices": ["bunnies", "lions and all other large animals"],
        "gold": 0,
    },
    {"id": "b", "question": "Water is", "choices": ["dry", "wet", "blue"], "gold": 1},
    {"id": "c", "question": "No gold", "choices": ["x", "y"]},
    {"id": "d", "question": "Too far", "choices": ["x", "y"], "gold": 2},
    {"id": "e", "question": "One choice", "choices": ["x"], "gold": 0},
    {"id": "f", "question": "", "choices": ["x", "y"], "gold": 0},
    {"id": "g", "question": "Empty choice", "choices": ["x", ""], "gold": 0},
    {"id": "h", "question": "Not a list", "choices": "xy", "gold": 0},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store.write_rows(tmp_path / "small.en.jsonl", ROWS)
    return tmp_path


def test_questions_are_read_or_dropped_with_their_place(folder: Path) -> None:
    found, dropped = multiple_choice.read_questions(("small.en.jsonl",), str(folder), 0, 1, "xx")
    assert [(one.benchmark, one.language, one.id) for one in found] == [
        ("small", "en", "a"),
        ("small", "en", "b"),
    ]
    assert [one.reason for one in dropped] == ["not_multiple_choice"] * 6
    assert dropped[0].evidence.startswith(f"{folder}/small.en.jsonl:3: ")


def test_a_name_without_a_language_is_the_known_one(folder: Path) -> None:
    (folder / "small.en.jsonl").rename(folder / "small.v2.jsonl")
    found, _ = multiple_choice.read_questions(("*.jsonl",), str(folder), 1, 1, "xx")
    assert [(one.benchmark, one.language) for one in found] == [("small.v2", "xx")]


def test_a_missing_file_is_a_sentence(folder: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        multiple_choice.read_questions(("none.en.jsonl",), str(folder), 0, 1, "en")


def test_the_choice_is_the_likeliest_a_byte(student: Student) -> None:
    context = student.tokenizer("Predators eat")["input_ids"]
    rates = []
    for choice in ROWS[0]["choices"]:
        target = student.tokenizer(f" {choice}", add_special_tokens=False)["input_ids"]
        rates.append(
            target_bits(student, [LikelihoodInput(context, target)], 2048, "test")[0]
            / len(f" {choice}".encode())
        )
    best = rates.index(min(rates))
    for gold in (0, 1):
        question = Question("small", "en", "a", "Predators eat", tuple(ROWS[0]["choices"]), gold)
        (measured,) = multiple_choice.measure_accuracy(student, [question])
        assert measured.items.value == (gold == best)


def test_chance_is_the_mean_over_questions(student: Student, folder: Path) -> None:
    asked, _ = multiple_choice.read_questions(("small.en.jsonl",), str(folder), 0, 1, "en")
    (measured,) = multiple_choice.measure_accuracy(student, asked)
    assert measured.chance == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert measured.share
    assert measured.margin == multiple_choice.RETENTION_MARGIN


def test_lm_eval_is_an_extra(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(MissingExtra, match="evaluate extra"):
        multiple_choice.run_lm_eval(student, ["arc_easy"])


@pytest.mark.shared
def test_every_benchmark_of_choices_can_be_read(shared_data: Path) -> None:
    names = (
        "arc_easy",
        "arc_challenge",
        "boolq",
        "commonsense_qa",
        "copa",
        "openbookqa",
        "piqa",
        "mmlu_test",
    )
    found, dropped = multiple_choice.read_questions(
        tuple(f"bench/{name}.en.jsonl.gz" for name in names), str(shared_data), 20, 1, "xx"
    )
    assert not dropped
    assert {(one.benchmark, one.language) for one in found} == {(name, "en") for name in names}
    assert len(found) == 20 * len(names)
