"""Benchmarks of the recipe as systems are asked, and their scores: forms, wordings, shots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alif.benchmark_items import Item
from alif.evaluate.benchmark import Benchmark, GenerationRequest, ItemResult
from alif.evaluate.compare import MetricValues
from alif.evaluate.question_benchmark import question_benchmarks
from alif.evaluate.question_sets import QuestionSet
from alif.evaluate.system import ask_student
from alif.language.pack import load_pack
from alif.settings import BenchmarkTable
from alif.student import Student
from alif.student.likelihood import LikelihoodInput, target_bits

EN, UR = load_pack("en"), load_pack("ur")
CHOICES = ("bunnies", "lions and all other large animals")
EATEN = Item("a", "Predators eat", CHOICES, 0, columns={"question": "Predators eat"})
SUM = Item("s", "۶ × ۷؟", answers=("42",), columns={"question": "۶ × ۷؟"})


def benchmark(
    items: Sequence[Item],
    form: str,
    examples: Sequence[Item] = (),
    code: str = "ur",
    margin: float | None = None,
    **keys: Any,
) -> Benchmark:
    table = BenchmarkTable.model_validate({"form": form, "files": "x", "examples": "y", **keys})
    pack = {"ur": UR, "en": EN}[code]
    return question_benchmarks(QuestionSet("small", table, items, pack, examples, margin), "alpaca", 16)[0]


def scores(one: Benchmark, *texts: str) -> dict[tuple[str, str], float]:
    """Return every metric of a benchmark whose questions were answered so."""
    results = [ItemResult(id=id, text=text) for id, text in zip(one.ids, texts, strict=True)]
    return {(found.benchmark, found.metric): found.items.value for found in one.score(results).metrics}


def questions(one: Benchmark) -> list[list[str]]:
    """Return the turns that a system is asked, item by item."""
    assert isinstance(one.request, GenerationRequest)
    return [[*(turn.content for turn in row.turns), row.instruction] for row in one.request.questions]


def likelihood(one: Benchmark, *bits: Sequence[float]) -> dict[tuple[str, str], MetricValues]:
    results = [ItemResult(id=id, bits=tuple(some)) for id, some in zip(one.ids, bits, strict=True)]
    return {(found.benchmark, found.metric): found for found in one.score(results).metrics}


def test_the_choice_is_the_likeliest_a_byte(student: Student) -> None:
    context = student.tokenizer("Predators eat")["input_ids"]
    bits = []
    for choice in CHOICES:
        target = student.tokenizer(f" {choice}", add_special_tokens=False)["input_ids"]
        bits += target_bits(student, [LikelihoodInput(context, target)], 2048)
    rates = [cost / len(f" {choice}".encode()) for cost, choice in zip(bits, CHOICES, strict=True)]
    for gold in (0, 1):
        item = Item("a", "Predators eat", CHOICES, gold, columns=EATEN.columns)
        one = benchmark([item], "choice", code="en")
        found = {found.metric: found.items.value for found in one.score(ask_student(student, one)).metrics}
        assert found["accuracy"] == (gold == rates.index(min(rates)))
        assert found["gold_bits_per_byte"] == pytest.approx(rates[gold], abs=1e-4)


def test_a_long_choice_does_not_lose_by_its_length_but_a_label_and_a_sentence_are_whole() -> None:
    item = Item("a", "Predators eat", ("fish", "fish that swim far away"), 1)
    bits = (10.0, 20.0)
    assert likelihood(benchmark([item], "choice"), bits)["small", "accuracy"].items.value == 1
    label = benchmark([item], "label", labels={"0": "fish", "1": "fish that swim far away"})
    assert likelihood(label, bits)["small", "accuracy"].items.value == 0
    assert likelihood(benchmark([item], "pair"), bits)["small", "accuracy"].items.value == 0


def test_the_separator_stands_between_question_and_choice(student: Student) -> None:
    for separator in (" ", ""):
        one = benchmark([EATEN], "choice", separator=separator)
        ((target, _),) = one.request.encode(student)  # type: ignore[union-attr]
        text = student.tokenizer.decode([*target.context, *target.target], skip_special_tokens=True)
        assert text == f"Predators eat{separator}bunnies"
    assert benchmark([EATEN], "choice").facts.digest != one.facts.digest


def test_chance_and_margin_belong_to_the_main_metric() -> None:
    three = Item("b", "Water is", ("dry", "wet", "blue"), 1)
    found = likelihood(benchmark([EATEN, three], "choice", margin=0.01), (1.0, 2.0), (1.0, 2.0, 3.0))
    main, bits = found["small", "accuracy"], found["small", "gold_bits_per_byte"]
    assert main.chance == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert (main.share, main.margin, main.lower_is_better) == (True, 0.01, False)
    assert (bits.share, bits.margin, bits.chance, bits.lower_is_better) == (False, None, None, True)


def test_a_written_choice_is_read_by_letter_or_text_and_an_unreadable_one_counted() -> None:
    item = Item("a", "پاکستان کا دارالحکومت؟", ("کراچی", "اسلام آباد"), 1, columns={"question": "x"})
    one = benchmark([item] * 5, "choice", asked="text")
    assert questions(one)[0] == ["پاکستان کا دارالحکومت؟\nA) کراچی\nB) اسلام آباد"]
    told = scores(one, "جواب: B", "**B**", "اسلام آباد ہے", "A", "مجھے نہیں معلوم")
    assert told["small", "choice"] == pytest.approx(3 / 5)
    assert told["small", "choice_unreadable"] == pytest.approx(1 / 5)


def test_both_ways_of_asking_are_two_benchmarks_of_one_name() -> None:
    table = BenchmarkTable(form="choice", files=("x",), asked="both")
    found = question_benchmarks(QuestionSet("small.en", table, [EATEN], EN), "alpaca", 16)
    assert [one.name for one in found] == ["small.en", "small.en.text"]
    assert {one.benchmark for one in found[1].score([ItemResult(id="a", text="A")]).metrics} == {"small"}


def test_a_number_is_read_in_the_languages_digits_and_extraction_is_told_apart() -> None:
    told = scores(benchmark([SUM] * 4, "number"), "جواب ۴۲ ہے", "6 × 7 = 42\n#### 42", "۴۱", "نہیں معلوم")
    assert told["small", "number"] == pytest.approx(2 / 4)
    assert told["small", "number_read"] == pytest.approx(3 / 4)


def test_a_short_answer_may_be_any_accepted_form() -> None:
    item = Item("a", "Largest city of Pakistan?", answers=("Karachi", "Kurrachee"), columns={"q": 1})
    told = scores(benchmark([item] * 3, "short", code="en"), "It is Kurrachee.", "karachi", "Lahore")
    assert told["small", "accepted"] == pytest.approx(2 / 3)


def test_a_translation_is_scored_against_the_nearest_reference() -> None:
    item = Item("a", "Yes, sir.", answers=("جی ہاں، جناب۔", "ہاں، جناب۔"), columns={"en": "Yes, sir."})
    one = benchmark([item] * 2, "translation", wordings=["{{ en }} → اردو:"], margin=0.01)
    assert questions(one)[0] == ["Yes, sir. → اردو:"]
    told = scores(one, "ہاں، جناب۔", "درخت")
    assert told["small", "chrf++"] == pytest.approx(50, abs=2)
    (main,) = [one for one in one.score([ItemResult(id="a")] * 2).metrics if one.metric == "chrf++"]
    assert main.margin == 1.0  # of 100


WORDINGS = ["{{ question }}", "سوال: {{ question }}\nجواب:"]


def test_several_wordings_are_a_mean_each_by_itself_and_their_spread() -> None:
    one = benchmark([SUM, SUM], "number", wordings=WORDINGS)
    assert [asked for (asked,) in questions(one)] == ["۶ × ۷؟"] * 2 + ["سوال: ۶ × ۷؟\nجواب:"] * 2
    assert one.ids == ["s", "s", "s|0-shot|wording-2", "s|0-shot|wording-2"]
    told = scores(one, "42", "42", "42", "1")
    assert {key: value for key, value in told.items() if key[1] != "number_read"} == {
        ("small", "number"): 0.75,
        ("small/wording-1", "number"): 1.0,
        ("small/wording-2", "number"): 0.5,
        ("small", "number_spread"): 0.5,
    }
    found = one.score([ItemResult(id="s", text="42")] * 4).metrics
    by_name = {(value.benchmark, value.metric): value for value in found}
    assert [by_name[f"small{part}", "number"].wording for part in ("", "/wording-1", "/wording-2")] == [
        0,
        1,
        2,
    ]
    assert (by_name["small", "number"].share, by_name["small/wording-1", "number"].share) == (False, True)
    assert by_name["small", "number_spread"].lower_is_better


def test_each_number_of_shots_is_asked_after_the_same_first_examples() -> None:
    examples = [
        Item("e1", "۱ + ۱؟", answers=("2",), worked="دو ہیں۔ 2", columns={"question": "۱ + ۱؟"}),
        Item("e2", "۲ + ۲؟", answers=("4",), columns={"question": "۲ + ۲؟"}),
    ]
    one = benchmark([SUM], "number", examples, shots=[0, 1, 2], wordings=WORDINGS[1:])
    assert questions(one) == [
        ["سوال: ۶ × ۷؟\nجواب:"],
        ["سوال: ۱ + ۱؟\nجواب:", "دو ہیں۔ 2", "سوال: ۶ × ۷؟\nجواب:"],
        ["سوال: ۱ + ۱؟\nجواب:", "دو ہیں۔ 2", "سوال: ۲ + ۲؟\nجواب:", "4", "سوال: ۶ × ۷؟\nجواب:"],
    ]
    told = scores(one, "42", "42", "1")
    assert [told[name, "number"] for name in ("small", "small/1-shot", "small/2-shot")] == [1, 1, 0]
    shots = [value.shots for value in one.score([ItemResult(id="s")] * 3).metrics if value.metric == "number"]
    assert shots == [0, 1, 2]


def test_examples_before_a_likelihood_question_are_text(student: Student) -> None:
    example = Item("e", "Cows eat", ("grass", "stones"), 0, columns={"question": "Cows eat"})
    one = benchmark([EATEN], "choice", [example], code="en", shots=[1])
    ((target, _),) = one.request.encode(student)  # type: ignore[union-attr]
    text = student.tokenizer.decode([*target.context, *target.target], skip_special_tokens=True)
    assert text == "Cows eat grass\n\nPredators eat bunnies"


def test_another_gold_or_wording_is_another_benchmark_and_provenance_is_of_all() -> None:
    first = benchmark([SUM], "number").facts
    assert first.digest != benchmark([SUM], "number", wordings=WORDINGS).facts.digest
    mixed = [Item("a", "x", answers=("1",), provenance="native", licence="MIT"), SUM]
    facts = benchmark(mixed, "number").facts
    assert (facts.provenance, facts.licence, facts.form) == ("unknown", "MIT", "number")
    assert benchmark(mixed[:1], "number").facts.provenance == "native"
