"""The pool decides exactly as a plain comparison with every row does."""

from __future__ import annotations

import random
from array import array
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from alif import store
from alif.dedup import rouge_index as pools
from alif.dedup.rouge_index import RougeLIndex
from alif.errors import DataError
from alif.language.pack import load_pack
from alif.language.text import split_words


def similarity(left: list[str], right: list[str]) -> Fraction:
    """ROUGE-L F1 by the textbook."""
    row = [0] * (len(right) + 1)
    for x in left:
        above = row
        row = [0]
        for j, y in enumerate(right, 1):
            row.append(above[j - 1] + 1 if x == y else max(above[j], row[-1]))
    return Fraction(2 * row[-1], len(left) + len(right))


class PlainPool:
    """Compares with every row."""

    def __init__(self, threshold: float) -> None:
        self.threshold = Fraction(str(threshold))
        self.rows: list[tuple[str, list[str]]] = []

    def nearest(self, text: list[str]) -> tuple[str, Fraction] | None:
        best = None
        for name, row in self.rows:
            score = similarity(text, row)
            if score >= self.threshold and (best is None or score > best[1]):
                best = (name, score)
        return best


def assert_same(threshold: float, texts: list[list[str]]) -> None:
    pool, plain = RougeLIndex(threshold), PlainPool(threshold)
    for number, text in enumerate(texts):
        expected = plain.nearest(text)
        found = pool.nearest(text)
        assert found == (None if expected is None else (expected[0], float(expected[1])))
        if expected is None:
            pool.add(str(number), text)
            plain.rows.append((str(number), text))
    assert len(pool) == len(plain.rows)


thresholds = st.sampled_from([0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1.0])
some_texts = st.integers(2, 40).flatmap(
    lambda letters: st.lists(
        st.lists(st.integers(0, letters).map(str), min_size=1, max_size=16), min_size=1, max_size=40
    )
)


@given(thresholds, some_texts)
@settings(max_examples=300, deadline=None)
def test_same_decisions_neighbours_and_similarities_as_a_plain_comparison(
    threshold: float, texts: list[list[str]]
) -> None:
    assert_same(threshold, texts)


@pytest.mark.parametrize("vocabulary", [3, 12, 60, 400])
@pytest.mark.parametrize("threshold", [0.4, 0.7, 1.0])
def test_same_decisions_across_rankings(
    vocabulary: int, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "FIRST_RANKING", 4)
    draw = random.Random(f"{vocabulary} {threshold}")
    texts: list[list[str]] = []
    for _ in range(160):
        text = [
            str(min(int(draw.paretovariate(0.6)), vocabulary)) for _ in range(draw.choice([1, 3, 8, 14, 40]))
        ]
        if texts and draw.random() < 0.4:  # near-duplicates
            text = [word for word in draw.choice(texts) if draw.random() < 0.8] or ["1"]
        texts.append(text)
    assert_same(threshold, texts)


def test_more_words_than_code_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "_LAST_CODE_POINT", 40)
    draw = random.Random(1)
    assert_same(0.7, [[str(draw.randrange(90)) for _ in range(draw.randint(1, 9))] for _ in range(300)])


def test_codes_pass_over_surrogates() -> None:
    pool = RougeLIndex(0.7)
    pool._postings += [array("q") for _ in range(0xD7FC - len(pool._postings))]
    texts = [[f"late {row} {k}" for k in range(8)] for row in range(3)]
    for row, text in enumerate(texts):
        pool.add(f"late {row}", text)
    assert [pool.nearest(text) for text in texts] == [(f"late {row}", 1.0) for row in range(3)]
    assert [max(map(ord, text)) for text in pool._texts] == [0xE003, 0xE00B, 0xE013]


def test_an_exact_tie_is_a_duplicate() -> None:
    pool = RougeLIndex(0.7)
    pool.add("a", [str(k) for k in range(10)])
    assert pool.nearest([str(k) for k in range(7)] + ["x", "y", "z"]) == ("a", 0.7)
    assert pool.nearest([str(k) for k in range(6)] + ["x", "y", "z", "q"]) is None


