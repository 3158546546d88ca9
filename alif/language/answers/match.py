"""Do two answers say the same? From strict to loose, each tier by itself; every table is the pack's.

    em           the same words, numbers and units     "۱٬۲۰۰ روپے" = "بارہ سو روپے" ("1,200 rupees")
    em_nospace   the same letters, spaces apart        "اسلامآباد" = "اسلام آباد" ("Islamabad")
    items        the same items in another order       "علی اور سارہ" = "سارہ، علی"
    contains     the reference in a longer answer      "کراچی" in "یہ شہر کراچی ہے", not in "کراچی نہیں"
    number       the same last number, no other unit   "کل 420" = "420 روپے"
    choice       the same choice                       "جواب (ب) ہے" = "دوسرا آپشن" ("the second option")

Before words are compared they are folded (letters, marks, digits, case), numbers are read in every way to
write them, units take one name, and the pack's spellings apply: words written together or apart.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import regex

from alif.language.answers.answer_words import answer_tokens
from alif.language.answers.ordinals import LAST, find_ordinals
from alif.language.answers.stated_value import stated_value
from alif.language.answers.value_reader import CACHED_ANSWERS, find_values
from alif.language.answers.values import is_same_value
from alif.language.normalisation import fold_text, phrase_words, split_words
from alif.language.pack import Pack

__all__ = [
    "SIGNATURE", "Match", "clause_mark", "compare_answers", "contains_answer", "is_measured",
    "is_same_choice", "is_same_list", "is_same_number", "is_same_text", "match_choice",
]  # fmt: skip

SIGNATURE = (
    "NFC, pack letters, marks, digits, case folded|numbers, dates and times read|units named|pack spellings|"
    "punctuation is space"
)
"""What is done to both sides before they are compared, for a metric's signature."""

_LETTERED = regex.compile(
    r"[\s*_(\[\"'«“]*(?P<letter>[\p{L}\p{M}]+)[*_]*\s*\p{P}+[*_]*\s*(?P<rest>.*)", regex.S
)
_BRACKETED = regex.compile(r"[(\[]\s*([\p{L}\p{M}]+)\s*[)\]]")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_LIST_MARK = regex.compile(r"[،,;؛\n]+")
_BULLET = regex.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)۔:])\s+", regex.M)


@dataclass(frozen=True)
class Match:
    """How an answer compares with a reference: looser tiers when they are asked for; None: it has none."""

    answer: str
    reference: str
    pack: Pack = field(repr=False)
    em: bool

    @functools.cached_property
    def em_nospace(self) -> bool:
        return is_same_text(self.answer, self.reference, self.pack, spaces=False)

    @functools.cached_property
    def items(self) -> bool:
        return is_same_list(self.answer, self.reference, self.pack)

    @functools.cached_property
    def contains(self) -> bool:
        return contains_answer(self.answer, self.reference, self.pack)

    @functools.cached_property
    def number(self) -> bool | None:
        return is_same_number(self.answer, self.reference, self.pack)

    @functools.cached_property
    def choice(self) -> bool | None:
        return is_same_choice(self.answer, self.reference, self.pack)

    @property
    def equal(self) -> bool:
        """Whether a reader would call them the same."""
        if self.choice is not None:
            return self.choice
        if self.em or self.number is False:
            return self.em
        return self.em_nospace or self.items or self.contains or bool(self.number)


def compare_answers(answer: str, reference: str, pack: Pack) -> Match:
    """Compare an answer with a reference on every tier."""
    return Match(answer, reference, pack, is_same_text(answer, reference, pack))


def is_same_text(one: str, other: str, pack: Pack, spaces: bool = True) -> bool:
    """Tell whether both are the same words and numbers; without `spaces`, the same letters and numbers."""
    left, right = answer_tokens(one, pack), answer_tokens(other, pack)
    return left == right if spaces else "".join(left) == "".join(right)


def is_same_list(one: str, other: str, pack: Pack) -> bool:
    """Tell whether both list the same items, two or more, in whatever order."""
    wanted = _list_items(other, pack)  # of a reference, which was read before and mostly is no list
    return len(wanted) > 1 and sorted(_list_items(one, pack)) == sorted(wanted)


