"""What encodings and PDF files did to a text is undone, and what was right stays as it was."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from alif.language.bidi import split_runs
from alif.language.pack import load_pack
from alif.language.text_repair import find_encoding, repair_text

UR, EN, BN = load_pack("ur"), load_pack("en"), load_pack("bn")
URDU = "حکومت نے کہا ہے کہ 1947 میں پاکستان بنا تھا اور اس کے بعد GPT-4 آیا۔"


def misread(text: str, codec: str) -> str:
    """Return UTF-8 as a program shows it that takes it for `codec`; bytes without a letter stay."""
    return "".join(bytes([byte]).decode(codec, "ignore") or chr(byte) for byte in text.encode())


def in_places(line: str) -> str:
    """Return a line in the order of its places, as a PDF file has it."""
    return "".join(piece[::-1] if kept else piece for piece, kept in split_runs(line))[::-1]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("codec", ["latin-1", "cp1252", "cp1256"])
def test_utf8_that_was_misread_is_read_again(codec: str, layers: int) -> None:
    garbled = URDU
    for _ in range(layers):
        garbled = misread(garbled, codec)
    assert repair_text(garbled, UR) == (URDU, ("mojibake",))
    assert repair_text(f"{URDU} {garbled}", UR)[0] == f"{URDU} {URDU}"  # only what is garbled changes


def test_marks_of_english_and_letters_of_bengali_too() -> None:
    assert repair_text(misread("It’s a café — naïve.", "cp1252"), EN)[0] == "It’s a café — naïve."
    assert repair_text(misread("আমি বাংলায় গান গাই", "cp1252"), BN)[0] == "আমি বাংলায় গান গাই"


@pytest.mark.parametrize("text", [URDU, "تک بک شپ — “حوالہ”", "Ünïcödé façade Ærø", "ÀÉÎ", "ط ظ ع غ"])
def test_what_is_right_stays(text: str) -> None:
    assert repair_text(text, UR) == (text, ())


@pytest.mark.parametrize(
    "line",
    [
        "گندم پاکستان کی اہم فصل ہے اور یہ 1947 میں بھی تھی۔",
        "آج GPT-4 turbo نے کہا ہے کہ ۳۵ من کا وزن (تقریباً) ہے۔",
    ],
)
def test_a_line_in_the_order_of_its_places_is_turned(line: str) -> None:
    shown = f"{in_places(line)}\n{in_places(line)}"
    assert repair_text(shown, UR, visual=True) == (f"{line}\n{line}", ("visual_order",))
    assert repair_text(shown, UR) == (shown, ())  # not of a PDF file: no Urdu, and dropped as such


def test_a_ligature_of_a_pdf_file_is_turned_as_one_letter() -> None:
    shown = in_places("کسان کھیت میں ہل چ\ufefcتے ہیں اور بیج ڈ\ufe8eلتے ہیں")
    assert repair_text(shown, UR) == (
        "کسان کھیت میں ہل چلاتے ہیں اور بیج ڈالتے ہیں",
        ("presentation_forms", "visual_order"),
    )


def test_what_cleaning_takes_out_has_a_name() -> None:
    text = "آئندہ\x00 سال\u200f ہم ملیں گے"
    assert repair_text(text, UR)[1] == ("control_characters", "hidden_characters")
    assert repair_text(unicodedata.normalize("NFD", "آئندہ سال"), UR) == (
        "آئندہ سال",
        ("decomposed_letters",),
    )


@pytest.mark.parametrize(
    ("codec", "expected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1256", "cp1256"),
    ],
)
def test_the_letters_prove_the_encoding(codec: str, expected: str) -> None:
    text = URDU.replace("۔", ".").replace("ی", "ي") if codec == "cp1256" else URDU
    data = (text * 20).encode(codec)
    assert find_encoding(data, UR) == expected
    assert repair_text(data.decode(expected), UR, expected)[0].rstrip(".") == (
        text.replace("ي", "ی") * 20
    ).rstrip(".")


def test_a_letter_cut_at_the_end_and_a_few_damaged_bytes_are_still_utf8() -> None:
    data = (URDU * 20).encode()
    assert find_encoding(data[:401], UR) == "utf-8"
    assert find_encoding(data[:300] + b"\xff" + data[300:], UR) == "utf-8"


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + bytes(range(128, 256)) * 9, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" * 99]
)
def test_bytes_that_are_no_text_have_no_encoding(data: bytes) -> None:
    assert find_encoding(data, UR) == ""


@pytest.mark.shared
def test_the_messy_files_meet_their_gold(shared_data: Path) -> None:
    messy = shared_data / "messy_dev"
    cases = [json.loads(line) for line in (messy / "cases.jsonl").read_text().splitlines()]
    texts = {case["file"]: case["gold"] for case in cases if "gold" in case and case["file"].endswith(".txt")}
    assert len(texts) == 5
    for name, gold in texts.items():
        data = (messy / name).read_bytes()
        codec = find_encoding(data, UR)
        repaired, names = repair_text(data.decode(codec, "replace"), UR, codec)
        assert names
        assert repaired == (messy / gold).read_bytes().decode()