def test_long_texts() -> None:
    pool = RougeLIndex(0.7)
    pool.add("short", ["a", "b"])
    pool.add("long", [str(k) for k in range(3000)])
    assert pool.nearest([str(k) for k in range(3000) if k % 5]) == ("long", float(Fraction(4800, 5400)))
    assert pool.nearest(["a"]) is None
    assert pool.nearest(["a", "b", "c"]) == ("short", 0.8)


def test_a_text_without_words_is_refused_in_words() -> None:
    pool = RougeLIndex(0.7)
    with pytest.raises(DataError, match="0 words"):
        pool.nearest([])
    with pytest.raises(DataError, match="0 words"):
        pool.add("a", [])


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.1])
def test_a_threshold_outside_of_its_range_is_a_bug(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        RougeLIndex(threshold)


def test_same_as_rouge_score_with_our_words_but_for_exact_ties() -> None:
    """rouge_score computes 2PR/(P+R) in floats, so it decides exact ties by rounding noise."""
    pack = load_pack("ur")

    class Tokenizer:
        def tokenize(self, text: str) -> list[str]:
            return split_words(text, pack)

    scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=Tokenizer())
    parts = split_words(
        "ایک کسان نے بازار سے Wi-Fi راؤٹر ۴۲ روپے میں خریدا اور گھر جا کر بیٹی کو دیا جو اسکول سے آ رہی تھی",
        pack,
    )
    draw = random.Random(7)
    texts = [" ".join(draw.sample(parts, draw.randint(4, len(parts)))) for _ in range(60)]
    texts += [" ".join(word for word in text.split() if draw.random() < 0.8) or "گھر" for text in texts]
    for left in texts:
        for right in texts[::7]:
            exact = similarity(split_words(left, pack), split_words(right, pack))
            pool = RougeLIndex(0.7)
            pool.add("right", split_words(right, pack))
            rouge = scorer.score(left, right)["rougeL"].fmeasure
            assert rouge == pytest.approx(float(exact))
            if exact != Fraction(7, 10):
                assert (pool.nearest(split_words(left, pack)) is not None) == (rouge >= 0.7)


@pytest.mark.shared
def test_the_original_seeds_differ_but_for_two(shared_data: Path) -> None:
    """The original filter refuses 11 of its 102 seeds; of normalised words two pairs are near-duplicates."""
    pack, pool, refused = load_pack("ur"), RougeLIndex(0.7), {}
    for _, row in store.read_rows(shared_data / "instruct" / "alif_seed_tasks.ur.jsonl.gz"):
        text = split_words(row["instruction"], pack)
        assert text, row["id"]
        neighbour = pool.nearest(text)
        if neighbour is None:
            pool.add(row["id"], text)
            assert pool.nearest(text) == (row["id"], 1.0)
        else:
            refused[row["id"]] = neighbour[0]
    assert refused == {"ethics_task_10": "ethics_task_7", "generation_task_9": "generation_task_3"}


@pytest.mark.shared
def test_near_duplicates_merge_and_reordered_text_stays(shared_data: Path) -> None:
    pack = load_pack("ur")
    rows = {
        row["id"]: split_words(row["text"], pack)
        for _, row in store.read_rows(shared_data / "messy_dev" / "near_duplicates.jsonl")
    }
    groups = {id.partition("-")[0] for id in rows}
    assert len(groups) == 30
    for group in groups:
        pool = RougeLIndex(0.7)
        pool.add("a", rows[f"{group}-a"])
        merged = {kind for kind in "bcde" if pool.nearest(rows[f"{group}-{kind}"])}
        assert merged == {"b", "c", "d"}, group


def test_an_index_that_ranks_its_words_often_decides_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "FIRST_RANKING", 4)
    draw = random.Random(2)
    texts: list[list[str]] = []
    for _ in range(120):
        text = [str(min(int(draw.paretovariate(0.6)), 60)) for _ in range(draw.choice([1, 3, 8, 14, 40]))]
        if texts and draw.random() < 0.4:
            text = [word for word in draw.choice(texts) if draw.random() < 0.8] or ["1"]
        texts.append(text)
    assert_same(0.7, texts)
