"""Which letters, and which language: letters first, little words second, a classifier third.

    share          how much of a text is in the pack's script
    wrong_letters  letters that look right and are another language's: Urdu typed on an Arabic keyboard
    detect         the language, "other", or "undecided" where there is too little to judge by
    lines          the same line by line, code, addresses, quotations and short lines exempt

A text in the right language with wrong letters and a text in the wrong language are different faults, and told apart: the
letters and little words that only this language has decide, not those that are missing. A language typed in another script
(Roman Urdu) is told by its little words and has a code of its own. Code, web and mail addresses count nowhere.
"""

from __future__ import annotations

import copy
import functools
import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import regex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from alif.language import text as texts
from alif.language.pack import Pack

__all__ = [
    "EXEMPT",
    "classify_lines",
    "find_lookalikes",
    "has_no_target_script",
    "identify_language",
    "language_classifier",
    "script_share",
    "undeclared_letters",
]

EXEMPT = "exempt"
"""What `lines` says of a line that is no prose, too short, or quoted from a sister language."""
SHORTEST = 12
"""Fewest letters that a language is told from. Source: 8 short sentences in evaluation.md C.4, where every method errs."""
MAJORITY = 0.6
"""Least share of one script; below it a text is a mixture and stays undecided."""
TELLING = 40
"""With fewer letters the lack of telling ones proves nothing. Source: 2,092 of 2,096 stretches of 40 in Urdu NTREX have one."""
ALIEN = 0.015
"""Most share of letters that the language has not. Source: NTREX has 0.00 in Urdu, 0.07 in Sindhi, 0.11 in Pashto."""
FEWEST_WORDS = 4
"""With fewer words the share of little ones is not taken."""
HEAD = 64
"""Characters by which a text that is mostly in another script is passed over."""
MANY_WORDS = 8
"""With fewer words the lack of little ones leaves the language undecided: headlines have none."""

_NOT_PROSE = regex.compile(r"```.*?(?:```|$)|`[^`\n]*`|\b(?:https?://|www\.)\S+|\S+@\S+\.\w+", regex.S)
_MAY_BE_CODE = regex.compile(r"[`@]|://|www")
_LETTER = regex.compile(r"(?![\p{Script=Common}\p{Script=Inherited}])\p{L}")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_BREAK = regex.compile(r"[^\p{L}\p{M}\s\u200c\u200d]+|\n+")
"""What separates stretches of text: any mark, digit or line end."""


def script_share(text: str, pack: Pack) -> float:
    """Return the share of the pack's script among all letters, 0..1; without a letter 1.0: nothing is in another script."""
    count = _Count.of(_NOT_PROSE.sub(" ", text) if _MAY_BE_CODE.search(text) else text, pack)
    return count.inside / count.total if count.total else 1.0


def has_no_target_script(text: str, pack: Pack) -> bool:
    """Tell whether a text has letters and none of them is in the pack's script."""
    if text and _is_inside(text[0], pack) and not _MAY_BE_CODE.search(text):
        return False
    return script_share(text, pack) == 0


@functools.cache
def _is_inside(char: str, pack: Pack) -> bool:
    return _Count.of(char, pack).inside == 1


def _letters(text: str) -> Counter[str]:
    counted = Counter(_NOT_PROSE.sub(" ", text) if _MAY_BE_CODE.search(text) else text)
    return Counter({char: count for char, count in counted.items() if _is_letter(char)})


@functools.cache
def _is_letter(char: str) -> bool:
    return bool(_LETTER.match(char))


@functools.cache
def _in_script(char: str, script: str) -> bool:
    return bool(regex.match(rf"\p{{Script={script}}}", char))


def find_lookalikes(text: str, pack: Pack) -> list[tuple[str, str, str]]:
    """Return (word, wrong letter, right letter) for every look-alike in a word, in order; quotations keep their letters.

    Example: "ہے كتاب" → [("كتاب", "ك", "ک")]; "﴿قل هو الله أحد﴾" and "ﷺ" → [].
    """
    if pack.lookalikes.keys().isdisjoint(text):
        return []
    found = []
    for stretch in _own_stretches(text, pack):
        for word in _WORD.findall(stretch):
            found += [
                (word, char, pack.lookalikes[char]) for char in dict.fromkeys(word) if char in pack.lookalikes
            ]
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