@functools.lru_cache(maxsize=CACHED_ANSWERS)
def _list_items(text: str, pack: Pack) -> tuple[str, ...]:
    items: list[list[str]] = []
    for piece in _LIST_MARK.split(_BULLET.sub("", text) if "\n" in text else text):
        items.append([])
        for word in answer_tokens(piece, pack):
            if word in pack.phrases.conjunctions:
                items.append([])
            else:
                items[-1].append(word)
    return tuple(" ".join(item) for item in items if item)


def contains_answer(answer: str, reference: str, pack: Pack) -> bool:
    """Tell whether the reference's words occur in the answer one after another.

    An answer that denies something in the same clause, names alternatives or lists more, where the reference
    does not, says something else. A reference that is a number must be the last one: the numbers before it
    are the working.
    """
    given, wanted = answer_tokens(answer, pack), answer_tokens(reference, pack)
    if not wanted or len(wanted) > len(given) or f" {' '.join(wanted)} " not in f" {' '.join(given)} ":
        return False
    own = set(wanted)
    if _turning_words(pack.phrases.alternatives, pack).intersection(given) - own:
        return False
    joining = {*pack.phrases.conjunctions}
    if joining.intersection(given) and not joining & own:
        items = _list_items(answer, pack)
        if len(items) > 1 and " ".join(wanted) in items:
            return False
    denying = _turning_words(pack.phrases.negations, pack) - own
    clauses = [answer_tokens(clause, pack) for clause in clause_mark(pack).split(answer)]
    saying = [clause for clause in clauses if f" {' '.join(wanted)} " in f" {' '.join(clause)} "]
    bare = [clause for clause in clauses if not set(clause) - denying]  # "Karachi? No"
    if any(denying.intersection(clause) for clause in [*(saying or [given]), *bare]):
        return False
    numbers = [word for word in wanted if word.startswith("#")]
    return len(numbers) < len(wanted) or [word for word in given if word.startswith("#")][-1:] == numbers[-1:]


@functools.lru_cache
def clause_mark(pack: Pack) -> regex.Pattern[str]:
    """Return the pattern of what ends a clause: a mark, or the word before what is right instead."""
    words = "|".join(map(regex.escape, pack.phrases.corrections)) or "(?!)"
    return regex.compile(rf"[،,;؛۔।:.!?؟()\n]+(?!\d)|(?<![\p{{L}}\p{{M}}])(?:{words})(?![\p{{L}}\p{{M}}])")


@functools.lru_cache(maxsize=64)
def _turning_words(phrases: tuple[str, ...], pack: Pack) -> frozenset[str]:
    return frozenset(word for phrase in phrases for word in answer_tokens(phrase, pack))


def _says_opposite(answer: str, reference: str, pack: Pack) -> bool:
    """Tell whether an answer has the opposite of a word of the reference: a loss of 20 rupees, a profit."""
    given, wanted = ({*split_words(text, pack)} for text in (answer, reference))
    sides = [(phrase_words(one, pack), phrase_words(other, pack)) for one, other in pack.phrases.opposites]
    return any(
        (wanted & one and given & other and not given & one and not wanted & other)
        for pair in sides
        for one, other in (pair, pair[::-1])
    )


def _counts_other(answer: str, reference: str, pack: Pack) -> bool:
    """Tell whether both are a number with one noun, and not the same noun: 3 mangoes, 3 apples."""
    frame = phrase_words(pack.choices.words + pack.statements.frame + pack.statements.after, pack)
    sides = [
        [word for word in answer_tokens(text, pack) if word not in frame] for text in (answer, reference)
    ]
    place = 0 if pack.numbers.scale_first else -1
    if any(len(side) != 2 or side[-1 - place][0] != "#" or side[place][0] in "#%@" for side in sides):
        return False
    one, other = (side[place] for side in sides)
    return not (one.startswith(other[:3]) or other.startswith(one[:3]))


