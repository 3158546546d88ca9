"""The choices that a question offers, and whether an answer is one of them. Every table is the pack's.

    "کون سا ساز الگ ہے؟ (الف) رباب (ب) طبلہ (ج) سارنگی"      → رباب, طبلہ, سارنگی ("which one differs?")
    "جواب: (ب) طبلہ", "ب", "طبلہ", "دوسرا"                    one of them        "جواب: (د)", "ڈھول"      none

A list is offered if its letters or numbers begin a series and go on in order, no letter comes twice, no item
but the last asks something itself, and one of these holds. The question asks to choose; or it leads up to a
lettered list with a mark, ends with it and wants one exact answer; or nothing but three short names or more
follow a question that is not about them as a whole. Other lists may be steps, parts of a task or what is
given. An answer is rejected only if it names none, a letter that is not offered, or a letter with another
choice's text. It may name one by its order ("the second"), and "none of these" or "all of these" in other
words, where that is a choice. Where neither is, "all", "both" or "the three" may be right.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from alif.language.answers.answer_words import answer_tokens
from alif.language.answers.ordinals import LAST, find_ordinals
from alif.language.answers.quantities import find_quantities
from alif.language.normalisation import fold_text, phrase_words, split_words
from alif.language.pack import Pack
from alif.language.text import find_phrase, split_sentences

__all__ = ["OfferedChoices", "find_choices", "invalid_choice", "is_label_offered", "read_choice"]

MIN_CHOICES = 2
MIN_BARE_CHOICES, MAX_BARE_WORDS = 3, 4
"""Choices of a question that does not ask to choose, and words of each."""
MAX_NAMING_WORDS = 6
"""Of an answer that can only name one of such choices; a longer one may say something about them."""
MAX_NUMBER = 9
MIN_LONG_WORDS, MIN_SHARED = 3, 2 / 3
"""Words of a long choice, and the share of them that names it: an answer may say it in its own grammar."""

_LABEL = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])(?:(?P<open>[(\[{])\s*)?(?P<name>[\p{L}\p{M}]{1,4}|\p{Nd})"
    r"(?P<close>\s*[)\]}]|[.:\u06d4\u0964\-\u2013](?=[\s*_]))"
)
"""A letter or digit as a list has it: (A), A), A., A: and the like."""
_CLOSING = ")]}"
_LINE_START = regex.compile(r"(?:^|\n)[\s*_>-]*$")
_QUESTION_MARK = regex.compile(r"[?؟]")
_QUESTION_ENDS = regex.compile(r"[?؟][\s*_]*$")
_SEVERAL = regex.compile(r"[،,;؛/\n]")
_LEADS_UP = regex.compile(r"(?:^|[:?؟،,…_\u06d4\u0964.\n])[\s*_]*$")


@dataclass(frozen=True)
class OfferedChoices:
    """A list to choose from."""

    names: tuple[str, ...]  # as they are lettered
    texts: tuple[str, ...]
    bare: bool = False  # whether nothing but the shape of the question says that they are choices

    def __str__(self) -> str:
        return ", ".join(f"({name}) {value}" for name, value in zip(self.names, self.texts, strict=True))


@dataclass(frozen=True)
class _Label:
    """A letter or number that may begin a choice."""

    series: int
    place: int
    name: str
    start: int
    end: int


def find_choices(text: str, pack: Pack, exact: bool) -> OfferedChoices | None:
    """Return the choices that a question offers, or None; `exact` if one exact answer is wanted."""
    asked = find_phrase(text, pack.choices.asks, pack) is not None
    labels = _find_labels(text, pack)
    for series in range(len(pack.choices.letters) + 1):
        some = [label for label in labels if label.series == series]
        if len(some) < MIN_CHOICES or [label.place for label in some] != list(range(len(some))):
            continue
        last, *after = split_sentences(text[some[-1].end :], pack) or [""]
        items = [text[label.end : following.start] for label, following in pairwise(some)]
        items = [item.strip(" \n\t،,؛;*_") for item in (*items, last)]
        if not all(split_words(item, pack) for item in items) or any(map(_QUESTION_MARK.search, items[:-1])):
            continue
        before, ends = text[: some[0].start], not "".join(after)
        lettered = series < len(pack.choices.letters)
        led_up = exact and lettered and ends and _LEADS_UP.search(before) is not None
        # Bare: short names right after a question that is not about them as a whole, none with a number,
        # which may be what the question gives.
        bare = not asked and not led_up and ends and len(items) >= MIN_BARE_CHOICES
        bare = bare and _QUESTION_ENDS.search(before) is not None
        bare = bare and not find_phrase(before, pack.choices.collective_words, pack)
        bare = bare and all(len(split_words(item, pack)) <= MAX_BARE_WORDS for item in items)
        bare = bare and not any(find_quantities(item, pack) for item in items)
        if asked or led_up or bare:
            return OfferedChoices(tuple(label.name for label in some), tuple(items), bare)
    return None


def invalid_choice(answer: str, offered: OfferedChoices, pack: Pack) -> str:
    """Say how an answer is none of the choices; "" if it is one or cannot be judged."""
    named = _named_choices(answer, len(offered.names), pack)
    said = _said_choices(answer, offered, pack)
    none = f"{answer.strip()} is none of {offered}"
    if not named and not said:
        words = split_words(answer, pack)
        joined = not phrase_words(pack.phrases.conjunctions, pack).isdisjoint(words)
        name = len(words) <= MAX_NAMING_WORDS and not joined and not _SEVERAL.search(answer.strip())
        unclear = offered.bare and not (
            name and not find_quantities(answer, pack)
        )  # a sentence, a list, a number
        return "" if unclear or _names_several(answer, offered, pack) else none
    if len(named) != 1:
        return ""
    place, rest = next(iter(named.items()))
    if place >= len(offered.names):
        return "" if said and not rest else none
    tokens = answer_tokens(rest, pack)
    options = [answer_tokens(option, pack) for option in offered.texts]
    begun = [other for other, words in enumerate(options) if words and tokens[: len(words)] == words]
    if len(begun) == 1 and begun[0] != place:
        return f"({offered.names[place]}) with the text of ({offered.names[begun[0]]}): {rest.strip()}"
    return ""


def read_choice(answer: str, offered: OfferedChoices, pack: Pack) -> int | None:
    """Return the place of the one choice that an answer names, by letter, order or text; None: unreadable."""
    named = _named_choices(answer, len(offered.names), pack).keys() & set(range(len(offered.names)))
    said = _said_choices(answer, offered, pack)
    found = named & said or named or said
    return found.pop() if len(found) == 1 else None


def _names_several(answer: str, offered: OfferedChoices, pack: Pack) -> bool:
    """Tell whether an answer names several: "all", where no choice says that or "none"; "both A and C"."""
    if kind := _all_or_none(answer, pack):
        return kind == "all" and not any(_all_or_none(option, pack) for option in offered.texts)
    choices = pack.choices  # "this is B" and "of these, B" pick one
    picking = phrase_words(choices.words + choices.asks + choices.none_of, pack)
    joining = (word for word in choices.collective_words if picking.isdisjoint(phrase_words((word,), pack)))
    return find_phrase(answer, joining, pack) is not None


def is_label_offered(label: str, text: str, pack: Pack) -> bool:
    """Tell whether a request names a label, perhaps inflected: the last letter of a word may differ."""
    stems = [word[:-1] if len(word) > 2 else word for word in split_words(label, pack)]  # ملا جلا, ملے جلے
    words = split_words(text, pack)
    return any(
        all(
            word.startswith(stem) and len(word) <= len(stem) + 2
            for stem, word in zip(stems, words[start:], strict=False)
        )
        for start in range(len(words) - len(stems) + 1)
    )


@functools.lru_cache
def _places(pack: Pack) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return folded letter or digit → every (series, place) that it has; numbers are the last series."""
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    numbers = tuple(str(number) for number in range(1, MAX_NUMBER + 1))
    for series, letters in enumerate((*pack.choices.letters, numbers)):
        for place, letter in enumerate(letters):
            folded = fold_text(letter, pack)
            found[folded] = (*found.get(folded, ()), (series, place))
    return found


