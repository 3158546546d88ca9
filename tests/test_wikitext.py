"""Wikitext as a reader sees it: nothing of its markup, and nothing of its text lost."""

from __future__ import annotations

import pytest

from alif.wikitext import wikitext_to_text

NAMESPACES = frozenset(("file", "category", "زمرہ", "ملف"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'''لاہور''' [[پاکستان]] کا ''بڑا'' شہر ہے۔", "لاہور پاکستان کا بڑا شہر ہے۔"),
        ("[[پنجاب، پاکستان|پنجاب]] کا", "پنجاب کا"),
        ("شہر<ref name=a>حوالہ {{cite web|url=http://x}}</ref> ہے<ref name=a/>۔", "شہر ہے۔"),
        ("{{Infobox شہر|نام=لاہور|آبادی=11126285}}\nمتن", "متن"),
        ("رقبہ {{convert|1772|km2}} ہے", "رقبہ 1772 km2 ہے"),
        ("({{lang|pa|لہور}})", "(لہور)"),
        ("نام ({{IPA|x|y|z|w}}) ہے", "نام ہے"),
        ("[[زمرہ:لاہور]][[ملف:a.jpg|تصغیر|بادشاہی [[مسجد]]]]متن[[en:Lahore]]", "متن"),
        ("[[:زمرہ:لاہور|زمرہ دیکھیں]]", "زمرہ دیکھیں"),
        ("* پہلا\n* دوسرا", "- پہلا\n- دوسرا"),
        ("دریائے&nbsp;راوی &amp; چناب", "دریائے راوی & چناب"),
        ("[http://example.com ویب گاہ] اور [http://example.com]", "ویب گاہ اور"),
        ("<math>a^2+b^2</math> اور <code>print(1)</code>", "$a^2+b^2$ اور print(1)"),
        ("ایک<br/>دو<!-- تبصرہ -->__NOTOC__", "ایک\nدو"),
        ("{| class=wikitable\n! سال !! آبادی\n|-\n| 1998 || 5,143\n|}", "سال | آبادی\n1998 | 5,143"),
        ("{{کھلا سانچہ\nمتن", "{{کھلا سانچہ\nمتن"),
    ],
)
def test_what_a_reader_sees(source: str, expected: str) -> None:
    assert wikitext_to_text(source, NAMESPACES) == expected


def test_a_heading_without_text_below_is_gone() -> None:
    source = "متن\n== تاریخ ==\n=== قدیم ===\nپرانا\n=== جدید ===\n== حوالہ جات ==\n{{حوالہ جات}}\n"
    assert wikitext_to_text(source, NAMESPACES) == "متن\n\nتاریخ\n\nقدیم\n\nپرانا"
