"""Do two answers say the same? From strict to loose, each tier by itself; every table is the pack's.

    em           the same words, numbers and units            "۱٬۲۰۰ روپے" = "بارہ سو روپے" ("1,200 rupees")
    em_nospace   the same letters, spaces apart               "اسلامآباد" = "اسلام آباد" ("Islamabad")
    items        the same things in another order             "علی اور سارہ" = "سارہ، علی"
    contains     the reference inside a longer answer         "کراچی" in "یہ شہر کراچی ہے", not in "کراچی نہیں، لاہور"
    number       the same last number, no other unit          "کل 420" = "420 روپے"
    choice       the same choice                              "جواب (ب) ہے" = "B", "دوسرا آپشن" ("the second option") = "B"

Nothing is written back into a text. Before words are compared they are folded (letters, marks, digits, case), numbers are
read in every way to write them, units take one name, and the pack's spellings apply: words written together or apart.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction

import regex

from alif.errors import PackError
from alif.language import text as texts
from alif.language.answers.ordinals import LAST, find_ordinals, phrase_words
from alif.language.answers.quantities import Quantity, find_quantities
from alif.language.normalisation import fold_text
from alif.language.pack import Pack

__all__ = [
    "SIGNATURE",
    "Match",
    "answer_tokens",
    "compare_answers",
    "contains_answer",
    "is_same_list",
    "is_same_number",
    "is_same_text",
    "match_choice",
]

SIGNATURE = "NFC, pack letters, marks, digits, case folded|numbers read|units named|pack spellings|punctuation is space"
"""What is done to both sides before they are compared, for a metric's signature."""
MOST_PASSES = 4
"""How often the spellings are applied: what one leaves, another may change."""
MAX_SPELLING_S = 5
"""One spelling in one text: with a backtracking pattern the time doubles with every letter."""

_MARK = regex.compile(r"[\s*_(\[\"'«“]*")
_LETTERED = regex.compile(r"(?P<letter>[\p{L}\p{M}]+)[*_]*\s*\p{P}+[*_]*\s*(?P<rest>.*)", regex.S)
_BRACKETED = regex.compile(r"[(\[]\s*([\p{L}\p{M}]+)\s*[)\]]")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_SPLIT = regex.compile(r"[،,;؛\n]+")


@dataclass(frozen=True)
class Match:
    """How an answer compares with a reference, tier by tier; None where the reference asks for nothing of the kind."""

    em: bool
    em_nospace: bool
    items: bool
    contains: bool
    number: bool | None
    choice: bool | None

    @property
    def equal(self) -> bool:
        """Whether a reader would call them the same."""
        if self.choice is not None:
            return self.choice
        if self.number is False:
            return False
        return self.em or self.em_nospace or self.items or self.contains or bool(self.number)


def compare_answers(answer: str, reference: str, pack: Pack) -> Match:
    """Compare an answer with a reference on every tier."""
    return Match(
        em=is_same_text(answer, reference, pack),
        em_nospace=is_same_text(answer, reference, pack, spaces=False),
        items=is_same_list(answer, reference, pack),
        contains=contains_answer(answer, reference, pack),
        number=is_same_number(answer, reference, pack),
        choice=_same_choice(answer, reference, pack),
    )


def is_same_text(one: str, other: str, pack: Pack, spaces: bool = True) -> bool:
    """Tell whether both are the same words and numbers; without `spaces`, whether they are once no space counts."""
    left, right = answer_tokens(one, pack), answer_tokens(other, pack)
    return left == right if spaces else "".join(left) == "".join(right)


def is_same_list(one: str, other: str, pack: Pack) -> bool:
    """Tell whether both list the same things, two or more, in whatever order."""
    left, right = _items(one, pack), _items(other, pack)
    return len(left) > 1 and sorted(left) == sorted(right)


def _items(text: str, pack: Pack) -> list[str]:
    found: list[str] = []
    for piece in _SPLIT.split(text):
        words = answer_tokens(piece, pack)
        item: list[str] = []
        for word in (*words, *pack.phrases.conjunctions[:1]):
            if word in pack.phrases.conjunctions:
                found += [" ".join(item)] if item else []
                item = []
            else:
                item.append(word)
        found += [" ".join(item)] if item else []
    return found


def contains_answer(answer: str, reference: str, pack: Pack) -> bool:
    """Tell whether the reference's words stand in the answer one after another.

    An answer that denies something, or names alternatives, where the reference does not, says something else. A reference that
    is a number must be the last one: the numbers before it are the working.
    """
    given, wanted = answer_tokens(answer, pack), answer_tokens(reference, pack)
    turning = {
        word
        for phrase in (*pack.phrases.negations, *pack.phrases.alternatives)
        for word in answer_tokens(phrase, pack)
    }
    if not wanted or len(wanted) > len(given) or turning.intersection(given) - set(wanted):
        return False
    if f" {' '.join(wanted)} " not in f" {' '.join(given)} ":
        return False
    numbers = [word for word in wanted if word.startswith("#")]
    return len(numbers) < len(wanted) or [word for word in given if word.startswith("#")][-1:] == numbers[-1:]


def is_same_number(answer: str, reference: str, pack: Pack) -> bool | None:
    """Tell whether the last numbers are equal and no two units differ; None where the reference is no single number.

    A reference of a number with more than two words beside it is a sentence, not a number.
    """
    wanted = find_quantities(reference, pack)
    beside = [word for word in answer_tokens(reference, pack) if not _is_amount(word)]
    if len(wanted) != 1 or len(beside) > 2 or (wanted[0].weak and beside):
        return None
    given = _last(find_quantities(answer, pack))
    return given is not None and _equal(given, wanted[0])


