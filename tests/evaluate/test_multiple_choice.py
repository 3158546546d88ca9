"""Multiple choice: reading questions, choosing by log-probability a byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError
from alif.evaluate import multiple_choice
from alif.evaluate.benchmark import ItemResult
from alif.evaluate.multiple_choice import Question
from alif.evaluate.system import ask_student
from alif.language.pack import load_pack
from alif.runs import StepOutput
from alif.student import Student
from alif.student.likelihood import LikelihoodInput, target_bits

CHOICES = ("bunnies", "lions and all other large animals")
ROWS = (
    {"id": "a", "question": "Predators eat", "choices": list(CHOICES), "gold": 0},
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


def read(
    folder: Path, source: str = "*.jsonl", each: int = 0
) -> tuple[dict[str, list[Question]], StepOutput]:
    (folder / "step").mkdir(exist_ok=True)
    with StepOutput(folder / "step") as output:
        return multiple_choice.read_questions(
            output, (source,), str(folder), each, 1, load_pack("ur"), load_pack("sw")
        ), output


def test_questions_are_read_or_dropped_with_their_place(folder: Path) -> None:
    found, output = read(folder)
    assert [(one.benchmark, one.language, one.id) for one in found["small.en"]] == [
        ("small", "en", "a"),
        ("small", "en", "b"),
    ]
    assert output.dropped == {"not_multiple_choice": 6}
    assert (output.rows_in, output.kept) == (8, 2)
    (first, *_) = store.read_rows(folder / "step" / "dropped.jsonl")
    assert first[1]["evidence"].startswith(f"{folder}/small.en.jsonl:3: ")


def test_a_name_without_a_language_is_in_the_source_language(folder: Path) -> None:
    (folder / "small.en.jsonl").rename(folder / "small.v2.jsonl")
    found, output = read(folder, each=1)
    assert [(one.benchmark, one.language) for one in found["small.v2.sw"]] == [("small.v2", "sw")]
    assert output.left_out == 1


def test_the_test_split_is_not_part_of_a_benchmarks_name(tmp_path: Path) -> None:
    for name in ("mmlu_test.en.jsonl", "mmlu_dev.en.jsonl", "_test.en.jsonl"):
        store.write_rows(tmp_path / name, ROWS[:1])
    assert set(read(tmp_path)[0]) == {"mmlu.en", "mmlu_dev.en", "_test.en"}


def test_one_name_in_two_languages_is_two_benchmarks(folder: Path) -> None:
    store.write_rows(folder / "small.ur.jsonl", ROWS[:1])
    found, _ = read(folder)
    assert {name: len(rows) for name, rows in found.items()} == {"small.en": 2, "small.ur": 1}


def test_a_missing_file_is_a_sentence(folder: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(folder, "none.en.jsonl")


def test_the_choice_is_the_likeliest_a_byte(student: Student) -> None:
    context = student.tokenizer("Predators eat")["input_ids"]
    rates = []
    for choice in CHOICES:
        target = student.tokenizer(f" {choice}", add_special_tokens=False)["input_ids"]
        (bits,) = target_bits(student, [LikelihoodInput(context, target)], 2048)
        rates.append(bits / len(f" {choice}".encode()))
    best = rates.index(min(rates))
    for gold in (0, 1):
        question = Question("small", "en", "a", "Predators eat", CHOICES, gold)
        benchmark = multiple_choice.choice_benchmark("small.en", [question])
        (measured,) = benchmark.score(ask_student(student, benchmark)).metrics
        assert measured.items.value == (gold == best)


def test_a_long_choice_does_not_lose_by_its_length() -> None:
    question = Question("small", "en", "a", "Predators eat", ("fish", "fish that swim far away"), 1)
    result = ItemResult(id="a", bits=(10.0, 20.0))
    assert multiple_choice.score_choices([question], [result]).items.value == 1


def test_chance_is_the_mean_over_questions(folder: Path) -> None:
    asked = read(folder)[0]["small.en"]
    results = [ItemResult(id="a", bits=(1.0, 2.0)), ItemResult(id="b", bits=(1.0, 2.0, 3.0))]
    measured = multiple_choice.score_choices(asked, results)
    assert measured.chance == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert measured.share
    assert measured.margin == multiple_choice.RETENTION_MARGIN


def test_provenance_and_licence_are_what_all_rows_state(folder: Path) -> None:
    stated = [{**row, "provenance": "human-translated", "licence": "MIT"} for row in ROWS[:2]]
    store.write_rows(folder / "stated.ur.jsonl", stated)
    store.write_rows(folder / "mixed.ur.jsonl", [stated[0], {**ROWS[1], "provenance": "by magic"}])
    found = {name: multiple_choice.choice_benchmark(name, rows) for name, rows in read(folder)[0].items()}
    assert {name: (one.facts.provenance, one.facts.licence) for name, one in found.items()} == {
        "small.en": ("unknown", ""),
        "stated.ur": ("human-translated", "MIT"),
        "mixed.ur": ("unknown", "MIT"),
    }


def test_pack_is_the_questions_of_both_packs_beside_files(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "hausa"
    shutil.copytree(load_pack("sw").folder, own)
    store.write_rows(own / "choices.jsonl", ROWS[:1])
    source = ("small.en.jsonl", "pack")
    with StepOutput(tmp_path / "hausa") as output:
        found = multiple_choice.read_questions(
            output, source, str(folder), 0, 1, load_pack(own), load_pack("en")
        )
    assert {name: len(rows) for name, rows in found.items()} == {
        "pack_choices.sw": 1, "pack_choices.en": 200, "small.en": 2,
    }  # fmt: skip
    facts = multiple_choice.choice_benchmark("pack_choices.en", found["pack_choices.en"]).facts
    assert (facts.languages, facts.provenance, facts.licence) == (("en",), "native", "MIT")


def test_packs_without_questions_are_a_sentence(folder: Path) -> None:
    with pytest.raises(DataError, match=r"ur/choices.jsonl and .*sw/choices.jsonl: no such file"):
        read(folder, "pack")


@pytest.mark.shared
def test_every_benchmark_of_choices_can_be_read(shared_data: Path, tmp_path: Path) -> None:
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
    with StepOutput(tmp_path) as output:
        source = tuple(f"bench/{name}.en.jsonl.gz" for name in names)
        found = multiple_choice.read_questions(
            output, source, str(shared_data), 20, 1, load_pack("ur"), load_pack("en")
        )
    assert not output.dropped
    assert {name: len(rows) for name, rows in found.items()} == {
        f"{name.removesuffix('_test')}.en": 20 for name in names
    }
