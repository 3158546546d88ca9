"""Which letters, and which language: letter inventories first, a classifier second.

    share          how much of a text is in the pack's script
    wrong_letters  letters that look right and are another language's: Urdu typed on an Arabic keyboard
    detect         the language, "other", or "undecided" where there is too little to judge by

A text in the right language with wrong letters and a text in the wrong language are different faults, and told apart: the
letters that only this language has decide, not those that are missing. Code, web and mail addresses count nowhere.
"""

from __future__ import annotations

import copy
import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import regex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from alif.language.pack import Pack

__all__ = ["detect", "share", "wrong_letters"]

SHORTEST = 12
"""Fewest letters that a language is told from. Source: 8 short sentences in evaluation.md C.4, where every method errs."""
MAJORITY = 0.6
"""Least share of one script; below it a text is a mixture and stays undecided."""
TELLING = 40
"""With fewer letters the lack of telling ones proves nothing. Source: 2,092 of 2,096 stretches of 40 in Urdu NTREX have one."""
ALIEN = 0.015
"""Most share of letters that the language has not. Source: NTREX has 0.00 in Urdu, 0.07 in Sindhi, 0.11 in Pashto."""

_NOT_PROSE = regex.compile(r"```.*?(?:```|$)|`[^`\n]*`|\b(?:https?://|www\.)\S+|\S+@\S+\.\w+", regex.S)
_LETTER = regex.compile(r"(?![\p{Script=Common}\p{Script=Inherited}])\p{L}")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_BREAK = regex.compile(r"[^\p{L}\p{M}\s\u200c\u200d]+|\n+")
"""What separates stretches of text: any mark, digit or line end."""


def share(text: str, pack: Pack) -> float:
    """Return the share of the pack's script among all letters, 0..1; without a letter 1.0: nothing is in another script."""
    letters = _letters(text)
    total = letters.total()
    inside = sum(count for char, count in letters.items() if _in_script(char, pack.script.name))
    return inside / total if total else 1.0


def _letters(text: str) -> Counter[str]:
    counted = Counter(_NOT_PROSE.sub(" ", text) if "`" in text or "@" in text or "://" in text or "www" in text else text)
    return Counter({char: count for char, count in counted.items() if _is_letter(char)})


@functools.cache
def _is_letter(char: str) -> bool:
    return bool(_LETTER.match(char))


@functools.cache
def _in_script(char: str, script: str) -> bool:
    return bool(regex.match(rf"\p{{Script={script}}}", char))


def wrong_letters(text: str, pack: Pack) -> list[tuple[str, str, str]]:
    """Return (word, wrong letter, right letter) for every look-alike in a word, in order; quotations keep their letters.

    Example: "ہے كتاب" → [("كتاب", "ك", "ک")]; "﴿قل هو الله أحد﴾" and "ﷺ" → [].
    """
    if pack.lookalikes.keys().isdisjoint(text):
        return []
    found = []
    for stretch in _own_stretches(text, pack):
        for word in _WORD.findall(stretch):
            found += [(word, char, pack.lookalikes[char]) for char in dict.fromkeys(word) if char in pack.lookalikes]
    return found


def _own_stretches(text: str, pack: Pack) -> Iterator[str]:
    """Yield the parts of `text` between marks that are no quotation from a sister language."""
    for pair in pack.quoted.brackets:
        opened, closed = map(regex.escape, pair)
        text = regex.sub(f"{opened}[^{closed}]*{closed}", "\n", text)
    for wanted in pack.quoted.phrases:
        text = text.replace(wanted, "\n")
    quotable = set(pack.quoted.letters)
    for stretch in _BREAK.split(text):
        letters = {char for char in stretch if _is_letter(char)}
        if quotable and letters <= quotable and len(_WORD.findall(stretch)) >= pack.quoted.words:
            continue
        yield stretch


def detect(text: str, packs: Sequence[Pack]) -> str:
    """Return the code of the pack whose language `text` is in, "other", or "undecided" (too short, or a mixture)."""
    letters = _letters(text)
    total = letters.total()
    if total < SHORTEST:
        return "undecided"
    inside = {pack: sum(count for char, count in letters.items() if _in_script(char, pack.script.name)) for pack in packs}
    possible = []
    for pack in packs:
        if inside[pack] >= MAJORITY * total and _alien(letters, pack) <= ALIEN * inside[pack]:
            if pack.script.telling and _telling(letters, pack) >= pack.script.telling_share * inside[pack]:
                return pack.code
            possible.append(pack)
    if possible:
        found = _classified(text, letters, possible)
        return "undecided" if found == "other" and any(_could_be(letters, pack) for pack in possible) else found
    mixed = any((1 - MAJORITY) * total <= count < MAJORITY * total for count in inside.values())
    return "undecided" if mixed else "other"


def _telling(letters: Counter[str], pack: Pack) -> int:
    return sum(letters[char] for char in pack.script.telling)


def _could_be(letters: Counter[str], pack: Pack) -> bool:
    """Tell whether a text that lacks telling letters is only too short to have one."""
    return bool(pack.script.telling) and letters.total() < TELLING and letters.keys() <= set(pack.script.letters)


def _alien(letters: Counter[str], pack: Pack) -> int:
    """Count letters of the pack's script that its language has not."""
    known = _known(pack)
    return sum(count for char, count in letters.items() if char not in known and _in_script(char, pack.script.name))


@functools.cache
def _known(pack: Pack) -> frozenset[str]:
    """Return the letters that a text of the language may hold: its own, look-alikes and those of quotations."""
    tables = (pack.script.letters, pack.lookalikes, pack.compare.letters, pack.quoted.letters, pack.clean.presentation_forms)
    return frozenset(itertools.chain(*tables))


def _classified(text: str, letters: Counter[str], packs: Sequence[Pack]) -> str:
    """Ask the classifier, which knows the candidates and their neighbours only.

    Where telling letters prove that a keyboard's look-alikes were typed, it is shown the right ones.
    """
    codes = {pack.code for pack in packs}
    candidates = codes.union(*(pack.script.neighbours for pack in packs))
    identifier = _identifier(frozenset(candidates))
    if identifier is None:
        return "undecided"
    for pack in packs:
        if _telling(letters, pack):
            text = text.translate({ord(wrong): right for wrong, right in pack.lookalikes.items()})
    language, _ = identifier.classify(_NOT_PROSE.sub(" ", text))
    return str(language) if language in codes else "other"


@functools.cache
def _identifier(candidates: frozenset[str]) -> LanguageIdentifier | None:
    """Return a classifier for these languages, or None where it knows none of them."""
    identifier = copy.copy(_every_language())
    known = candidates & set(identifier.labels)
    identifier.set_languages(known)
    return identifier if known else None


@functools.cache
def _every_language() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE)