def is_same_number(answer: str, reference: str, pack: Pack) -> bool | None:
    """Tell whether the numbers that both state are equal; None where the reference is no single number.

    A reference of a number with more than two words beside it is a sentence, not a number.
    """
    wanted = find_values(reference, pack)
    beside = [word for word in answer_tokens(reference, pack) if word[0] not in "#%@"]
    if len(wanted) != 1 or len(beside) > 2 or (wanted[0].ambiguous and beside):
        return None
    if wanted[0].kind == "ordinal" and beside:
        return None
    other = _says_opposite(answer, reference, pack) or ("±" in answer) != ("±" in reference)
    given = None if other or _counts_other(answer, reference, pack) else stated_value(answer, wanted[0], pack)
    if given is None or (beside and given.kind == "ordinal"):
        return False  # "the 8th class" is not 8 classes
    if given.percent != wanted[0].percent:  # "40 % of the pupils" are not 40 pupils
        said = answer_tokens(answer, pack)
        frame = phrase_words(pack.choices.words + pack.numbers.operators, pack)
        nouns = [word for word in said if word[0] not in "#%@" and word not in frame]
        counted = 0 < len(nouns) < 3 and said[-1 if pack.numbers.scale_first else 0].startswith("#")
        if beside if given.percent else counted:
            return False
    return is_same_value(given, wanted[0])


def is_measured(reference: str, pack: Pack) -> bool:
    """Tell whether a reference is a number or names a choice, and is not found word by word."""
    numbers, choices = is_same_number("", reference, pack), is_same_choice("", reference, pack)
    return numbers is not None or choices is not None


def match_choice(text: str, pack: Pack) -> tuple[int, str] | None:
    """Return (place of the choice from 0, the text behind its letter), or None if none or several are named.

    Recognised are a letter alone or among words such as "answer is", a letter with a bracket or point before
    its text, a letter in brackets, a letter right behind such a word, and an ordinal ("the second option").
    How many choices there are is not known here, so "the last" names none.
    """
    if lettered := _match_letter(text, pack):
        return lettered
    places = find_ordinals(text, pack)
    return (places.pop(), "") if len(places) == 1 and LAST not in places else None


@functools.lru_cache(maxsize=CACHED_ANSWERS)
def _match_letter(text: str, pack: Pack) -> tuple[int, str] | None:
    letters, filler = _choice_letters(pack), phrase_words(pack.choices.words, pack)
    words = split_words(text, pack)
    named = [word for word in words if word in letters]
    if len(named) == 1 and all(word in filler for word in words if word not in letters):
        return letters[named[0]], ""
    begin = _LETTERED.match(text)
    if begin and not begin["letter"].islower() and (letter := fold_text(begin["letter"], pack)) in letters:
        return letters[letter], begin["rest"]
    bracketed = (fold_text(word, pack) for word in _BRACKETED.findall(text))
    found = {letters[word] for word in bracketed if word in letters}
    if not found and len({letters[word] for word in named if word not in filler}) == 1:
        raw = _WORD.findall(text)
        folded = [fold_text(word, pack) for word in raw]
        for before, word, written in zip(folded, folded[1:], raw[1:], strict=False):
            if before in filler and word in letters and word not in filler and not written.islower():
                found.add(letters[word])  # right behind "answer"; "a" in a sentence is no choice
    return (found.pop(), "") if len(found) == 1 else None


@functools.lru_cache
def _choice_letters(pack: Pack) -> dict[str, int]:
    """Return folded letter → its place in its series."""
    return {
        fold_text(letter, pack): place
        for series in pack.choices.letters
        for place, letter in enumerate(series)
    }


@functools.lru_cache
def _denied_letter(pack: Pack) -> regex.Pattern[str]:
    """Return the pattern of a letter with the word that denies it: "not B"."""
    letters = "|".join(regex.escape(letter) for series in pack.choices.letters for letter in series) or "(?!)"
    denials = "|".join(map(regex.escape, pack.phrases.denials)) or "(?!)"
    one, other = rf"[(\[]?\b(?:{letters})\b[)\]]?", rf"\b(?:{denials})\b"
    order = rf"{other}\s+{one}" if pack.phrases.negation_precedes else rf"{one}\s+{other}"
    return regex.compile(order)


def is_same_choice(answer: str, reference: str, pack: Pack) -> bool | None:
    """Tell whether both name the same choice, by letter, order or text; None if the reference names none."""
    wanted = _match_letter(reference, pack)  # "first" as a reference is what it says, not a choice
    if wanted is None:
        return None
    given = match_choice(_denied_letter(pack).sub(" ", answer), pack)
    place, text = wanted
    if given is None:
        return bool(text) and (
            is_same_text(answer, text, pack, spaces=False) or contains_answer(answer, text, pack)
        )
    if given[1] and text and not is_same_text(given[1], text, pack, spaces=False):
        return False
    return given[0] == place
