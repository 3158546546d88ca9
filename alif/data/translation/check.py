"""Compare a translation with its original: what is lost, not translated, or written around it."""

from __future__ import annotations

from alif.language import language_id, text
from alif.language.pack import Pack
from alif.language.protected_spans import find_lost_numbers, find_lost_spans, prose_of, without_protected
from alif.language.replies.lone_text import find_wrapping

__all__ = ["find_translation_fault"]

MIN_SCRIPT_SHARE = 0.5
"""Least share of a translation's letters in the pack's script, protected spans left out."""
MIN_WORDS = 4
"""Shorter texts may stay as they are: a name, a formula, a label."""


def find_translation_fault(
    key: str, before: str, after: str, own: Pack, known: Pack
) -> tuple[str, str] | None:
    """Return (reason, evidence) of the first fault in `after`, the translation of `before`, or None."""
    if not after:
        return "missing_field", f"{key} is lost"
    spans, numbers = find_lost_spans(before, after), find_lost_numbers(before, after, known, own)
    if spans or numbers:
        return "lost_code" if spans else "lost_number", f"{key}: {', '.join(spans or numbers)}"
    prose = without_protected(after)
    words = text.split_words(prose, own)
    if len(words) >= MIN_WORDS and (after != before or prose_of(before)):
        found = language_id.identify_language(prose, (own, known))
        if found == known.code and words == text.split_words(without_protected(before), own):
            return "copies_prompt", f"{key}: not translated"
        if found == known.code and own.script.name == known.script.name:
            return "wrong_language", f"{key}: {known.name}"
        share = language_id.script_share(prose, own)
        if share < MIN_SCRIPT_SHARE:
            return "wrong_language", f"{key}: {share:.0%} of the letters are {own.script.name}"
    around = find_wrapping(after, own, known, before, "translation")
    return ("wrapped", f"{key}: {around}") if around else None
