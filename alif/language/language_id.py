"""Identify the language of a text: letters first, function words second, a classifier third.

    script_share         how much of a text is in the pack's script
    find_lookalikes      letters that look right and are another language's: Urdu typed on an Arabic keyboard
    identify_language    a code, "other", or "undecided" where there is too little to judge by

A text in the right language with wrong letters and a text in the wrong language are different faults: the
letters and function words that only this language has decide, not those that are missing. A language typed in
another script (Roman Urdu) is found by its function words and has a code of its own. Code, web and mail
addresses are ignored everywhere.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping, Sequence

import regex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from alif.language.letter_counts import (
    LetterCount,
    count_letters,
    in_script,
    is_letter,
    known_letters,
    strip_code,
)
from alif.language.normalisation import phrase_words, split_words
from alif.language.pack import MAX_CACHED_PACKS, Pack, load_pack, shipped_packs

__all__ = [
    "find_lookalikes", "function_word_share", "has_no_target_script", "identify_language",
    "language_classifier", "script_share", "undeclared_letters", "unquoted_parts",
]  # fmt: skip

MIN_LETTERS = 12
"""Fewest letters that a language is identified from. Source: 8 short sentences where every method errs."""
MAJORITY = 0.6  # least share of one script; below it a text is a mixture and stays undecided
MIN_DISTINCTIVE_LETTERS = 40
"""With fewer the lack of distinctive ones proves nothing. Source: 2,092 of 2,096 stretches of Urdu NTREX."""
MAX_OUT_OF_INVENTORY = 0.015
"""Most share of letters that the language lacks; a single one never decides. Source: NTREX: Urdu 0.00, Sindhi
0.07, Pashto 0.11."""
MIN_WORDS = 4  # with fewer words no share of function words is taken
MANY_WORDS = 8
"""With fewer words the lack of function words leaves the language undecided: headlines have none."""
MIN_FOREIGN_WORDS = 2
"""Fewest function words of neighbours, or backwards, that deny a language which has some of its own."""
HEAD_CHARS = 64  # beginning by which a text that is mostly in another script is skipped

_WORD = regex.compile(r"[\p{L}\p{M}]+")
_BREAK = regex.compile(r"[^\p{L}\p{M}\s\u200c\u200d]+|\n+")
"""Any mark, digit or line end: what separates stretches of text."""


def script_share(text: str, pack: Pack) -> float:
    """Return the share of the pack's script among all letters, 0..1; 1.0 without a letter."""
    count = LetterCount.of(strip_code(text), pack)
    return count.in_script / count.total if count.total else 1.0


def has_no_target_script(text: str, pack: Pack) -> bool:
    """Tell whether a text has letters and none of them is in the pack's script."""
    first = text[:1]
    if first and is_letter(first) and in_script(first, pack.script.name) and strip_code(text) is text:
        return False
    return script_share(text, pack) == 0


def find_lookalikes(text: str, pack: Pack) -> list[tuple[str, str, str]]:
    """Return (word, wrong letter, right letter) for every look-alike in order, quotations left out.

    Example: "ہے كتاب" → [("كتاب", "ك", "ک")]; "﴿قل هو الله أحد﴾" and "ﷺ" → [].
    """
    if pack.lookalikes.keys().isdisjoint(text):
        return []
    words = (word for stretch in unquoted_parts(text, pack) for word in _WORD.findall(stretch))
    return [
        (word, char, pack.lookalikes[char])
        for word in words
        for char in dict.fromkeys(word)
        if char in pack.lookalikes
    ]


def undeclared_letters(text: str, pack: Pack) -> list[tuple[str, str]]:
    """Return (letter, word) of letters of the script that no table of the pack has, quotations left out."""
    known = known_letters(pack)
    words = (word for stretch in unquoted_parts(strip_code(text), pack) for word in _WORD.findall(stretch))
    return [
        (char, word)
        for word in words
        for char in dict.fromkeys(word)
        if char not in known and is_letter(char) and in_script(char, pack.script.name)
    ]


