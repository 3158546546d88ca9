"""Text and numbers on the page: direction is data, everything is escaped, fonts are named."""

from __future__ import annotations

import pytest

from alif.report import html
from alif.report.snapshot import LanguageInfo

URDU = LanguageInfo("ur", "Urdu", "اردو", "rtl")


def test_a_sum_inside_a_right_to_left_paragraph_is_isolated() -> None:
    block = html.text_block("کتاب 120 - 45 = 75 کی\n\nthe river <b>", URDU)
    assert block.startswith('<div class="text" lang="ur" dir="rtl"><p dir="rtl">')
    assert '<bdi dir="ltr">120 - 45 = 75</bdi>' in block
    assert '<p dir="ltr">the river &lt;b&gt;</p>' in block
    assert ">–</p>" in html.text_block(" \n", URDU)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (12_345, "12,345"), (-0.5, "−0.500"), (12.345, "12.3"), (True, "True"), ("a_b", "a_b")],
)
def test_numbers_are_readable(value: float | str | None, text: str) -> None:
    assert (html.format_fact(value) if isinstance(value, str | bool) else html.format_number(value)) == text


def test_a_table_is_rows_with_the_same_scalar_columns() -> None:
    assert html.is_tabular({"a": {"n": 1}, "b": {"n": 2}})
    assert not html.is_tabular({"a": {"n": 1}, "b": {"m": 2}})
    assert not html.is_tabular({"a": {"n": {"deep": 1}}})
    assert not html.is_tabular([])


def test_the_fonts_inside_the_page_are_named() -> None:
    assert html.embedded_fonts(("ur", "en")) == "Noto Nastaliq Urdu"
    assert html.embedded_fonts(("sd", "bn", "sw")) == "Noto Naskh Arabic, Noto Sans Bengali"
    assert "data:font/woff2;base64," in html.page_style(("ur",))
    assert "url(" not in html.page_style(("en",))
