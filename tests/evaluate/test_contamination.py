"""The contamination card: what is a hit, where it stands, and what the score is without it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from alif import store
from alif.dedup.overlap_index import BenchmarkText, OverlapIndex, TrainingText
from alif.evaluate.benchmark import Benchmark, ItemResult, LikelihoodRequest, PairScores
from alif.evaluate.compare import MetricValues
from alif.evaluate.contamination import OverlapCount, make_card, read_training
from alif.evaluate.stats import Bootstrap, Items
from alif.facts.contamination_facts import ItemOverlap
from alif.facts.evaluation_facts import BenchmarkFacts
from alif.language.pack import load_pack
from alif.records import Document, Example, Message, Origin, PreferencePair

UR = load_pack("ur")
BY = Bootstrap(200, 1)
FIFTEEN = "دریائے سندھ تبت سے نکل کر لداخ اور بلتستان سے گزرتا ہوا پنجاب میں داخل ہوتا ہے"
NINE = "لاہور کا شاہی قلعہ کس مغل بادشاہ نے بنوایا تھا"


def search(items: Sequence[tuple[str, str]], *texts: TrainingText) -> dict[tuple[str, int], ItemOverlap]:
    named = [BenchmarkText("test", str(number), *item) for number, item in enumerate(items)]
    found = OverlapCount(OverlapIndex(named, UR))
    for one in texts:
        found.read(one)
    return {(one.item, one.ngram): one for one in found.overlaps()}


def test_a_copy_is_found_at_both_lengths_with_its_place() -> None:
    found = search(
        [(FIFTEEN, "")],
        TrainingText("corpus/examples.jsonl#d1", f"کہتے ہیں کہ {FIFTEEN}۔ اس کے بعد کچھ اور۔"),
    )
    assert list(found) == [("0", 8), ("0", 13)]
    assert found["0", 13].place == "corpus/examples.jsonl#d1"
    assert found["0", 13].evidence.split() == FIFTEEN.split()[:13]
    assert not found["0", 8].whole


def test_nine_words_are_a_hit_of_eight_alone() -> None:
    found = search([(FIFTEEN, "")], TrainingText("d", "آج " + " ".join(FIFTEEN.split()[3:12]) + " نہیں"))
    assert list(found) == [("0", 8)]


def test_spelling_digits_and_punctuation_make_no_difference() -> None:
    typed = "علی كے پاس ۴۲ كتابیں ہیں، اور وہ ہر روز، صبح شام، پڑھتا ہے"
    asked = "علی کے پاس 42 کتابیں ہیں اور وہ ہر روز صبح شام پڑھتا ہے"
    assert ("0", 13) in search([(asked, "")], TrainingText("d", typed))


def test_words_go_on_from_the_prompt_into_the_answer() -> None:
    row = TrainingText("b", f"{NINE}\nاکبر نے سنہ پندرہ سو میں", (NINE,))
    assert ("0", 13) in search([(NINE, "اکبر نے سنہ پندرہ سو میں")], row)


def test_other_words_are_no_hit() -> None:
    assert (
        search([(FIFTEEN, "")], TrainingText("d", "پاکستان کا سب سے اونچا پہاڑ کے ٹو ہے اور یہ گلگت میں ہے"))
        == {}
    )
    assert search([(FIFTEEN, "")]) == {}
    assert search([("", "")], TrainingText("d", "")) == {}


@pytest.mark.parametrize(
    ("trained", "hit"),
    [
        (TrainingText("b", "پانی کا فارمولا لکھیے۔\nH2O", ("پانی کا فارمولا لکھیے۔",)), True),
        (TrainingText("c", "سوالات:\nپانی کا فارمولا لکھیے\nجواب دیجیے"), True),
        (TrainingText("c", "پھر استاد نے کہا پانی کا فارمولا لکھیے اور بیٹھ جائیے"), False),
    ],
)
def test_a_short_prompt_is_a_hit_as_a_whole_prompt_or_line(trained: TrainingText, hit: bool) -> None:
    found = search([("پانی کا فارمولا لکھیے", "H2O")], trained)
    assert bool(found) == hit
    assert all(one.whole for one in found.values())


def test_each_text_counts_once_and_the_first_place_is_kept() -> None:
    twice = TrainingText("a#1", f"{FIFTEEN}۔ {FIFTEEN}")
    found = search(
        [(FIFTEEN, ""), (FIFTEEN, "")], twice, TrainingText("a#2", FIFTEEN), TrainingText("a#3", "اور")
    )
    assert {key: (one.texts, one.place) for key, one in found.items()} == {
        (item, n): (2, "a#1") for item in ("0", "1") for n in (8, 13)
    }


def example(instruction: str, output: str) -> Example:
    return Example.make("ur", "qa", instruction, "", output, Origin(kind="seed"))


def test_what_is_held_out_was_not_trained_on(tmp_path: Path) -> None:
    rows = [example("الف", "ب"), example("ج", "د")]
    rows[0] = rows[0].with_turns((Message(role="system", content="نظام"),))
    documents = [Document.make("ur", "متن ایک"), Document.make("ur", "متن دو")]
    pair = PreferencePair.of(example("ہ", "و"), "برا")
    for step, found in (("blend", rows), ("corpus", documents), ("pairs", [pair])):
        store.write_rows(tmp_path / step / "examples.jsonl", found)
    store.write_rows(tmp_path / "blend" / "held_out.jsonl", [{"id": rows[1].id}])
    store.write_rows(tmp_path / "corpus" / "held_out.jsonl", [{"id": documents[0].id}])
    inputs = {step: tmp_path / step for step in ("blend", "corpus", "pairs", "prefer")}
    assert list(read_training(inputs)) == [
        TrainingText(f"blend/examples.jsonl#{rows[0].id}", "نظام\nالف\nب", ("الف",)),
        TrainingText(f"pairs/examples.jsonl#{pair.id}", "ہ\nو\nبرا", ("ہ",)),
        TrainingText(f"corpus/examples.jsonl#{documents[1].id}", "متن دو"),
    ]
    assert list(read_training({})) == []


def benchmark(texts: Sequence[tuple[str, str]]) -> Benchmark:
    facts = BenchmarkFacts(
        name="arc.en", languages=("en",), provenance="native", licence="", n=len(texts), digest=""
    )

    def score(results: Sequence[ItemResult]) -> PairScores:
        raise NotImplementedError

    ids = [str(number) for number in range(len(texts))]
    return Benchmark(facts, ids, LikelihoodRequest(lambda student: []), score, texts)


def accuracy(values: Sequence[float]) -> list[MetricValues]:
    return [MetricValues("arc", "accuracy", "en", Items.of(values), "x", share=True)]


def test_the_score_without_hits_is_lower_where_hits_are_right() -> None:
    texts = [(f"{FIFTEEN} {number}", "") if number < 10 else (f"سوال {number}", "") for number in range(40)]
    base, tuned = accuracy([0.0, 1.0] * 20), accuracy([1.0] * 10 + [0.0, 1.0] * 15)
    values = {("base", "arc.en"): base, ("finetune", "arc.en"): tuned, ("other", "arc.en"): tuned}
    training = [
        TrainingText("corpus/examples.jsonl#x", FIFTEEN),
        TrainingText("blend/examples.jsonl#y", "کچھ", ("کچھ",)),
    ]
    card, overlaps = make_card([benchmark(texts)], training, values, ["base", "finetune"], UR, BY)
    assert (card.rows, card.documents, len(overlaps)) == (1, 1, 20)
    assert {(one.ngram, one.n, one.hits, one.short) for one in card.benchmarks} == {
        (8, 40, 10, 30),
        (13, 40, 10, 30),
    }
    found = {(one.stage, one.ngram): one for one in card.scores}
    assert set(found) == {(stage, n) for stage in ("base", "finetune", "other") for n in (8, 13)}
    one = found["finetune", 13]
    assert (one.value, one.n, one.clean, one.clean_n) == (0.625, 40, 0.5, 30)
    assert one.low < 0.5 < one.high
    assert one.change == -0.125
    assert one.change_low < one.change < one.change_high < 0
    assert one.gain == 0
    assert one.gain_low is not None
    assert one.gain_low < 0
    assert found["base", 13].gain is None
    assert found["other", 13].gain is None
    assert found["base", 13].change == 0


def test_no_hits_all_hits_and_no_training() -> None:
    clean, copied = benchmark([("سوال", "جواب")] * 4), benchmark([(FIFTEEN, "")] * 4)
    values = {("base", "arc.en"): accuracy([1.0, 0.0, 1.0, 1.0])}
    for one, training, hits in ((clean, [], 0), (copied, [TrainingText("d", FIFTEEN)], 4)):
        card, _ = make_card([one], training, values, ["base"], UR, BY)
        assert card.scores == ()
        assert [row.hits for row in card.benchmarks] == [hits, hits]


def test_values_of_some_items_are_split_by_their_ids() -> None:
    texts = [(FIFTEEN, ""), ("ب", ""), ("ج", ""), ("د", "")]
    some = MetricValues("arc", "f1", "en", Items.of([0.9, 0.2]), "x", ids=["0", "3"])
    unknown = MetricValues("arc", "f1", "en", Items.of([0.9, 0.2]), "x")
    values = {("base", "arc.en"): [some, unknown]}
    card, _ = make_card([benchmark(texts)], [TrainingText("d", FIFTEEN)], values, ["base"], UR, BY)
    assert [(one.ngram, one.clean, one.clean_n) for one in card.scores] == [(8, 0.2, 1), (13, 0.2, 1)]


def test_memory_does_not_grow_with_the_documents() -> None:
    found = OverlapCount(OverlapIndex([BenchmarkText("test", "0", FIFTEEN)], UR))
    random = np.random.default_rng(0)
    words = [f"لفظ{number}" for number in range(500)]

    def read(count: int) -> int:
        tracemalloc.start()
        for number in range(count):
            found.read(TrainingText(str(number), " ".join(random.choice(words, 60))))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    read(2100)  # fills the cache of folded texts
    assert read(400) < 3 * max(1_000_000, read(40))
