"""Hide what an answer says of its writer: "I am ChatGPT", "میں کلاڈ ہوں", in Latin and other letters.

    "میں چیٹ جی پی ٹی ہوں، GPT-4o پر مبنی۔" → "میں ■■■ ہوں، ■■■ پر مبنی۔", 2

Whoever compares answers blind must not read the names of the models in them. The names stand in
model_names.toml: those that mean nothing else are hidden everywhere, the others in sentences that speak of
their writer. What hides a name is of one length, so that it says nothing of the name.

Source: lm-sys/FastChat#1210 (one asks "who are you?" and blindness is gone); its own list is Latin only.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from pathlib import Path

import regex

__all__ = ["HIDDEN_NAME", "hide_model_names"]

HIDDEN_NAME = "■■■"
_INSIDE = r"[\u064b-\u065f\u0670\u0640\u200b-\u200d\u2060\u00ad]*"
"""What may stand between two letters of a name and is hardly seen: vowel signs, joiners."""
_BETWEEN = r"[\s\u200b-\u200d._\-‐-―۔]*"
_NUMBER = r"v?\p{Nd}+(?:[.۔]\p{Nd}+)*[a-z]{0,2}"
_SENTENCE = regex.compile(r"(?<=[.!?۔؟।])\s+|\n")


def hide_model_names(text: str, own: Iterable[str] = ()) -> tuple[str, int]:
    """Return a text with the names of models hidden, and how many were.

    Args:
        text: an answer.
        own: what the sources of this comparison are called: hidden where a sentence speaks of its writer, and
            everywhere if no word is written so ("gpt-4o-2024-11-20").
    """
    names = tuple(sorted({name for name in own if name.strip()}, key=len, reverse=True))
    certain, ambiguous, itself = _patterns(names)
    found, count = certain.subn(HIDDEN_NAME, text)
    at, parts = 0, []
    for end in [*(one.end() for one in _SENTENCE.finditer(found)), len(found)]:
        part = found[at:end]
        if itself.search(part) or HIDDEN_NAME in part:
            part, more = ambiguous.subn(HIDDEN_NAME, part)
            count += more
        parts.append(part)
        at = end
    return "".join(parts), count


@functools.lru_cache(maxsize=8)
def _patterns(own: tuple[str, ...]) -> list[regex.Pattern[str]]:
    """Return what is hidden everywhere, what where a sentence speaks of its writer, and what tells that."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    alike = {letter: f"[{group}]" for group in table["letters"] for letter in group}

    def spell(name: str) -> str:
        words = regex.split(r"[\s\-_/]+", name)
        return _BETWEEN.join(
            _INSIDE.join(alike.get(one, regex.escape(one)) for one in word) for word in words
        )

    def either(names: Iterable[str]) -> str:
        return "|".join(spell(name) for name in sorted(names, key=len, reverse=True))

    end = r"(?![\p{L}\p{M}])"
    version = rf"(?:{_BETWEEN}(?:{_NUMBER}|{either(table['versions'])}){end})"
    ids = [name for name in own if regex.search(r"[\p{Nd}/]", name) and len(name) > 3]
    certain = (
        f"(?:{either([*table['certain'], *ids])}){version}*|(?:{either(table['with_number'])}){version}+"
    )
    ambiguous = f"(?:{either([*table['ambiguous'], *own])}){version}*"
    itself = either(table["speaks_of_itself"]).replace(regex.escape("…"), r"\b.*\b")
    return [
        regex.compile(rf"(?<![\p{{L}}\p{{M}}\p{{N}}])(?:{one}){end}", regex.IGNORECASE)
        for one in (certain, ambiguous, itself)
    ]
