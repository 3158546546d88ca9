"""Phrases that refused rows share are named whole, and each row counts once."""

from __future__ import annotations

from alif.data.synthesis.repeated_phrases import find_repeated_phrases


def test_wordings_that_most_refused_rows_share_are_named_whole_and_each_row_counts_once() -> None:
    refused = [
        f"translate this sentence into urdu {word} {word}s".split() for word in ("sun", "moon", "star", "sky")
    ]
    refused += [f"write a short essay about {word}".split() for word in ("rain", "snow", "hail")]
    found = find_repeated_phrases([*refused, ["a", "b"], []])
    assert [(one.words, one.rows, one.of) for one in found] == [
        ("translate this sentence into urdu", 4, 9),
        ("write a short essay about", 3, 9),
    ]


def test_two_rows_are_no_wording() -> None:
    assert find_repeated_phrases([["a", "b", "c", "d"]] * 2) == ()
    assert find_repeated_phrases([]) == ()