def _last(every: list[Quantity]) -> Quantity | None:
    best = (
        [amount for amount in every if amount.digits]
        or [amount for amount in every if not amount.weak]
        or every
    )
    return best[-1] if best else None


def _equal(given: Quantity, wanted: Quantity) -> bool:
    if given.unit and wanted.unit and given.unit != wanted.unit:
        return False
    hundredth = Fraction(1, 100)
    value, right = given.value, wanted.value
    if given.percent != wanted.percent and value != right:  # 0.25 is 25 %
        value, right = (value * hundredth, right) if given.percent else (value, right * hundredth)
    return value == right or _rounded(value, right)


def _rounded(value: Fraction, right: Fraction) -> bool:
    """Tell whether one is the other cut or rounded to two decimals or more: 0.67 is two thirds."""
    plain = any(10**places % one.denominator == 0 for one in (value, right) for places in (2, 3, 4))
    endless = any(100000 % one.denominator for one in (value, right))
    return plain and endless and abs(value - right) < Fraction(1, 100)


def answer_tokens(text: str, pack: Pack) -> list[str]:
    """Return the words of an answer as they count: folded and respelled, numbers as "#1200", "%", units as "@rupee"."""
    found: list[str] = []
    place = 0
    for amount in find_quantities(text, pack):
        found += texts.split_words(text[place : amount.whole_start], pack)
        found.append(f"#{amount.value}")
        found += ["%"] if amount.percent else []
        found += [f"@{amount.unit}"] if amount.unit else []
        place = amount.whole_end
    found += texts.split_words(text[place:], pack)
    return _respelled(" ".join(found), pack).split()


def _is_amount(word: str) -> bool:
    return word[0] in "#%@"


def _respelled(spaced: str, pack: Pack) -> str:
    for _ in range(MOST_PASSES):
        before = spaced
        for pattern, replacement in _spellings(pack):
            try:
                spaced = " ".join(pattern.sub(replacement, spaced, timeout=MAX_SPELLING_S).split())
            except TimeoutError as error:
                where = f"{pack.folder / 'pack.toml'}: compare.spellings"
                raise PackError(
                    f"{where}: {pattern.pattern} takes over {MAX_SPELLING_S} s for one text",
                    r"Write it without a repetition in a repetition, such as (?:\w|\w\w)+.",
                ) from error
        if spaced == before:
            break
    return spaced


@functools.cache
def _spellings(pack: Pack) -> list[tuple[regex.Pattern[str], str]]:
    return [
        (regex.compile(rf"(?<!\S)(?:{pattern})(?!\S)"), replacement)
        for pattern, replacement in pack.compare.spellings.items()
    ]


def match_choice(text: str, pack: Pack) -> tuple[int, str] | None:
    """Return (place of the choice from 0, the text behind its letter), or None where no single choice is named.

    Read are a letter alone or among words such as "answer is", a letter with a bracket or point before its text, a letter
    in brackets, a letter right behind such a word, and an ordinal ("the second option"). How many choices there are is not
    known here, so "the last" names none.
    """
    return _lettered(text, pack) or _by_order(text, pack)


def _by_order(text: str, pack: Pack) -> tuple[int, str] | None:
    places = find_ordinals(text, pack)
    return (places.pop(), "") if len(places) == 1 and LAST not in places else None


def _lettered(text: str, pack: Pack) -> tuple[int, str] | None:
    letters = _letters(pack)
    filler = phrase_words(pack.choices.words, pack)
    words = texts.split_words(text, pack)
    named = [word for word in words if word in letters]
    if len(named) == 1 and all(word in filler for word in words if word not in letters):
        return letters[named[0]], ""
    begin = _LETTERED.match(text, _MARK.match(text).end())  # type: ignore[union-attr]  # matches the empty text
    if begin and fold_text(begin["letter"], pack) in letters and _capital(begin["letter"]):
        return letters[fold_text(begin["letter"], pack)], begin["rest"]
    found = {
        letters[fold_text(word, pack)]
        for word in _BRACKETED.findall(text)
        if fold_text(word, pack) in letters
    }
    if not found and len({letters[word] for word in named if word not in filler}) == 1:
        found = _behind_filler(text, letters, filler, pack)
    return (found.pop(), "") if len(found) == 1 else None


def _behind_filler(text: str, letters: dict[str, int], filler: frozenset[str], pack: Pack) -> set[int]:
    """Return the choices whose letter stands right behind a word such as "answer"."""
    raw = _WORD.findall(text)
    every = [fold_text(word, pack) for word in raw]
    return {
        letters[every[place]]
        for place in range(1, len(raw))
        if every[place - 1] in filler
        and every[place] in letters
        and every[place] not in filler
        and _capital(raw[place])
    }


def _capital(word: str) -> bool:
    """Tell whether a word could be a choice's letter: "a" in a sentence is none."""
    return not word.islower()


@functools.cache
def _letters(pack: Pack) -> dict[str, int]:
    return {
        fold_text(letter, pack): place
        for series in pack.choices.letters
        for place, letter in enumerate(series)
    }


def _same_choice(answer: str, reference: str, pack: Pack) -> bool | None:
    wanted = _lettered(reference, pack)  # "first" as a reference is what it says, not a choice
    if wanted is None:
        return None
    given = match_choice(answer, pack)
    if given is None:
        return bool(wanted[1]) and (
            is_same_text(answer, wanted[1], pack, spaces=False) or contains_answer(answer, wanted[1], pack)
        )
    if given[1] and wanted[1]:
        return given[0] == wanted[0] and is_same_text(given[1], wanted[1], pack, spaces=False)
    return given[0] == wanted[0]
