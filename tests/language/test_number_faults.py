"""Numbers of a translation and its original are compared by what they are worth."""

from __future__ import annotations

from alif.language.number_faults import find_added_numbers, find_changed_numbers
from alif.language.pack import load_pack

EN, UR = load_pack("en"), load_pack("ur")


def test_separators_digits_and_words_make_no_difference() -> None:
    for after in ("1,200", "۱٬۲۰۰", "1.200", "1200", "بارہ سو"):
        assert find_changed_numbers("1,200 men", f"{after} آدمی", EN, UR) == [], after
        assert find_added_numbers("1,200 men", f"{after} آدمی", EN, UR) == [], after


def test_a_date_may_be_cut_in_another_way_and_a_list_be_joined() -> None:
    assert find_changed_numbers("On 2020-05-01", "1.5.2020 کو", EN, UR) == []
    assert find_changed_numbers("pages 10, 11", "صفحات 10,11", EN, UR) == []


def test_each_number_counts_as_often_as_it_stands_there() -> None:
    assert find_changed_numbers("3 cats and 3 dogs", "3 بلیاں اور کتے", EN, UR) == ["3"]
    assert find_changed_numbers("3 cats", "4 بلیاں", EN, UR) == ["3"]
    assert find_added_numbers("3 cats", "3 بلیاں، 4 کتے", EN, UR) == ["4"]


def test_numbers_in_code_and_addresses_are_not_compared() -> None:
    assert (
        find_changed_numbers("Run `x = 42` at https://a.org/7", "`x = 42` چلائیے: https://a.org/7", EN, UR)
        == []
    )
