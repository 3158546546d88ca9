"""Faults A8 and A24 of the language review: what people and teachers write that nothing had read.

One test for each input that the review lists, and neighbours of its kind.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alif.data.synthesis.strategies import read_reply
from alif.data.translation.translate import TranslationItem, read_translation
from alif.errors import ReviewError
from alif.language.pack import load_pack
from alif.llm import Reply
from alif.records import Dropped, Example, Origin
from alif.runs import StepContext
from tests.review.test_verdicts import ROWS, context, rows, run, verdict

__all__ = ["context"]
Make = Callable[..., StepContext]
UR, EN = load_pack("ur"), load_pack("en")


def test_language_a8_an_edit_is_cleaned_as_any_row(context: Make) -> None:
    step = context()
    dirty = verdict(1, "edit", output="\u200f\ufee3\ufea4\ufee4\ufeaa\x00 ")
    run(step, [dirty, *(verdict(n) for n in (0, *range(2, 10)))])
    assert rows(step)[1]["output"] == "محمد"


@pytest.mark.parametrize("empty", ["", "   ", " \u200b ", "\u200f\n", "\x00"])
@pytest.mark.parametrize("key", ["instruction", "output"])
def test_language_a8_an_edit_to_nothing_is_refused(context: Make, key: str, empty: str) -> None:
    with pytest.raises(ReviewError, match=r"verdicts\.jsonl:1: an edit may not empty"):
        run(context(), [verdict(0, "edit", **{key: empty})])


def test_language_a24_every_conflict_and_unknown_decision_is_told_at_once(context: Make) -> None:
    lines = [
        verdict(0),
        verdict(0, "reject", "Bilal"),
        verdict(1),
        verdict(1, "reject", "Bilal"),
        verdict(2, "accept"),
        verdict(3, "accept"),
        verdict(4, "Approve "),
        "{}",
    ]
    with pytest.raises(ReviewError) as error:
        run(context(), lines)
    where = [line.partition(": ")[0].rpartition("/")[2] for line in error.value.message.splitlines()]
    assert where == [f"verdicts.jsonl:{number}" for number in (2, 4, 5, 6, 8)]


def test_language_a24_a_decision_with_a_space_or_a_capital_is_read(context: Make) -> None:
    decisions = ("Approve ", "APPROVE", " approve", "approve\n")
    counts = run(context(), [verdict(n, decisions[n % len(decisions)]) for n in range(10)])
    assert counts.facts["approve"] == 10


def test_language_a24_equal_edits_of_two_people_agree_whatever_the_spaces(context: Make) -> None:
    two = [verdict(0, "edit", output="نیا"), verdict(0, "Edit ", "Bilal", output="نیا ")]
    others = [verdict(n, reviewer=who) for n in range(1, 10) for who in ("Amna", "Bilal")]
    assert run(context(), [*two, *others], reviewers=2).facts["edit"] == 1


@pytest.mark.parametrize("header", ["id,decision,reviewer", "\ufeffid;decision;reviewer", '"id","decision"'])
def test_language_a24_a_csv_table_of_verdicts_is_named(context: Make, header: str) -> None:
    with pytest.raises(ReviewError, match=r"verdicts\.jsonl:1: not JSON .*, but a CSV table") as error:
        run(context(), [header, f"{ROWS[0].id},approve,Amna"])
    assert "save the table as one JSON object a line" in error.value.hint


def reply(text: str) -> Reply:
    return Reply(text=text, finish="stop", model="m", request="r", tokens_in=9, tokens_out=9, cost_usd=0.0)


REFUSALS = [
    "I'm sorry, but I can't assist with that.",
    "As an AI language model, I cannot write this.",
    "معذرت، میں اس میں آپ کی مدد نہیں کر سکتا۔",
    "معذرت، میں ایک مصنوعی ذہانت پر مبنی زبان کا ماڈل ہوں۔",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_language_a24_a_teacher_s_refusal_is_counted_as_one(text: str) -> None:
    (piece,) = read_reply(reply(text), None, UR, EN)
    assert isinstance(piece, Dropped)
    assert (piece.reason, piece.raw) == ("refusal", text)
    row = Example.make("en", "qa", "Name a river.", "", "The Indus.", Origin(kind="source", source="a"))
    translated = read_translation(TranslationItem(row), "gpt", reply(text), UR, EN)
    assert isinstance(translated, Dropped)
    assert translated.reason == "refusal"


@pytest.mark.parametrize("text", ["| a |\n| b |", "سوال کا جواب یہ ہے کہ دریا پہاڑ سے نکلتا ہے۔"])
def test_language_a24_what_declines_nothing_stays_unparsable(text: str) -> None:
    (piece,) = read_reply(reply(text), None, UR, EN)
    assert isinstance(piece, Dropped)
    assert piece.reason == "unparsable"
