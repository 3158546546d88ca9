"""Whether a translation is in the right language: not its input's, or the one that its request names.

    "اس جملے کا اردو میں ترجمہ کریں" · "I like tea." → "I like tea very much."   both are English
    ("translate this sentence into Urdu")            → "من چای را دوست دارم …"   related: Persian

Letters tell the two languages apart where their scripts differ; phrases that name a language are the task's
table.
"""

from __future__ import annotations

from alif.data.filters.filter_context import MIN_WORDS
from alif.language import language_id, text
from alif.language.pack import Pack
from alif.language.pack_schema import Into
from alif.records import Example

__all__ = ["is_in_requested_language", "wrong_target_language"]

NEARLY_ALL = 0.9
"""Least share of the pack's script in an answer that is in a related language: English names are in
neither."""


def wrong_target_language(row: Example, into: Into, own: Pack, known: Pack) -> str:
    """Say why a translation is in its input's language, in one not requested or a third; "" if it is not.

    `into` is the task's table of phrases by which a request names the language that it wants. Beside an input
    such a phrase proves nothing: it may name the input's language.
    """
    if (
        own.script.name != known.script.name  # there words do not tell the language of a headline
        and language_id.script_share(row.output, own) >= NEARLY_ALL
        and len(text.split_words(row.output, own)) >= MIN_WORDS
        and set(own.script.distinctive).isdisjoint(row.output)
        and language_id.identify_language(row.output, (own, known)) == "other"
    ):
        return f"another language of the script {own.script.name}"
    answered = _language_of(row.output, own, known)
    if row.input:
        same = _language_of(row.input, own, known) == answered
        name = next((pack.name for pack in (own, known) if answered == pack.code), "")
        return f"input and output are both {name}" if same and name else ""
    requested = _requested_languages(row, into, own, known)
    wrong = len(requested) == 1 and answered not in requested and answered in (own.code, known.code)
    return f"asked for {next(iter(requested.values()))}, answered in {answered}" if wrong else ""


def is_in_requested_language(row: Example, into: Into, own: Pack, known: Pack) -> bool:
    """Tell whether an answer is in a language that its request names as wanted."""
    return _language_of(row.output, own, known) in _requested_languages(row, into, own, known)


def _requested_languages(row: Example, into: Into, own: Pack, known: Pack) -> dict[str, str]:
    """Return each language that the request names as wanted, with the phrase by which it does."""
    found = (
        (pack.code, text.find_phrase(row.instruction, phrases, own))
        for pack, phrases in ((own, into.own), (known, into.known))
    )
    return {code: phrase for code, phrase in found if phrase}


def _language_of(value: str, own: Pack, known: Pack) -> str:
    """Return the code of a text's language: by its letters, however short, where the scripts differ."""
    if own.script.name == known.script.name:
        return language_id.identify_language(value, (own, known))
    return own.code if language_id.script_share(value, own) >= 0.5 else known.code
