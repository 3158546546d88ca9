"""The words of an answer, as they are compared."""

from __future__ import annotations

from alif.language.answers.answer_words import answer_tokens
from alif.language.pack import load_pack


def test_dates_times_and_measures_are_one_token_each() -> None:
    urdu = load_pack("ur")
    assert answer_tokens("صبح آٹھ بجے", urdu) == answer_tokens("8:00 صبح", urdu)
    assert answer_tokens("14 اگست 1947ء", urdu) == answer_tokens("14/8/1947", urdu) == ["#1947/8/14"]
    assert answer_tokens("1 گھنٹہ 30 منٹ", urdu) == answer_tokens("ڈیڑھ گھنٹہ", urdu) == ["#3/2", "@hour"]
