"""Whether a translation is in the right language: the other one than its input, or the one that its request names.

    "اس جملے کا اردو میں ترجمہ کریں" · "I like tea." → "I like tea very much."      input and output are both English
                                                     → "من چای را دوست دارم …"      a sister language

Letters tell the two languages apart where they have different scripts; the phrases that name a language are the task's table.
"""

from __future__ import annotations

from alif.language import language_id, text
from alif.language.pack import Pack
from alif.language.pack_schema import Into
from alif.records import Example

__all__ = ["is_in_target_language", "wrong_target_language"]

FEWEST_WORDS = 4
"""A shorter answer may be a name or a fixed phrase, of which no word tells the language."""
NEARLY_ALL = 0.9
"""Least share of one script in an answer that is in a sister language; a heading with English names in it is in none."""


def wrong_target_language(row: Example, into: Into, own: Pack, known: Pack) -> str:
    """Say how a translation is in the language that it is from, another than its request names, or a third; "" if it is not.

    `into` is the task's table of phrases by which a request names the language that it wants.
    """
    if _sister(row.output, own, known):
        return f"another language of the script {own.script.name}"
    if not row.input:
        return _not_as_asked(row, into, own, known)
    given, answered = (_side(value, own, known) for value in (row.input, row.output))
    return next(
        (f"input and output are both {pack.name}" for pack in (own, known) if given == answered == pack.code),
        "",
    )


def is_in_target_language(row: Example, into: Into, own: Pack, known: Pack) -> bool:
    """Tell whether an answer is in a language that its request names as wanted."""
    return _side(row.output, own, known) in _asked_for(row, into, own, known)


def _sister(answer: str, own: Pack, known: Pack) -> bool:
    """Tell whether an answer in the pack's script is in none of its words and has none of the letters that tell it.

    Nothing is told of the known language's script: its headlines are in no language as far as words tell.
    """
    if own.script.name == known.script.name or language_id.script_share(answer, own) < NEARLY_ALL:
        return False
    plain = len(text.split_words(answer, own)) >= FEWEST_WORDS and set(own.script.telling).isdisjoint(answer)
    return plain and language_id.identify_language(answer, (own, known)) == "other"


def _not_as_asked(row: Example, into: Into, own: Pack, known: Pack) -> str:
    """Find the translation of a text inside its request that is not in the one language which the request names.

    Beside an input nothing is found: a language that is named there may as well be the input's.
    """
    named = _asked_for(row, into, own, known)
    answered = _side(row.output, own, known)
    wrong = len(named) == 1 and answered not in named and answered in (own.code, known.code)
    return f"asked for {next(iter(named.values()))}, answered in {answered}" if wrong else ""


def _asked_for(row: Example, into: Into, own: Pack, known: Pack) -> dict[str, str]:
    """Return each language that the request names as wanted, with the phrase by which it does."""
    return {
        pack.code: found
        for pack, phrases in ((own, into.own), (known, into.known))
        if (found := text.find_phrase(row.instruction, phrases, own))
    }


def _side(value: str, own: Pack, known: Pack) -> str:
    """Return the code of the language of a text; where the two have different scripts its letters tell, however short it is."""
    if own.script.name == known.script.name:
        return language_id.identify_language(value, (own, known))
    return own.code if language_id.script_share(value, own) >= 0.5 else known.code
