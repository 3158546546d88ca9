"""Options that a question offers, and whether an answer is one of them. Every table is the pack's.

    "کون سا ساز الگ ہے؟ (الف) رباب (ب) طبلہ (ج) سارنگی"      → رباب, طبلہ, سارنگی ("which instrument is different?")
    "جواب: (ب) طبلہ", "ب", "طبلہ", "دوسرا"                    one of them        "جواب: (د)", "ڈھول"      none

A list counts only where it is offered to choose from: it begins with the first letter or number of a series and goes on in
order, no letter comes twice, no item but the last asks something itself, and one of these holds. The question asks to choose;
or it leads up to a lettered list with a mark, ends with it and wants one exact answer; or nothing but three short names or
more stand behind a question that is not about them as a whole. Other lists may be steps, parts of a task or what is given.
An answer is doubted only if it names none, a letter that is not offered, or a letter with another option's text. It may name
one by its order ("the second"), and "none of these" or "all of these" in other words, where that is an option. Where neither
is, "all", "both" or "the three" may be right: the question may ask for several.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise

import regex

from alif.language import text as texts
from alif.language.answers.match import answer_tokens
from alif.language.answers.ordinals import LAST, find_ordinals, phrase_words
from alif.language.answers.quantities import find_quantities
from alif.language.normalisation import fold_text
from alif.language.pack import Pack

__all__ = ["OfferedChoices", "find_choices", "invalid_choice", "is_label_offered"]

FEWEST = 2
FEWEST_BARE = 3
"""Options of a question that does not ask to choose."""
LONGEST_NAME = 4
"""Words of an option of such a question."""
LONGEST_NAMING = 6
"""Words of an answer that can only name one of such options; a longer one may say something about them."""
MOST_NUMBERED = 9
NEARLY = 2 / 3
"""Share of a long option's words that names it: an answer may say it in its own grammar."""
LONG = 3
"""Words from which an option is long."""

_OPTION = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])(?:(?P<open>[(\[{])\s*)?(?P<name>[\p{L}\p{M}]{1,4}|\p{Nd})(?P<close>\s*[)\]}]|[.:\u06d4\u0964\-\u2013](?=[\s*_]))"
)
"""A letter or digit as a list has it: (A), A), A., A: and the like."""
_CLOSING = ")]}"
_LINE_START = regex.compile(r"(?:^|\n)[\s*_>-]*$")
_ASKS = regex.compile(r"[?؟]")
_QUESTION_ENDS = regex.compile(r"[?؟][\s*_]*$")
_SEVERAL = regex.compile(r"[،,;؛/\n]")
_LEADS_UP = regex.compile(r"(?:^|[:?؟،,…_\u06d4\u0964.\n])[\s*_]*$")


@dataclass(frozen=True)
class OfferedChoices:
    """A list to choose from."""

    names: tuple[str, ...]
    """As they are lettered."""
    texts: tuple[str, ...]
    bare: bool = False
    """Whether nothing but the shape of the question says that they are options."""

    def __str__(self) -> str:
        return ", ".join(f"({name}) {value}" for name, value in zip(self.names, self.texts, strict=True))


@dataclass(frozen=True)
class _Mark:
    """A letter or number that may begin an option."""

    series: int
    place: int
    name: str
    start: int
    end: int


def find_choices(text: str, pack: Pack, exact: bool) -> OfferedChoices | None:
    """Return the options that a question offers, or None; `exact` if one exact answer is wanted.

    Example: the question of this file's head → names الف, ب, ج.
    """
    asked = texts.find_phrase(text, pack.choices.asks, pack) is not None
    for series in range(len(pack.choices.letters) + 1):
        numbered = series == len(pack.choices.letters)
        marks = [mark for mark in _marks(text, pack) if mark.series == series]
        if len(marks) < FEWEST or [mark.place for mark in marks] != list(range(len(marks))):
            continue
        items, after = _items(text, marks, pack)
        if not all(texts.split_words(item, pack) for item in items) or any(map(_ASKS.search, items[:-1])):
            continue
        before = text[: marks[0].start]
        led_up = exact and not numbered and not after and _LEADS_UP.search(before) is not None
        bare = not (asked or led_up or after) and _only_names(before, items, pack)
        if asked or led_up or bare:
            return OfferedChoices(tuple(mark.name for mark in marks), tuple(items), bare)
    return None


