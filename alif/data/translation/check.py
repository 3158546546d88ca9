"""Compare a translation with its original: lost text, code, numbers, or nothing translated."""

from __future__ import annotations

from alif.language import language_id, text
from alif.language.pack import Pack
from alif.language.protected_spans import protected_numbers, protected_spans, without_protected

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
    if lost := protected_spans(before) - protected_spans(after):
        return "lost_code", f"{key}: {', '.join(lost)}"
    if lost := protected_numbers(before, known) - protected_numbers(after, own):
        return "lost_number", f"{key}: {', '.join(lost)}"
    words = text.split_words(after, own)
    if len(words) < MIN_WORDS:
        return None
    same = words == text.split_words(before, own)
    if same and language_id.identify_language(after, (own, known)) == known.code:
        return "copies_prompt", f"{key} is not translated"
    share = language_id.script_share(without_protected(after), own)
    evidence = f"{key}: {share:.0%} of the letters are {own.script.name}"
    return ("wrong_language", evidence) if share < MIN_SCRIPT_SHARE else None
