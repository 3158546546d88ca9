"""Near-duplicates are found among many documents, the first is kept, and chance drops nothing."""

from __future__ import annotations

import random
from io import BytesIO

import pytest

from alif.dedup import minhash
from alif.dedup.minhash import MinHashIndex
from alif.dedup.ngrams import word_ngrams


def make_text(rng: random.Random, size: int = 120) -> list[str]:
    return [f"w{rng.randrange(2_000)}" for _ in range(size)]


def jaccard(first: list[str], second: list[str]) -> float:
    one, other = (set(word_ngrams(words, minhash.NGRAM)) for words in (first, second))
    return len(one & other) / len(one | other)


@pytest.mark.parametrize("recent", [64, 1 << 17])
def test_a_changed_copy_is_found_and_another_text_is_not(
    monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    monkeypatch.setattr(minhash, "RECENT", recent)  # sorted arrays, of many sizes, too
    rng = random.Random(1)
    index = MinHashIndex(BytesIO(), 0.7)
    texts = [make_text(rng) for _ in range(300)]
    assert [index.find_or_add(words, place) for place, words in enumerate(texts)] == [None] * 300
    found = 0
    for place, words in enumerate(texts):
        copy = [*words[:60], "changed", *words[61:]]
        assert 0.85 < jaccard(words, copy) < 0.95
        found += index.find_or_add(copy, 999) == place
    assert found >= 298  # 0.92 to the power of the estimate: nearly all
    half = [[*words[:70], *make_text(rng, 50)] for words in texts]
    assert sum(index.find_or_add(words, 999) is not None for words in half) == 0


def test_the_estimate_is_near_the_truth() -> None:
    rng = random.Random(2)
    for share in (0.3, 0.6, 0.9):
        index = MinHashIndex(BytesIO(), 0.0)
        words = make_text(rng, 400)
        copy = [*words[: int(400 * share)], *make_text(rng, 400 - int(400 * share))]
        agreed = (index._hash_runs(words) == index._hash_runs(copy)).mean()
        assert agreed == pytest.approx(jaccard(words, copy), abs=0.12)


def test_long_texts_and_short_ones() -> None:
    rng = random.Random(3)
    index = MinHashIndex(BytesIO(), 0.8)
    book = make_text(rng, 3 * minhash.CHUNK)
    assert index.find_or_add(book, 7) is None
    assert index.find_or_add([*book, "end"], 8) == 7
    assert index.find_or_add(["one", "two"], 9) is None
    assert index.find_or_add(["one", "two"], 9) is None  # too short to be near