def _find_labels(text: str, pack: Pack) -> list[_Label]:
    """Return every letter or number that is set like the beginning of a choice."""
    found: list[_Label] = []
    for match in _LABEL.finditer(text):
        start, before = match.start(), text[match.start() - 1 : match.start()]
        apart = start == 0 or before.isspace() or before in "*_"
        if match["close"].strip() in _CLOSING or (apart and not match["open"]):
            places = _places(pack).get(fold_text(match["name"], pack), ())
            found += [_Label(series, place, match["name"], start, match.end()) for series, place in places]
    return found


def _named_choices(answer: str, count: int, pack: Pack) -> dict[int, str]:
    """Return the places of the choices whose letter or number the answer names, each with the text behind it.

    A letter counts in brackets, at the beginning of a line, behind a word such as "option" or alone among
    such words.
    """
    found: dict[int, str] = {}
    for label in _find_labels(answer, pack):
        begins = bool(_LINE_START.search(answer[: label.start]))
        bracketed = answer[label.end - 1] in _CLOSING
        lettered = label.series < len(pack.choices.letters)
        if (begins or bracketed) and (label.place < count or (begins and lettered)):
            found[label.place] = answer[label.end :]
    if found:
        return found
    filler, between = phrase_words(pack.choices.words, pack), phrase_words(pack.phrases.conjunctions, pack)
    words, places = split_words(answer, pack), _places(pack)
    named: Sequence[str] = [word for word in words if word not in filler | between]
    if not named or not all(word in places for word in named):
        pairs = ((before, word) for before, word in pairwise(words) if before in filler)
        named = [word for _, word in pairs if word in places and word not in filler]
    if named:
        return {places[word][0][1]: "" for word in named}
    ordinals = find_ordinals(answer, pack)
    return {count - 1 if place == LAST else place: "" for place in ordinals}


def _all_or_none(text: str, pack: Pack) -> str:
    """Return "none" or "all" if a text says that of the choices and nothing else, else ""."""
    filler = phrase_words(pack.choices.words, pack)

    def content(value: str) -> list[str]:
        return [word for word in split_words(value, pack) if word not in filler]

    said, kinds = content(text), {"none": pack.choices.none_of, "all": pack.choices.all_of}
    return next((kind for kind, ways in kinds.items() if said and said in map(content, ways)), "")


def _said_choices(answer: str, offered: OfferedChoices, pack: Pack) -> set[int]:
    """Return the places of the choices whose text the answer says."""
    given, kind = set(answer_tokens(answer, pack)), _all_or_none(answer, pack)
    found = set()
    for place, option in enumerate(offered.texts):
        words = answer_tokens(option, pack)
        shared = sum(word in given for word in words) / max(len(words), 1)
        says = shared == 1 or (len(words) >= MIN_LONG_WORDS and shared >= MIN_SHARED)
        says = says or (bool(given) and given <= set(words))
        if kind and (own_kind := _all_or_none(option, pack)):
            says = kind == own_kind
        if says:
            found.add(place)
    return found
