"""A text that was asked for alone is read without what surrounds it."""

from __future__ import annotations

import pytest

from alif.language.pack import load_pack
from alif.language.replies.lone_text import LoneText, find_wrapping, read_text, strip_wrapping
from alif.records import Dropped

UR, EN = load_pack("ur"), load_pack("en")
BEFORE, AFTER = "The bridge is closed today.", "پل آج بند ہے۔"


@pytest.mark.parametrize(
    ("reply", "tolerances"),
    [
        (AFTER, ()),
        (f"<think>hm</think>{AFTER}", ("thinking",)),
        (f"Translation: {AFTER}", ("wrapping",)),
        (f"<think>hm</think>**{AFTER}**", ("thinking", "wrapping")),
        (f'{{"translation": "{AFTER}"}}', ("wrapping",)),
    ],
)
def test_what_was_taken_away_is_told(reply: str, tolerances: tuple[str, ...]) -> None:
    assert read_text(reply, "stop", UR, EN, BEFORE, "translation") == LoneText(AFTER, tolerances)


@pytest.mark.parametrize(
    ("reply", "finish", "reason"), [("", "stop", "empty"), (AFTER, "length", "truncated")]
)
def test_a_reply_without_its_end_or_its_text_is_none(reply: str, finish: str, reason: str) -> None:
    found = read_text(reply, finish, UR, EN, BEFORE, "translation")
    assert isinstance(found, Dropped)
    assert found.reason == reason


def test_what_the_original_has_too_stays() -> None:
    for before, after in (
        ('"It is closed."', f'"{AFTER}"'),
        ("Note: it is closed.", f"نوٹ: {AFTER}"),
        ("1. It is closed.", f"1. {AFTER}"),
        ("**It is closed.**", f"**{AFTER}**"),
    ):
        assert strip_wrapping(after, UR, EN, before, "translation") == after
        assert find_wrapping(after, UR, EN, before, "translation") == ""


@pytest.mark.parametrize(
    ("text", "kind", "evidence"),
    [
        (f"{AFTER}\n\nOption 2: {AFTER}", "translation", "Option 2: "),
        (f"{AFTER}\n\nپل کھلا ہے۔", "translation", "2 lines"),
        (f"{AFTER} یہ ترجمہ ہے۔", "translation", "a word of translation"),
        (f"{AFTER} Please tell me your other wish.", "translation", "Please tell"),
        (f"{AFTER} / {AFTER}", "translation", " / "),
        ("1. کیا؟\n2. کب؟", "question", "several questions"),
        ("کیا؟\n\nیہ سوال ہے۔", "question", "a second paragraph"),
    ],
)
def test_what_is_left_around_a_text_is_named(text: str, kind: str, evidence: str) -> None:
    assert find_wrapping(text, UR, EN, BEFORE, kind).startswith(evidence)  # type: ignore[arg-type]
