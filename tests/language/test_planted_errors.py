"""Planted errors: each kind is where it says, and where none fits there is none."""

from __future__ import annotations

import random

import pytest

from alif.language.answers.arithmetic import check_equations
from alif.language.language_id import find_lookalikes
from alif.language.pack import load_pack
from alif.language.planted_errors import ERRORS, plant_error
from alif.records import Example, Origin

URDU, BENGALI = load_pack("ur"), load_pack("bn")
LONG = (
    "کتاب پڑھنے سے علم بڑھتا ہے اور سوچنے کا انداز بدلتا ہے۔ "
    "روزانہ آدھا گھنٹہ پڑھنا عادت بنا لیں تو ایک سال میں کئی کتابیں پڑھی جا سکتی ہیں۔"
)


def example(output: str, task: str = "qa", language: str = "ur") -> Example:
    return Example.make(language, task, "سوال", "", output, Origin(kind="seed"))


ROWS = [example(LONG), example("3 × 450 = 1350 روپے"), example("۱۲ + ۷ = ۱۹", "reasoning")]


def plant(kind: str, row: Example, seed: int = 0) -> str:
    return ERRORS[kind](row, ROWS, URDU, random.Random(seed))


@pytest.mark.parametrize("seed", range(5))
def test_a_lookalike_is_one_letter_that_the_pack_names(seed: int) -> None:
    changed = plant("lookalike", ROWS[0], seed)
    assert len(changed) == len(LONG)
    assert sum(one != other for one, other in zip(changed, LONG, strict=True)) == 1
    assert len(find_lookalikes(changed, URDU)) == 1


def test_a_sum_no_longer_holds_in_any_digits() -> None:
    for row in ROWS[1:]:
        assert [holds for _, holds in check_equations(plant("sum", row), URDU)] == [False]
    assert plant("sum", ROWS[0]) == ""
    bengali = example("৬ × ৭ = ৪২", language="bn")
    changed = ERRORS["sum"](bengali, [], BENGALI, random.Random(0))
    assert [holds for _, holds in check_equations(changed, BENGALI)] == [False]
    assert plant("sum", example("5 + 4 = 9")) == "5 + 4 = 8"


def test_a_cut_ends_within_a_sentence_and_short_answers_are_not_cut() -> None:
    cut = plant("cut", ROWS[0])
    assert LONG.startswith(f"{cut} ")
    assert not cut.endswith("۔")
    assert plant("cut", ROWS[1]) == plant("cut", example(LONG.replace(" ", ""))) == ""


def test_another_answer_is_one_of_the_same_task() -> None:
    assert plant("other_answer", ROWS[0]) == ROWS[1].output
    assert plant("other_answer", ROWS[2]) == ""


def test_an_error_is_planted_in_the_answer_alone_or_nowhere() -> None:
    kinds = set()
    for seed in range(20):
        found = plant_error(ROWS[0], ROWS, URDU, random.Random(seed))
        assert found is not None
        kind, row = found
        kinds.add(kind)
        assert (row.instruction, row.task) == (ROWS[0].instruction, "qa")
        assert row.output != LONG
    assert kinds == {"lookalike", "cut", "other_answer"}
    assert plant_error(example("no", "none"), ROWS, BENGALI, random.Random(0)) is None
