"""Marks of Markdown in any script, and what only looks like them."""

from __future__ import annotations

import pytest

from alif.language.markdown import count_markdown


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("سادہ جملہ۔ دوسرا جملہ۔", 0),
        ("- دودھ\n- انڈے\n* چینی", 3),
        ("۱۔ دودھ\n۲۔ انڈے", 2),
        ("1. milk\n2) eggs\n১। দুধ", 3),
        ("3.5 گرام\n-5 ڈگری", 0),
        ("# عنوان\n**اہم:** بات **یہ** ہے", 3),
        ("| شہر | آبادی |\n|---|---|\n| لاہور | 1 |", 3),
        ("2 ** 3 ** 4", 0),
        ("#ہیش ٹیگ", 0),
    ],
)
def test_marks_are_counted(text: str, count: int) -> None:
    assert count_markdown(text) == count


def test_a_long_answer_is_quick() -> None:
    assert count_markdown("**" * 200_000 + "\n- x" * 1000) == 1000
