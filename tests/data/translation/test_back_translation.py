"""Another model's way back: numbers and names drop a row, a low chrF++ only flags it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.data.prompt_texts import load_prompt_texts
from alif.data.translation.back_translation import BackTranslations
from alif.data.translation.translation_items import TranslationItem
from alif.language.pack import load_pack
from alif.llm import Reply
from alif.records import Dropped, Example
from alif.runs import StepOutput
from alif.settings import Teacher
from tests.data.conftest import row, rows_of

EN, UR = load_pack("en"), load_pack("ur")
ENGLISH = "On Monday the minister Hamdan opened 3 bridges in Chitral."
URDU = "پیر کو وزیر ہمدان نے چترال میں 3 پل کھولے۔"


def back(folder: Path, said: str, finish: str = "stop") -> tuple[Example | Dropped, BackTranslations]:
    item = TranslationItem(row("translation", "c", "", ENGLISH, "source", language="en"), "c")
    with StepOutput(folder) as output:
        checked = BackTranslations(output, UR, EN, load_prompt_texts(), frozenset({"minister"}))
        talk = checked.check_row(item, row("translation", "c", URDU, ENGLISH), "b", Teacher(model="b"))
        asked = next(talk)
        assert asked.messages[-1].content == URDU
        assert "from Urdu to English" in asked.messages[0].content
        reply = Reply(
            text=said, finish=finish, model="b", request="r", tokens_in=1, tokens_out=1, cost_usd=0.0
        )
        with pytest.raises(StopIteration) as end:
            talk.send(reply)
    return end.value.value, checked


def test_the_same_facts_in_other_words_are_flagged_and_kept(tmp_path: Path) -> None:
    found, checked = back(
        tmp_path, "Three bridges: Hamdan, a member of government, did that in Chitral, Monday."
    )
    assert isinstance(found, Example)
    facts = checked.facts()
    assert facts is not None
    assert (facts.rows, facts.flagged, facts.unread) == (1, 1, 0)
    [line] = rows_of(tmp_path, "back_translations")
    assert line["flagged"]
    assert line["chrf"] < 40


@pytest.mark.parametrize(
    ("said", "reason", "evidence"),
    [
        ("On Monday the minister Hamdan opened 4 bridges in Chitral.", "lost_number", "3"),
        ("On Monday the minister opened 3 bridges in Chitral.", "lost_name", "Hamdan"),
        ("On Monday the minister Hamdan opened 3 bridges there.", "lost_name", "Chitral"),
        (URDU, "copies_prompt", "not translated"),
    ],
)
def test_what_came_back_without_a_number_or_a_name_drops_the_row(
    tmp_path: Path, said: str, reason: str, evidence: str
) -> None:
    found, _ = back(tmp_path, said)
    assert isinstance(found, Dropped)
    assert found.reason == reason
    assert evidence in found.evidence


def test_a_spelling_that_differs_is_the_same_name(tmp_path: Path) -> None:
    assert isinstance(
        back(tmp_path, ENGLISH.replace("Hamdan", "Hamdaan").replace("Chitral", "Chitraal"))[0], Example
    )


@pytest.mark.parametrize(
    ("said", "finish"), [("I'm sorry, but I can't help with that.", "stop"), ("On", "length"), ("", "stop")]
)
def test_where_nothing_came_back_the_row_is_kept_and_counted(tmp_path: Path, said: str, finish: str) -> None:
    found, checked = back(tmp_path, said, finish)
    assert isinstance(found, Example)
    facts = checked.facts()
    assert facts is not None
    assert (facts.rows, facts.unread) == (0, 1)
