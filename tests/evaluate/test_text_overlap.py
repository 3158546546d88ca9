"""Overlap: sacrebleu's own public scores and rouge_score's are the oracles, edge cases included."""

from __future__ import annotations

import itertools

import pytest
from rouge_score import rouge_scorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from alif.evaluate import text_overlap
from alif.language.pack import load_pack
from alif.language.text import split_words

TEXTS = (
    "",
    "کراچی",
    "کراچی ایک بڑا شہر ہے ۔",
    "کراچی ایک بڑا شہر ہے۔",
    "لاہور، پاکستان کا دوسرا بڑا شہر!",
    "The quick brown fox jumps over the lazy dog.",
    "42",
    "۔ ۔",
    "اور پھر وہ گھر گیا " * 20,
)
PAIRS = tuple(itertools.product(TEXTS, TEXTS))


@pytest.mark.parametrize("metric", ["chrf++", "bleu"])
def test_sentences_equal_sacrebleu(metric: text_overlap.Metric) -> None:
    oracle = CHRF(word_order=2) if metric == "chrf++" else BLEU(tokenize="intl", effective_order=True)
    for text, reference in PAIRS:
        for references in ((reference,), (reference, "کراچی پاکستان میں ہے")):
            found = text_overlap.overlap_score(metric, text_overlap.text_statistics(metric, text, references))
            assert found == pytest.approx(oracle.sentence_score(text, references).score, abs=1e-9)


@pytest.mark.parametrize("metric", ["chrf++", "bleu"])
@pytest.mark.parametrize("pairs", [PAIRS, PAIRS[20:21], [(text, text) for text in TEXTS], [("", "")]])
def test_corpora_equal_sacrebleu(metric: text_overlap.Metric, pairs: list[tuple[str, str]]) -> None:
    oracle = CHRF(word_order=2) if metric == "chrf++" else BLEU(tokenize="intl")
    whole = oracle.corpus_score([text for text, _ in pairs], [[reference for _, reference in pairs]]).score
    found = text_overlap.corpus_score(
        metric, (text_overlap.text_statistics(metric, text, (reference,)) for text, reference in pairs)
    )
    assert found == pytest.approx(whole, abs=1e-9)


def test_a_corpus_without_a_text_is_zero() -> None:
    assert text_overlap.corpus_score("bleu", []) == 0


def test_rouge_l_equals_rouge_score_with_the_packs_words() -> None:
    pack = load_pack("ur")

    class Words:
        def tokenize(self, text: str) -> list[str]:
            return split_words(text, pack)

    oracle = rouge_scorer.RougeScorer(["rougeL"], tokenizer=Words())
    for text, reference in PAIRS:
        words, others = split_words(text, pack), split_words(reference, pack)
        if words and others:
            wanted = oracle.score(reference, text)["rougeL"].fmeasure
            assert text_overlap.rouge_l(words, others) == pytest.approx(wanted, abs=1e-9)


def test_signatures_are_sacrebleus() -> None:
    assert "nw:2" in text_overlap.overlap_signature("chrf++")
    assert "tok:intl" in text_overlap.overlap_signature("bleu")
