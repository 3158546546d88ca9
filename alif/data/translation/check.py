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
    if fault := _find_wrong_language(before, after, own, known):
        return fault[0], f"{key}: {fault[1]}"
    around = find_wrapping(after, own, known, before, "translation")
    return ("wrapped", f"{key}: {around}") if around else None


def _find_wrong_language(before: str, after: str, own: Pack, known: Pack) -> tuple[str, str] | None:
    prose = without_protected(after)
    words = text.split_words(prose, own)
    if len(words) < MIN_WORDS or (after == before and not prose_of(before)):
        return None
    found = language_id.identify_language(prose, (own, known))
    if words == text.split_words(without_protected(before), own) and found == known.code:
        return "copies_prompt", "not translated"
    if found == known.code and own.script.name == known.script.name:
        return "wrong_language", known.name
    share = language_id.script_share(prose, own)
    evidence = f"{share:.0%} of the letters are {own.script.name}"
    return ("wrong_language", evidence) if share < MIN_SCRIPT_SHARE else None
