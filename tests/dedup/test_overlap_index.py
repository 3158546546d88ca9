"""The index of benchmark items: what gives an item away, by which rule, and what only looks like it."""

from __future__ import annotations

import pytest

from alif.dedup.overlap_index import BenchmarkText, Leak, OverlapIndex, TrainingText
from alif.language.pack import load_pack
from alif.records import Document, Example, Message, Origin, PreferencePair

UR = load_pack("ur")
EGGS = (
    "Janet's ducks lay 16 eggs per day. She eats three for breakfast every morning and bakes muffins for "
    "her friends every day with 4. She sells the remainder at the market for $2 per egg. How much in dollars "
    "does she make every day?"
)
SHEEP = (
    "تولوز کے پاس چارلسٹن سے 175 بھیڑیں زیادہ ہیں اور سیئٹل کے پاس 1240 بھیڑیں ہیں۔ "
    "اگر 365 بھیڑیں بک جائیں تو تینوں شہروں میں مل کر کتنی بھیڑیں رہ جائیں گی؟"
)
FIRST, SECOND = EGGS[: EGGS.index(" friends")], EGGS[EGGS.index("friends") :]
CAPITAL = "Which river flows through the old capital of Punjab?"
FARE = "A bus with 12 seats left at noon with 30 people, so how many had no seat?"
INDEX = OverlapIndex(
    [
        BenchmarkText("gsm8k", "1", EGGS, "16 - 3 - 4 = 9 and 9 * 2 = 18", "18"),
        BenchmarkText("mgsm", "2", SHEEP, "", "2,415"),
        BenchmarkText("trivia", "3", CAPITAL, "the Ravi"),
        BenchmarkText("svamp", "5", FARE, "6", "6"),
        BenchmarkText("piqa", "4", "What causes sound?", "vibration"),
    ],
    UR,
)


def row(instruction: str, output: str = "", input: str = "") -> TrainingText:
    return TrainingText.of(Example.make("en", "qa", instruction, input, output, Origin(kind="teacher")))


def find(trained: TrainingText) -> tuple[str, str] | None:
    leak = INDEX.find_leak(trained)
    return (leak.item.name, leak.rule) if leak else None


@pytest.mark.parametrize(
    ("trained", "found"),
    [
        (row(EGGS), ("gsm8k#1", "prompt")),
        (row(EGGS.upper()), ("gsm8k#1", "prompt")),
        (row(f"Solve this. {EGGS}"), ("gsm8k#1", "13 words")),
        (row("Solve this.", "18", EGGS), ("gsm8k#1", "prompt")),
        (row(FIRST, "18", SECOND), ("gsm8k#1", "prompt")),
        (row(SECOND, "18", FIRST), ("gsm8k#1", "prompt")),
        (row(EGGS.replace("16", "25").replace("$2", "$7")), ("gsm8k#1", "13 words")),
        (row(FARE.replace("12", "15").replace("30", "48")), ("svamp#5", "template")),
        (row(EGGS.replace("16", "۱۶").replace("4", "۴")), ("gsm8k#1", "prompt")),
        (row("Write a story.", f"It is said that {EGGS}"), ("gsm8k#1", "13 words")),
        (row(f"{CAPITAL} Answer in a word."), ("trivia#3", "8 words")),
        (row("Answer this question: what causes sound"), None),  # three words are common
        (row("Answer this question: what causes sound", "Vibration."), ("piqa#4", "prompt")),
    ],
)
def test_copies_and_light_edits_are_found(trained: TrainingText, found: tuple[str, str] | None) -> None:
    assert find(trained) == found


def test_an_item_in_other_words_is_near() -> None:
    other = EGGS.replace("Janet's ducks lay", "The ducks of Janet lay").replace("muffins", "cakes")
    found = INDEX.find_leak(row(other.replace("every day with", "each day with").replace("market", "bazaar")))
    assert found
    assert found.similarity > 0.75
    assert found.item.name == "gsm8k#1"


def test_a_problem_with_the_same_numbers_and_result_is_found_in_another_language() -> None:
    said = "Toulouse has 175 more sheep than Charleston, Seattle 1,240. If 365 are sold, how many are left?"
    assert find(row(said, "2415 sheep are left.")) == ("mgsm#2", "numbers")
    assert find(row(said, "Nobody knows.")) is None


@pytest.mark.parametrize(
    "trained",
    [
        row("What is the difference between magma and lava?"),
        row("Which river flows through the new capital of Sindh?", "The Indus."),
        row("Each retry waits longer (3s, 4s, 16s)", "at most 18 s"),
        row(
            "A crate holds 3 rows of 4 bottles and costs 16. What is the price of two?",
            "It is 18 without tax.",
        ),
        row("Count: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20", "21"),
        row("", ""),
    ],
)
def test_what_is_only_alike_is_no_leak(trained: TrainingText) -> None:
    assert INDEX.find_leak(trained) is None


def test_a_line_of_a_document_and_a_run_within_it_are_found() -> None:
    document = Document.make("en", f"Quiz\n{CAPITAL}\nThe Ravi.", title="Rivers")
    assert find(TrainingText.of(document)) == ("trivia#3", "prompt")
    assert find(TrainingText.of(Document.make("en", f"He asked: {EGGS} Nobody knew."))) == (
        "gsm8k#1",
        "13 words",
    )
    assert find(TrainingText.of(Document.make("en", "Nothing is asked here."))) is None


def test_a_leak_names_words_and_likeness() -> None:
    found = INDEX.find_leak(row(EGGS))
    assert isinstance(found, Leak)
    assert found.similarity == 1.0
    assert found.evidence.startswith("janet's ducks lay 16 eggs")
    assert len(INDEX) == 5


def test_turns_and_rejected_answers_are_part_of_a_text() -> None:
    example = Example.make("en", "qa", "And now?", "", "9", Origin(kind="teacher"))
    asked = example.with_turns((Message(role="user", content=EGGS), Message(role="assistant", content="18")))
    assert find(TrainingText.of(asked)) == ("gsm8k#1", "prompt")
    pair = PreferencePair.of(example, EGGS)
    assert find(TrainingText.of(pair)) == ("gsm8k#1", "prompt")
    assert TrainingText.of(pair, "pairs").place == f"pairs/examples.jsonl#{pair.id}"
