"""Values of different kinds are compared."""

from __future__ import annotations

from fractions import Fraction

import pytest

from alif.language.answers.value_reader import find_values
from alif.language.answers.values import SIZES, Value, is_same_unit, is_same_value
from alif.language.pack import load_pack

UR = load_pack("ur")


@pytest.mark.parametrize(
    ("given", "right", "same"),
    [
        ("90 منٹ", "ڈیڑھ گھنٹہ", True),
        ("90 منٹ", "1 گھنٹہ 20 منٹ", False),
        ("14 اگست 1947", "14 اگست", True),
        ("14 اگست", "14 اگست 1947", False),
        ("20:00", "رات 8 بجے", True),
        ("8 بجے", "رات 8 بجے", True),
        ("5 سے 10", "5-10", True),
        ("50 روپے فی کلو", "50 روپے", True),
        ("0.67", "2/3", True),
        ("0.6", "2/3", False),
    ],
)
def test_is_same_value(given: str, right: str, same: bool) -> None:
    (one,), (other,) = find_values(given, UR), find_values(right, UR)
    assert is_same_value(one, other) is same


def test_a_unit_that_is_left_open_does_not_differ() -> None:
    assert is_same_unit("degree", "degree_celsius")
    assert is_same_unit("", "metre")
    assert not is_same_unit("degree_celsius", "degree_fahrenheit")
    assert SIZES["minute"] == ("hour", Fraction(1, 60))


def test_the_tokens_of_a_value() -> None:
    assert [value.tokens for value in find_values("12 فیصد، 5 پیسے، 14/8/1947", UR)] == [
        ["#12", "%"],
        ["#1/20", "@rupee"],
        ["#1947/8/14"],
    ]


def test_a_time_and_a_range_are_compared_without_a_number_in_the_part_of_the_day() -> None:
    time = Value(Fraction(8), 0, 0, unit="clock", kind="clock", parts=("morning",))
    ends = Value(Fraction(8), 0, 0, kind="range", parts=(Fraction(7), Fraction(8)))
    assert not is_same_value(time, ends)
    assert not is_same_value(ends, time)
    assert is_same_value(ends, Value(Fraction(8), 0, 0, kind="either", parts=(Fraction(7), Fraction(8))))