def undeclared_letters(text: str, pack: Pack) -> list[tuple[str, str]]:
    """Return (letter, word) of letters in the pack's script that none of its tables knows, quotations left out."""
    known = _known(pack)
    found = []
    for stretch in _own_stretches(_NOT_PROSE.sub(" ", text), pack):
        for word in _WORD.findall(stretch):
            found += [
                (char, word) for char in dict.fromkeys(word) if char not in known and _own_letter(char, pack)
            ]
    return found


def _own_letter(char: str, pack: Pack) -> bool:
    return _is_letter(char) and _in_script(char, pack.script.name)


def classify_lines(text: str, packs: Sequence[Pack]) -> list[tuple[str, str]]:
    """Return (line, language as `detect` tells it, or "exempt") of every line that is not blank.

    Exempt are code, lines with fewer than SHORTEST letters, and quotations that the first pack allows.
    """
    found: list[tuple[str, str]] = []
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            found.append((line, EXEMPT))
        elif line.strip():
            prose = not fenced and _letters(line).total() >= SHORTEST
            prose = prose and any(_letters(stretch) for stretch in _own_stretches(line, packs[0]))
            found.append((line, identify_language(line, packs) if prose else EXEMPT))
    return found


def identify_language(text: str, packs: Sequence[Pack]) -> str:
    """Return the code of the pack whose language `text` is in, "other", or "undecided" (too short, or a mixture).

    A text in another script of a pack's language has the code that its table `roman` names.
    """
    if _MAY_BE_CODE.search(text):
        text = _NOT_PROSE.sub(" ", text)
    counts = _counted(text, packs)
    total = next(iter(counts.values())).total
    if total < SHORTEST:
        return "undecided"
    possible = [pack for pack, count in counts.items() if count.inside >= MAJORITY * total]
    possible = [pack for pack in possible if counts[pack].alien <= ALIEN * counts[pack].inside]
    little = {pack: _little(text, pack, mixed=counts[pack].inside < total) for pack in possible}
    possible = [
        pack for pack, share in little.items() if share is None or share >= pack.script.function_word_share
    ]
    proven = [pack for pack in possible if _proves(counts[pack], pack)]
    if proven:
        return max(proven, key=lambda pack: little[pack] or 0.0).code
    for pack in packs:
        if pack.roman and counts[pack].inside < (1 - MAJORITY) * total and _romanised(text, pack):
            return pack.roman.code
    if possible:
        return _undecided(text, counts, possible)
    if any(_lacks_words(text, counts[pack], pack, share) for pack, share in little.items()):
        return "undecided"
    mixed = any((1 - MAJORITY) * total <= count.inside < MAJORITY * total for count in counts.values())
    return "undecided" if mixed else "other"


def _counted(text: str, packs: Sequence[Pack]) -> dict[Pack, _Count]:
    """Count the letters for each pack; once all are found in one script, packs of another have none."""
    found: dict[Pack, _Count] = {}
    whole = ""
    for pack in packs:
        if whole and whole != pack.script.name:
            found[pack] = _Count(found[packs[0]].total, 0, 0, 0)
        else:
            found[pack] = count = _Count.of(text, pack)
            whole = pack.script.name if count.inside == count.total else whole
    return found


def _undecided(text: str, counts: Mapping[Pack, _Count], possible: Sequence[Pack]) -> str:
    """Tell the language of a text whose letters fit and prove nothing."""
    found = _classified(text, counts, possible)
    if found != "other":
        return found
    return "undecided" if any(_could_be(text, counts[pack], pack) for pack in possible) else "other"


class _Count(NamedTuple):
    """Letters of a text, as a pack sees them."""

    total: int
    inside: int
    """In the pack's script."""
    telling: int
    alien: int
    """In the script, and not of the language."""

    @classmethod
    def of(cls, text: str, pack: Pack) -> _Count:
        kinds = _kinds(pack).of(text)
        telling, alien, plain = kinds.count(b"t"), kinds.count(b"a"), kinds.count(b"p")
        return cls(len(kinds) - kinds.count(b"-"), telling + alien + plain, telling, alien)


