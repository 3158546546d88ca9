"""Mask what names or reaches a person in training text: e-mail addresses, telephone numbers, identity cards.

    "zara.khan@gmail.com"     → "email@example.com"
    "+92 300 1234567"         → "+00 000 0000000"      each digit becomes the zero of its own system
    "35202-1234567-1"         → "00000-0000000-0"      by a shape of the pack: `clean.personal_numbers`

Sums, dates and years stay. Source: FineWeb, arXiv 2406.17557 (e-mail and IP addresses, for the same reason).
"""

from __future__ import annotations

import functools
import unicodedata

import regex

from alif.language.pack import MAX_CACHED_PACKS, Pack

__all__ = ["mask_personal_data"]

_EMAIL = regex.compile(r"[\p{Latin}\d._%+-]+@[\p{Latin}\d-]+(?:\.[\p{Latin}\d-]+)*\.\p{Latin}{2,}")
_IP = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"
_PHONE = r"(?<![\p{L}\d.,/-])(?:\+|[0۰٠০])\(?\d{1,4}\)?(?:[ -]?\(?\d{2,8}\)?){1,4}(?![\d.,/]*\d)"
MIN_DIGITS, MAX_DIGITS = 9, 15
"""Of a telephone number. Source: ITU-T E.164."""


def mask_personal_data(text: str, pack: Pack) -> tuple[str, tuple[str, ...]]:
    """Return the text without personal data, and what was masked: "email_masked", "number_masked"."""
    masked: dict[str, None] = {}
    if "@" in text and (without := _EMAIL.sub("email@example.com", text)) != text:
        text, masked = without, {"email_masked": None}
    if without := _numbers(pack).sub(_mask_number, text) if any(map(str.isdigit, text)) else "":
        masked |= {"number_masked": None} if without != text else {}
        text = without
    return text, tuple(masked)


def _mask_number(found: regex.Match[str]) -> str:
    """Return a number with zeros for its digits; one of the wrong length for a telephone stays."""
    digits = sum(map(str.isdigit, found[0]))
    if found["phone"] and not MIN_DIGITS <= digits <= MAX_DIGITS:
        return found[0]
    return "".join(chr(ord(char) - unicodedata.digit(char)) if char.isdigit() else char for char in found[0])


@functools.lru_cache(maxsize=MAX_CACHED_PACKS)
def _numbers(pack: Pack) -> regex.Pattern[str]:
    shapes = (
        regex.escape(shape).replace(r"\#", "#").replace("#", r"\d") for shape in pack.clean.personal_numbers
    )
    named = [rf"(?<![\d-]){shape}(?![\d-])" for shape in shapes]
    return regex.compile("|".join([*named, _IP, f"(?P<phone>{_PHONE})"]))
