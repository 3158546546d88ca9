"""Long texts are split where nothing is torn apart, and joined they are the text again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alif.data.translation.long_texts import split_text
from alif.language.pack import load_pack

EN = load_pack("en")


@given(st.text(alphabet="ab .!?\n`-|", max_size=300), st.integers(1, 60))
def test_joined_pieces_are_the_text(value: str, limit: int) -> None:
    pieces = split_text(value, limit, EN)
    assert "".join(pieces) == value
    assert all(
        len(piece) <= limit or not any(char.isspace() for char in piece.strip()) or "```" in value
        for piece in pieces
    )


def test_paragraphs_come_first_and_a_fence_stays_whole() -> None:
    fence = "```py\nx = 1\n\ny = 2\n```"
    value = f"One sentence. Another sentence.\n\n{fence}\n\nThe last one."
    pieces = split_text(value, 35, EN)
    assert [piece.strip() for piece in pieces] == ["One sentence. Another sentence.", fence, "The last one."]


def test_a_long_paragraph_is_cut_behind_its_sentences() -> None:
    pieces = split_text("One two three. Four five six. Seven eight.", 20, EN)
    assert [piece.strip() for piece in pieces] == ["One two three.", "Four five six.", "Seven eight."]