def identify_language(text: str, packs: Sequence[Pack]) -> str:
    """Return the code of the pack whose language it is, "other", or "undecided" (too short, or a mixture).

    A text in another script of a pack's language has the code that its table `roman` names.
    """
    text = strip_code(text)
    counts = count_letters(text, packs)
    total = counts[packs[0]].total
    if total < MIN_LETTERS and total + sum(map(text.count, _vowel_signs(tuple(packs)))) < MIN_LETTERS:
        return "undecided"
    in_script = {pack: count for pack, count in counts.items() if count.in_script >= MAJORITY * total}
    fitting = [
        pack
        for pack, count in in_script.items()
        if count.out_of_inventory <= MAX_OUT_OF_INVENTORY * count.in_script
    ] or [pack for pack, count in in_script.items() if count.out_of_inventory == 1]
    fitting = [pack for pack in fitting if not _is_foreign(text, pack)]
    shares = {pack: function_word_share(text, pack, counts[pack].in_script < total) for pack in fitting}
    scripts = [pack.script.name for pack in packs]  # of a script of one language letters are enough
    possible = [
        pack
        for pack, share in shares.items()
        if share is None
        or share >= pack.script.function_word_share
        or (not pack.script.neighbours and scripts.count(pack.script.name) == 1)
    ]
    if proven := [pack for pack in possible if counts[pack].proves(pack)]:
        return max(proven, key=lambda pack: shares[pack] or 0.0).code
    for pack in packs:
        if pack.roman and counts[pack].in_script < (1 - MAJORITY) * total and _is_romanised(text, pack):
            return pack.roman.code
    if possible and (found := _classify(text, counts, possible)) != "other":
        return found
    for pack, share in shares.items():  # function words are missing: nearly enough, or too few to miss them
        few = (
            2 * (share or 0.0) >= pack.script.function_word_share
            or len(set(split_words(text, pack))) < MANY_WORDS
        )
        if few and (counts[pack].proves(pack) or _could_be(text, counts[pack], pack)):
            return "undecided"
    mixed = not possible and any(
        (1 - MAJORITY) * total <= count.in_script < MAJORITY * total for count in counts.values()
    )
    return "undecided" if mixed else "other"


@functools.lru_cache
def _vowel_signs(packs: tuple[Pack, ...]) -> tuple[str, ...]:
    """Return the marks that packs have among their letters: vowels of Bengali, not those of Arabic."""
    return tuple(
        sorted({char for pack in packs for char in pack.script.letters if regex.match(r"\p{M}", char)})
    )


def unquoted_parts(text: str, pack: Pack) -> Iterator[str]:
    """Yield the parts of `text` between marks that are no quotation from a related language."""
    for pair in pack.quoted.brackets:
        opened, closed = map(regex.escape, pair)
        text = regex.sub(f"{opened}[^{closed}]*{closed}", "\n", text)
    for phrase in pack.quoted.phrases:
        text = text.replace(phrase, "\n")
    quotable = set(pack.quoted.letters)
    for stretch in _BREAK.split(text):
        quoted = quotable and all(char in quotable for char in stretch if is_letter(char))
        if not (quoted and len(_WORD.findall(stretch)) >= pack.quoted.words):
            yield stretch


def _could_be(text: str, count: LetterCount, pack: Pack) -> bool:
    """Tell whether a text that lacks distinctive letters is only too short to have one.

    Where there are none the classifier must name the language.
    """
    short = count.total < MIN_DISTINCTIVE_LETTERS and count.in_script == count.total
    if not short or not all(char in pack.script.letters for char in text if is_letter(char)):
        return False
    script = pack.script
    classifier = _restricted_classifier(frozenset({pack.code, *script.neighbours}))
    named = classifier is None or classifier.classify(text)[0] in (pack.code, *script.classified_as)
    return bool(script.distinctive) or named


def _is_foreign(text: str, pack: Pack) -> bool:
    """Tell whether a text has function words of neighbours, or of this language backwards, beside few own.

    Backwards stands what was copied in visual order, as from PDF files: "ںیہ ےہر" for "رہے ہیں".
    """
    words = split_words(text, pack)
    known, *others = _telling_words(pack)
    if all(other.isdisjoint(words) for other in others):
        return False
    own, foreign, backwards = (sum(map(some.__contains__, words)) for some in (known, *others))
    least = pack.script.function_word_share * len(words)
    if foreign and (own < least or 2 * foreign >= max(own, 2 * MIN_FOREIGN_WORDS)):
        return True
    return backwards >= max(MIN_FOREIGN_WORDS, least) and backwards > own


