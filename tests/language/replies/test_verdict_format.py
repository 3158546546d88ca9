"""Verdicts of judges, in lines and in JSON; prose is none."""

from __future__ import annotations

import pytest

from alif.language.replies.verdict_format import read_points, read_reason, read_verdict, verdict_form


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("Reason: A names the river.\nVerdict: A", "A"),
        ("Reason: …\nVerdict: B.", "B"),
        ("**Verdict:** Tie", "tie"),
        ("> verdict: [[A]]", "A"),
        ("Verdict: Answer B", "B"),
        ("Verdict：tie", "tie"),
        ("<think>\nVerdict: A\n</think>\nVerdict: B", "B"),
        ('{"reason": "ایک وجہ", "verdicts": ["tie"]}', "tie"),
        ('```json\n{"reason": "x", "verdicts": ["B"]}\n```', "B"),
        ('{"reason": "x", "verdict": "a"}', "A"),
        ("Verdict: A\n\nVerdict: A", "A"),
        ("I think that answer A is better than answer B.", None),
        ("Verdict: A\nVerdict: B", None),
        ("Verdict: A or B", None),
        ("Verdict: both", None),
        ("Verdict: A because B is wrong", None),
        ("The verdict: A", None),
        ('{"reason": "x", "verdicts": ["A", "B"]}', None),
        ('{"reason": "x", "verdicts": []}', None),
        ('{"reason": "x", "verdicts": [1]}', None),
        ('{"reason": "x", "verdicts": ["A"', None),
        ("[" * 5000, None),
        ("", None),
    ],
)
def test_a_verdict_is_read_or_there_is_none(reply: str, verdict: str | None) -> None:
    assert read_verdict(reply) == verdict


@pytest.mark.parametrize(
    ("reply", "points"),
    [
        ("1: yes\n2: no\n3: Yes.", (True, False, True)),
        ("**1.** yes\n- 2) no\n3: no", (True, False, False)),
        ("2: no\n3: yes\n1: yes", (True, False, True)),
        ('{"reason": "", "verdicts": ["yes", "no", "no"]}', (True, False, False)),
        ("1: yes\n2: no", None),
        ("1: yes\n2: no\n3: partly", None),
        ("1: yes\n2: no\n3: yes\n3: no", None),
        ("1: yes\n2: no\n3: yes\n4: yes", None),
        ("It fulfils points 1 and 3.", None),
        ('{"reason": "", "verdicts": ["yes", "A", "no"]}', None),
    ],
)
def test_every_point_is_read_once_or_none_is(reply: str, points: tuple[bool, ...] | None) -> None:
    assert read_points(reply, 3) == points


def test_the_form_that_is_asked_for_can_be_read() -> None:
    def fill(form: str, choices: str, word: str) -> str:
        return form.replace(f"<{choices}>", word).replace("<…>", "because")

    for json in (False, True):
        assert read_verdict(fill(verdict_form(0, json=json), "A | B | tie", "B")) == "B"
        assert read_points(fill(verdict_form(3, json=json), "yes | no", "yes"), 3) == (True, True, True)
        assert read_verdict(verdict_form(0, json=json)) is None


def test_a_reason_is_short_and_a_reply_without_one_shows_its_beginning() -> None:
    assert read_reason("Reason: A is right.\nVerdict: A") == "A is right."
    assert read_reason('{"reason": "A is right.", "verdicts": ["A"]}') == "A is right."
    assert read_reason("word " * 3_000_000) == "word " * 100
