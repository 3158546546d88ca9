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


def test_places_are_marked_inside_runs_and_paragraphs() -> None:
    block = html.text_block("پہلا\nقیمت 25 ہے", URDU, [(5, 9, "a word"), (10, 12, "U+0032"), (10, 11, "two")])
    assert '<p dir="rtl"><mark title="a word">قیمت</mark> <bdi dir="ltr">' in block
    assert '<bdi dir="ltr"><mark title="U+0032; two">2</mark><mark title="U+0032">5</mark></bdi>' in block


def test_what_nobody_sees_is_shown_by_its_number() -> None:
    block = html.text_block("a\x00b\u202ec\r\n کی\u200cا", URDU)
    assert ">U+0000</bdi>" in block
    assert 'title="U+202E RIGHT-TO-LEFT OVERRIDE">U+202E</bdi>' in block
    assert not {"\x00", "\u202e", "\r"} & set(block)
    assert "\u200c" in block  # a joiner is how Urdu is written


def test_ten_megabytes_do_not_fill_the_page() -> None:
    block = html.text_block("لفظ " * 2_500_000, URDU)
    assert len(block) < 5000
    assert "… 9,997,000 more characters" in block


def test_a_short_text_is_isolated_in_a_sentence() -> None:
    assert html.inline_text("جواب: 5 &", URDU) == (
        '<bdi lang="ur" dir="rtl">جواب: <bdi dir="ltr">5</bdi> &amp;</bdi>'
    )
    assert html.inline_text("en, not ur", URDU) == '<bdi lang="" dir="ltr">en, not ur</bdi>'
    assert html.name_letters("يي") == "U+064A ARABIC LETTER YEH"


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