@functools.lru_cache(maxsize=MAX_CACHED_PACKS)
def _telling_words(pack: Pack) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return function words of the language, of its neighbours, and its own backwards."""
    own = phrase_words(pack.script.function_words, pack)
    neighbours = phrase_words(pack.script.neighbour_words, pack)
    return own, neighbours, frozenset(word[::-1] for word in own)


def function_word_share(text: str, pack: Pack, mixed: bool = True) -> float | None:
    """Return the share of the pack's function words, or None where it has none or the text too few words.

    Without `mixed` all words are known to be in the pack's script.
    """
    if not pack.script.function_words:
        return None
    return _word_share(
        text, pack, phrase_words(pack.script.function_words, pack), pack.script.name if mixed else ""
    )


def _word_share(text: str, pack: Pack, wanted: frozenset[str], script: str) -> float | None:
    words = split_words(text, pack)
    hits = sum(map(wanted.__contains__, words))
    if script:
        words = [word for word in words if in_script(word[0], script)]
    return hits / len(words) if len(words) >= MIN_WORDS else None


def _is_romanised(text: str, pack: Pack) -> bool:
    head = [char for char in text[:HEAD_CHARS] if is_letter(char)]
    roman = pack.roman
    if roman is None or 2 * sum(in_script(char, roman.script) for char in head) <= len(head):
        return False
    script = "" if text.isascii() else roman.script
    share = _word_share(text, pack, frozenset(roman.function_words), script)
    return share is not None and share >= roman.function_word_share


def _classify(text: str, counts: Mapping[Pack, LetterCount], packs: Sequence[Pack]) -> str:
    """Ask the classifier, restricted to the candidates and their neighbours.

    A language that it does not know is identified by its function words, unless they or the classifier speak
    for a neighbour. Where distinctive letters prove that look-alikes were typed, the classifier is shown the
    right ones.
    """
    unknown = [pack for pack in packs if pack.code not in language_classifier().labels]
    denied = []
    for pack in unknown:
        share, least = function_word_share(text, pack), pack.script.function_word_share
        if (least and share is not None and share >= least) or not pack.script.neighbours:
            if not _is_of_neighbour(text, counts[pack], pack, share or 0.0):
                return pack.code
            denied.append(pack)
    codes = {pack.code for pack in packs if pack not in unknown}
    classifier = _restricted_classifier(frozenset(codes.union(*(pack.script.neighbours for pack in packs))))
    if classifier is None:
        return "undecided"
    for pack in packs:
        if counts[pack].distinctive and not pack.lookalikes.keys().isdisjoint(text):
            text = text.translate({ord(wrong): right for wrong, right in pack.lookalikes.items()})
    language = str(classifier.classify(text)[0])
    return language if language in codes else "undecided" if len(unknown) > len(denied) else "other"


def _is_of_neighbour(text: str, count: LetterCount, pack: Pack, share: float) -> bool:
    """Tell whether a text with the function words of a language unknown to the classifier is a neighbour's.

    It lacks the distinctive letters, or the classifier names a language that it does not name for texts of
    this one, or a shipped pack of a neighbour has more of its own function words in it.
    """
    script = pack.script
    if script.distinctive and not count.distinctive and count.total >= MIN_DISTINCTIVE_LETTERS:
        return True
    classifier = _restricted_classifier(frozenset({*script.neighbours, *script.classified_as}))
    if script.classified_as and classifier and classifier.classify(text)[0] not in script.classified_as:
        return True
    shipped = shipped_packs()
    others = (load_pack(code) for code in script.neighbours if code in shipped)
    own = share / (script.function_word_share or 1.0)
    return any(
        (function_word_share(text, other) or 0) / other.script.function_word_share > own for other in others
    )


@functools.cache
def _restricted_classifier(candidates: frozenset[str]) -> LanguageIdentifier | None:
    """Return a classifier for these languages, or None where it knows none of them."""
    classifier = copy.copy(language_classifier())
    known = candidates & set(classifier.labels)
    classifier.set_languages(known)
    return classifier if known else None


@functools.cache
def language_classifier() -> LanguageIdentifier:
    """Return the classifier with all the languages that it knows."""
    return LanguageIdentifier.from_model_file(MODEL_FILE)
