"""Text that a wrong encoding garbled is found; punctuation and accents that people write are not."""

from __future__ import annotations

import pytest

from alif.language.garbled_text import find_garbled_text

URDU = "اردو میں لکھا ہوا ایک جملہ ہے۔"
BENGALI = "এটি বাংলা ভাষায় লেখা একটি বাক্য।"


@pytest.mark.parametrize("codec", ["latin-1", "cp1252", "cp1256"])
@pytest.mark.parametrize("text", [URDU, BENGALI, "Это предложение на русском языке.", "don’t — “really”"])
def test_utf8_read_in_another_encoding(text: str, codec: str) -> None:
    shown = text.encode().decode(codec, "ignore")
    if codec != "cp1256" or text == URDU:  # in Windows-1256 only what is Arabic is told from words
        assert "another encoding" in find_garbled_text(shown)
    assert find_garbled_text(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "donâ€™t",
        "cafÃ©",
        "10 Â°C",
        "ï»¿Hello",
        "ðŸ˜€",
        "????",
        "???? Python ?? ?????",
        "??? ??.",
        "a \ufffd b",
    ],
)
def test_a_single_sign_or_word_is_enough(text: str) -> None:
    assert find_garbled_text(f"{text}")


@pytest.mark.parametrize(
    "text",
    [
        "What????", "Is it? Why? How?", "?", "??", "What is this ??? and that", "How ???", "CAFÉ» is",
        "Âge d'or", "São Paulo, Côte d’Ivoire", "naïve — “yes”", "él dijo: «¿Qué?»", "آپ عکس؟ شروع؟ موضوع،",
        "حروف: ط، ظ، ع، غ", "Ø 20 mm, Ø 30 mm", "×3 ×2", "جھجک بھی ٹھیک ہے",
    ],
)  # fmt: skip
def test_what_people_write_is_not_garbled(text: str) -> None:
    assert find_garbled_text(text) == ""