class _Kinds:
    """Character → "t" telling, "p" plain, "a" alien letter of the script, "o" letter of another script, "-" no letter."""

    def __init__(self, pack: Pack) -> None:
        self._script = pack.script.name
        self._known = dict.fromkeys(_known(pack), "p") | dict.fromkeys(pack.script.distinctive, "t")
        self._table = np.zeros(sys.maxunicode + 1, dtype=np.uint8)

    def of(self, text: str) -> bytes:
        """Return the kinds of the characters of `text`, one byte each."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        kinds = self._table.take(codes).tobytes()
        if b"\0" not in kinds:
            return kinds
        for char in set(text):
            self._table[ord(char)] = ord(self._kind(char))
        return self._table.take(codes).tobytes()

    def _kind(self, char: str) -> str:
        return (
            "-"
            if not _is_letter(char)
            else self._known.get(char, "a")
            if _in_script(char, self._script)
            else "o"
        )


@functools.cache
def _kinds(pack: Pack) -> _Kinds:
    return _Kinds(pack)


def _proves(count: _Count, pack: Pack) -> bool:
    """Tell whether the letters prove the language, as far as letters can."""
    return bool(pack.script.distinctive) and count.telling >= pack.script.distinctive_share * count.inside


def _could_be(text: str, count: _Count, pack: Pack) -> bool:
    """Tell whether a text that lacks telling letters is only too short to have one."""
    own = pack.script.distinctive and count.total < TELLING and count.inside == count.total
    return bool(own) and all(char in pack.script.letters for char in text if _is_letter(char))


def _little(text: str, pack: Pack, mixed: bool = True) -> float | None:
    """Return the share of the pack's little words, or None where the pack has none or the text too few words to tell."""
    if not pack.script.function_words:
        return None
    return _share(text, pack, _little_words(pack), pack.script.name, mixed)


def _lacks_words(text: str, count: _Count, pack: Pack, share: float | None) -> bool:
    """Tell whether only little words are wanting, and the text has nearly enough of them, or too few words to miss them."""
    letters = _proves(count, pack) or _could_be(text, count, pack)
    return letters and (
        2 * (share or 0.0) >= pack.script.function_word_share
        or len(set(texts.split_words(text, pack))) < MANY_WORDS
    )


def _share(text: str, pack: Pack, wanted: frozenset[str], script: str, mixed: bool) -> float | None:
    """Return the share of `wanted` among the words of a script, or None where they are too few to tell."""
    every = texts.split_words(text, pack)
    hits = sum(map(wanted.__contains__, every))
    if mixed:
        every = [word for word in every if _in_script(word[0], script)]
    return hits / len(every) if len(every) >= FEWEST_WORDS else None


@functools.cache
def _little_words(pack: Pack) -> frozenset[str]:
    return frozenset(word for one in pack.script.function_words for word in texts.split_words(one, pack))


def _romanised(text: str, pack: Pack) -> bool:
    head = [char for char in text[:HEAD] if _is_letter(char)]
    if pack.roman is None or 2 * sum(_in_script(char, pack.roman.script) for char in head) <= len(head):
        return False
    found = _share(
        text, pack, frozenset(pack.roman.function_words), pack.roman.script, mixed=not text.isascii()
    )
    return found is not None and found >= pack.roman.function_word_share


@functools.cache
def _known(pack: Pack) -> frozenset[str]:
    """Return the letters that a text of the language may hold: its own, look-alikes and those of quotations."""
    tables = (
        pack.script.letters,
        pack.lookalikes,
        pack.compare.letters,
        pack.quoted.letters,
        pack.clean.presentation_forms,
    )
    return frozenset(itertools.chain(*tables))


def _classified(text: str, counts: Mapping[Pack, _Count], packs: Sequence[Pack]) -> str:
    """Ask the classifier, which knows the candidates and their neighbours only.

    A language that the classifier does not know is told by its little words alone. Where telling letters prove that
    look-alikes were typed, the classifier is shown the right ones.
    """
    unknown = [pack for pack in packs if pack.code not in language_classifier().labels]
    for pack in unknown:
        share = _little(text, pack)
        if share is not None and pack.script.function_word_share and share >= pack.script.function_word_share:
            return pack.code
    codes = {pack.code for pack in packs if pack not in unknown}
    identifier = _identifier(frozenset(codes.union(*(pack.script.neighbours for pack in packs))))
    if identifier is None:
        return "undecided"
    for pack in packs:
        if counts[pack].telling and not pack.lookalikes.keys().isdisjoint(text):
            text = text.translate({ord(wrong): right for wrong, right in pack.lookalikes.items()})
    language, _ = identifier.classify(text)
    if language in codes:
        return str(language)
    return "undecided" if unknown else "other"


@functools.cache
def _identifier(candidates: frozenset[str]) -> LanguageIdentifier | None:
    """Return a classifier for these languages, or None where it knows none of them."""
    identifier = copy.copy(language_classifier())
    known = candidates & set(identifier.labels)
    identifier.set_languages(known)
    return identifier if known else None


@functools.cache
def language_classifier() -> LanguageIdentifier:
    """Return the classifier with all the languages that it knows."""
    return LanguageIdentifier.from_model_file(MODEL_FILE)
