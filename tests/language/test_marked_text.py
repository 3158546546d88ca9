"""Texts as people must see them: what is isolated, what is marked, and differences by whole words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alif.language.marked_text import fix_letters, has_hidden, mark_changes, mark_text
from alif.language.pack import load_pack

URDU = load_pack("ur")


def kinds(text: str, kind: str) -> list[str]:
    lines = mark_text(text, URDU)
    return [p.text for line in lines for span in line["spans"] for p in span["pieces"] if p.kind == kind]


def changes(before: str, after: str) -> list[tuple[str, str]]:
    return [
        (span["change"], "".join(piece.text for piece in span["pieces"]))
        for line in mark_changes(before, after, URDU)
        for span in line["spans"]
    ]


def test_sums_keep_their_order_and_foreign_letters_are_named() -> None:
    text = "لہٰذا 1350 - 130 = 1220، یہ كتاب ہے\u202e۔"
    assert kinds(text, "ltr") == ["1350 - 130 = 1220"]
    assert kinds(text, "lookalike") == ["كتاب"]
    assert kinds(text, "hidden") == ["\u202e"]
    titles = [p.title for span in mark_text(text, URDU)[0]["spans"] for p in span["pieces"] if p.title]
    assert titles == ["ك → ک", "U+202E RIGHT-TO-LEFT OVERRIDE"]


def test_an_english_question_keeps_its_mark() -> None:
    assert kinds("اس نے کہا How are you? اور چلا گیا۔", "ltr") == ["How are you?"]


def test_each_paragraph_runs_as_most_of_its_letters_do_and_code_left_to_right() -> None:
    lines = mark_text(
        "Python ایک زبان ہے۔\nAll of this is English, کتاب.\n```python\nx = 'کتاب'\ny\n```\n3", URDU
    )
    assert [(line["dir"], line["code"]) for line in lines] == [
        ("rtl", False), ("ltr", False), ("ltr", True), ("rtl", False),
    ]  # fmt: skip
    assert lines[2]["spans"][0]["pieces"][0].text.startswith("x = '")


def test_letters_are_mended_outside_quotations_alone() -> None:
    assert fix_letters("يہ كتاب\u200b ہے", URDU) == "یہ کتاب ہے"
    assert fix_letters("﴿قل هو الله أحد﴾ كا ترجمہ", URDU) == "﴿قل هو الله أحد﴾ کا ترجمہ"
    assert fix_letters("a\u202eb", None) == "ab"
    assert has_hidden("a\u200bb")
    assert not has_hidden("a\u200cb\n\t")


def test_a_difference_is_cut_between_words_and_never_inside_a_sum() -> None:
    assert changes("رقم ادا کرنی ہے", "رقم ادا کرنے ہے") == [
        ("=", "رقم ادا "), ("-", "کرنی"), ("+", "کرنے"), ("=", " ہے"),
    ]  # fmt: skip
    assert changes("یعنی 1350 - 130 = 1220 روپے", "یعنی 1350 - 135 = 1215 روپے") == [
        ("=", "یعنی "), ("-", "1350 - 130 = 1220"), ("+", "1350 - 135 = 1215"), ("=", " روپے"),
    ]  # fmt: skip
    assert changes("ایک\nدو\nتین", "ایک\nتین") == [("-", "دو")]
    assert changes("ایک", "ایک") == []


def test_a_line_of_100_kb_is_compared_at_once() -> None:
    assert [change for change, _ in changes("لفظ " * 25_000, "حرف " * 25_000)] == ["-", "+"]


@given(st.text(alphabet="کتاب يك 12-+=%().<>/ab\n\u202e\u200b"), st.text(alphabet="کتاب 12=a\n\u202e"))
def test_no_character_is_lost(before: str, after: str) -> None:
    for line in mark_text(before, URDU):
        assert "".join(p.text for span in line["spans"] for p in span["pieces"]) in before
    shown = "".join(text for _, text in changes(before, after))
    assert shown or before.replace("\n", "") == after.replace("\n", "")


def test_a_fixed_direction_holds_for_every_paragraph_but_code() -> None:
    text = "Python is\nزبان\n```\nx = 1\n```"
    assert [one["dir"] for one in mark_text(text, None)] == ["ltr", "rtl", "ltr"]
    fixed = mark_text(text, None, "rtl")
    assert [one["dir"] for one in fixed] == ["rtl", "rtl", "ltr"]
    assert [piece.kind for piece in fixed[0]["spans"][0]["pieces"]] == ["ltr"]
    assert [one["dir"] for one in mark_text(text, None, "ltr")] == ["ltr", "ltr", "ltr"]
