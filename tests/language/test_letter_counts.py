"""Letters are counted as the pack's tables say, in one pass as one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alif.language import letter_counts
from alif.language.language_id import has_no_target_script, script_share
from alif.language.letter_counts import LetterCount, count_letters, strip_code
from alif.language.pack import load_pack

UR, EN = load_pack("ur"), load_pack("en")


@given(st.text(st.sampled_from("ابےٹكيabزд中۱1 .\n@`\ud800\U0001f481") | st.characters()))
def test_letters_are_counted_by_the_table_as_one_by_one(text: str) -> None:
    for pack in (UR, EN):
        kinds = [letter_counts._letter_kinds(pack).kind(char) for char in text]
        inside = len([kind for kind in kinds if kind in "dpx"])
        count = LetterCount(len(kinds) - kinds.count("-"), inside, kinds.count("d"), kinds.count("x"))
        assert LetterCount.of(text, pack) == count
        assert has_no_target_script(text, pack) == (script_share(text, pack) == 0)


def test_each_pack_counts_its_own_letters() -> None:
    counts = count_letters("ٹھیک ok ي", [UR, EN])
    assert counts[UR] == LetterCount(total=7, in_script=5, distinctive=1, out_of_inventory=0)
    assert counts[EN] == LetterCount(total=7, in_script=2)
    assert count_letters("ٹھیک", [UR, EN])[EN] == LetterCount(total=4)
    assert LetterCount.of("چۆن", UR).out_of_inventory == 1, "a Kurdish letter"


def test_code_and_addresses_are_no_text() -> None:
    assert strip_code("دیکھیے `print(x)` اور https://example.org/a") == "دیکھیے   اور  "
    plain = "سادہ متن"
    assert strip_code(plain) is plain