def _only_names(before: str, items: list[str], pack: Pack) -> bool:
    """Tell whether a list that nobody asks to choose from can be nothing else than options: short names right after a question.

    Not if the question asks about them together, and not if a number is in one: those may be what it gives.
    """
    return (
        len(items) >= FEWEST_BARE
        and _QUESTION_ENDS.search(before) is not None
        and not texts.find_phrase(before, pack.choices.collective_words, pack)
        and all(
            len(texts.split_words(item, pack)) <= LONGEST_NAME and not find_quantities(item, pack)
            for item in items
        )
    )


def invalid_choice(answer: str, offered: OfferedChoices, pack: Pack) -> str:
    """Say how an answer is none of the options, "" if it is one or cannot be judged."""
    named = _named(answer, len(offered.names), pack)
    said = _said(answer, offered, pack)
    if not named and not said:
        if (offered.bare and not _names_one(answer, pack)) or _takes_several(answer, offered, pack):
            return ""
        return f"{answer.strip()} is none of {offered}"
    if len(named) != 1:
        return ""
    place, rest = next(iter(named.items()))
    if place >= len(offered.names):
        return "" if said and not rest else f"{answer.strip()} is none of {offered}"
    begins = [other for other in range(len(offered.texts)) if _begins(rest, offered.texts[other], pack)]
    if begins and place not in begins and len(begins) == 1:
        return f"({offered.names[place]}) with the text of ({offered.names[begins[0]]}): {rest.strip()}"
    return ""


def _names_one(answer: str, pack: Pack) -> bool:
    """Tell whether an answer is one name: no sentence, no number of them, nothing said of each."""
    words = texts.split_words(answer, pack)
    several = _SEVERAL.search(answer.strip()) or not phrase_words(pack.phrases.conjunctions, pack).isdisjoint(
        words
    )
    return len(words) <= LONGEST_NAMING and not several and not find_quantities(answer, pack)


def _takes_several(answer: str, offered: OfferedChoices, pack: Pack) -> bool:
    """Tell whether an answer speaks of options together: "all", where no option says that or "none"; "both A and C"."""
    if sweeping := _sweeping(answer, pack):
        return sweeping == "all" and not any(_sweeping(option, pack) for option in offered.texts)
    return texts.find_phrase(answer, _joining(pack), pack) is not None


@functools.cache
def _joining(pack: Pack) -> tuple[str, ...]:
    """Return the pack's words for things together, less those by which one is picked: "this is B", "of these, B"."""
    choices = pack.choices
    picking = phrase_words(choices.words + choices.asks + choices.none_of, pack)
    return tuple(word for word in choices.collective_words if picking.isdisjoint(phrase_words((word,), pack)))


def is_label_offered(label: str, text: str, pack: Pack) -> bool:
    """Tell whether a request names a label, be it in another case: all but the last letter of each word must stand there."""
    wanted = [
        word[:-1] if len(word) > 2 else word for word in texts.split_words(label, pack)
    ]  # ملا جلا is asked for as ملے جلے
    there = texts.split_words(text, pack)
    return any(
        all(
            word.startswith(stem) and len(word) <= len(stem) + 2
            for stem, word in zip(wanted, there[start:], strict=False)
        )
        for start in range(len(there) - len(wanted) + 1)
    )


