"""What only the rows of a run together show: lost names, cut ends, exchanged fields."""

from __future__ import annotations

from alif.data.translation.run_check import FieldPair, find_outliers
from alif.language.pack import load_pack

EN, UR = load_pack("en"), load_pack("ur")
EVENTS = ("opened the bridge", "closed the market", "visited a school", "left the town", "praised the team",
          "built a well", "sold the house", "wrote a letter", "read the book", "met the farmers")  # fmt: skip
TOLD = ("نے پل کھولا", "نے بازار بند کیا", "نے ایک اسکول دیکھا", "نے شہر چھوڑا", "نے ٹیم کو سراہا",
        "نے کنواں بنایا", "نے گھر بیچا", "نے خط لکھا", "نے کتاب پڑھی", "نے کسانوں سے ملاقات کی")  # fmt: skip


def pairs(**changed: str) -> list[FieldPair]:
    found = []
    for row in range(30):
        name, there = (" Hamdan", " ہمدان") if row < 12 else ("", "")
        before = f"In the year of the great flood the minister{name} {EVENTS[row % 10]} on day {row}."
        after = f"بڑے سیلاب کے سال میں وزیر{there} {TOLD[row % 10]}، یہ دن {row} کی بات ہے۔"
        found.append(FieldPair(row, "output", before, changed.get(f"row{row}", after)))
    return found


def test_right_rows_are_no_outliers() -> None:
    assert find_outliers(pairs(), UR, EN) == {}


def test_a_name_that_all_others_have_is_missed() -> None:
    found = find_outliers(
        pairs(row4="بڑے سیلاب کے سال میں اس وزیر نے ٹیم کو سراہا، یہ دن 4 کی بات ہے۔"), UR, EN
    )
    assert found == {4: ("lost_name", "Hamdan, which is ہمدان elsewhere")}


def test_an_end_that_was_cut_off_is_found() -> None:
    whole = pairs()[7].after
    for words in (5, 8, 11):
        found = find_outliers(pairs(row7=" ".join(whole.split()[:words])), UR, EN)
        assert found[7][0] == "cut_off", words


def test_a_text_that_goes_on_is_found() -> None:
    long = " ".join(one.after for one in pairs()[:4])
    assert find_outliers(pairs(row7=long), UR, EN)[7][0] == "wrong_length"


def test_fields_that_were_exchanged_are_found() -> None:
    short, long = ("Who came?", "کون آیا؟"), (pairs()[0].before, pairs()[0].after)
    exchanged = [FieldPair(40, "instruction", short[0], long[1]), FieldPair(40, "output", long[0], short[1])]
    assert find_outliers([*pairs(), *exchanged], UR, EN)[40][0] in ("exchanged_fields", "cut_off")
    one, other = (
        ("Who came to the old bridge?", "پرانے پل پر کون آیا؟"),
        ("A man came to the bridge.", "پل پر ایک آدمی آیا۔"),
    )
    crossed = [FieldPair(1, "instruction", one[0], other[1]), FieldPair(1, "output", other[0], one[1])]
    assert find_outliers(crossed, UR, EN)[1][0] == "exchanged_fields"


def test_verse_needs_no_mark_at_its_end() -> None:
    verse = FieldPair(1, "output", "The rain came.\nThe field drank.", "بارش آئی\nکھیت نے پیا")
    assert find_outliers([verse], UR, EN) == {}
