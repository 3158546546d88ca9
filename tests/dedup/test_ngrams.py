"""Word n-grams and the share of them that are repeats."""

from __future__ import annotations

from alif.dedup.ngrams import repeated_share, word_ngrams


def test_every_run_of_n_words_is_given_in_order() -> None:
    assert word_ngrams(["a", "b", "c", "d"], 3) == [("a", "b", "c"), ("b", "c", "d")]
    assert word_ngrams(["a"], 2) == []


def test_the_share_of_repeats() -> None:
    assert repeated_share(["a", "b", "a", "b", "a", "b"], 2) == 1 - 2 / 5
    assert repeated_share(["a", "b", "c", "d", "e"]) == 0.0
    assert repeated_share(["a"]) == 0.0