@functools.cache
def _places(pack: Pack) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return folded letter or digit → every (series, place) that it has; numbers are the last series."""
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    numbers = tuple(str(number) for number in range(1, MOST_NUMBERED + 1))
    for series, letters in enumerate((*pack.choices.letters, numbers)):
        for place, letter in enumerate(letters):
            folded = fold_text(letter, pack)
            found[folded] = (*found.get(folded, ()), (series, place))
    return found


def _marks(text: str, pack: Pack) -> list[_Mark]:
    """Return every letter or number that is set like the beginning of an option."""
    found = []
    for match in _OPTION.finditer(text):
        closed = match["close"].strip() in _CLOSING
        if not closed and (match["open"] or not _apart(text, match.start())):
            continue
        for series, place in _places(pack).get(fold_text(match["name"], pack), ()):
            found.append(_Mark(series, place, match["name"], match.start(), match.end()))
    return found


def _apart(text: str, place: int) -> bool:
    return place == 0 or text[place - 1].isspace() or text[place - 1] in "*_"


def _items(text: str, marks: list[_Mark], pack: Pack) -> tuple[list[str], str]:
    """Return the texts behind the marks, and what follows the last one, which ends with its line or sentence."""
    pieces = [text[mark.end : following.start] for mark, following in pairwise(marks)]
    last, *after = texts.split_sentences(text[marks[-1].end :], pack) or [""]
    return [piece.strip(" \n\t،,؛;*_") for piece in (*pieces, last)], " ".join(after)


def _named(answer: str, count: int, pack: Pack) -> dict[int, str]:
    """Return the places of the options whose letter or number the answer names, each with the text behind it.

    Only one that stands in brackets, begins a line, stands behind a word such as "option" or alone among such words is named.
    """
    found: dict[int, str] = {}
    for mark in _marks(answer, pack):
        begins = bool(_LINE_START.search(answer[: mark.start]))
        bracketed = answer[mark.end - 1] in _CLOSING
        lettered = mark.series < len(pack.choices.letters)
        if (begins or bracketed) and (mark.place < count or (begins and lettered)):
            found[mark.place] = answer[mark.end :]
    by_order = (count - 1 if place == LAST else place for place in find_ordinals(answer, pack))
    return found or _spoken_names(answer, pack) or dict.fromkeys(by_order, "")


def _spoken_names(answer: str, pack: Pack) -> dict[int, str]:
    filler, between = phrase_words(pack.choices.words, pack), phrase_words(pack.phrases.conjunctions, pack)
    words, places = texts.split_words(answer, pack), _places(pack)
    alone = [word for word in words if word not in filler | between]
    if alone and all(word in places for word in alone):  # one, or several: those that fit, or in an order
        return {places[word][0][1]: "" for word in alone}
    behind = {
        word for before, word in pairwise(words) if before in filler and word in places and word not in filler
    }
    return {places[word][0][1]: "" for word in behind}


def _sweeping(text: str, pack: Pack) -> str:
    """Tell whether a text says "none" or "all" of the options and nothing else, "" if it does not."""
    filler = phrase_words(pack.choices.words, pack)

    def bare(value: str) -> list[str]:
        return [word for word in texts.split_words(value, pack) if word not in filler]

    said, ways = bare(text), {"none": pack.choices.none_of, "all": pack.choices.all_of}
    return next((kind for kind, phrases in ways.items() if said in map(bare, phrases)), "") if said else ""


def _said(answer: str, offered: OfferedChoices, pack: Pack) -> set[int]:
    """Return the places of the options whose text the answer says."""
    given, sweeping = set(answer_tokens(answer, pack)), _sweeping(answer, pack)
    found = set()
    for place, option in enumerate(offered.texts):
        words = answer_tokens(option, pack)
        shared = sum(word in given for word in words) / max(len(words), 1)
        says = shared == 1 or (len(words) >= LONG and shared >= NEARLY) or (given and given <= set(words))
        if sweeping and (kind := _sweeping(option, pack)):
            says = sweeping == kind
        if says:
            found.add(place)
    return found


def _begins(rest: str, option: str, pack: Pack) -> bool:
    words = answer_tokens(option, pack)
    return bool(words) and answer_tokens(rest, pack)[: len(words)] == words
