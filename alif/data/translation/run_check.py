"""What only many translations of one run show: names that one of them lost, ends that were cut off.

    Trump 12 rows  ─▶  ٹرمپ in 11 of them       the twelfth has lost a name
    length 1.02 of the original in the middle    0.55: cut off, or fields exchanged

Nothing here knows a language: which word stands for a name, how long a translation is and with which words
its sentences end is learned from the run's own rows.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex
from rapidfuzz.distance import Levenshtein

from alif.data.translation.check import QUESTION_MARKS, is_ended
from alif.language import text
from alif.language.pack import Pack
from alif.language.protected_spans import without_protected

__all__ = ["FieldPair", "find_names", "find_outliers", "is_like", "plain_words"]

MIN_ROWS = 20
"""Of a run, to learn a typical length and typical ends of sentences from."""
NAME_ROWS, NAME_SHARE, NAME_OWN = 5, 0.8, 0.6
"""A name in so many rows, of which this share has one word in common, most of whose rows have the name."""
SAME_WORD = 0.6
"""Least similarity of a name's word in another case."""
MIN_CHARS = 60
"""Of an original, for its translation's length to be typical of the run."""
OFTEN, NEVER = 100, 0.005
"""A word that occurs so often in a run, and ends at most this share of its texts, ends none."""
SHORT = {100: math.log(0.62), 60: math.log(0.55), 25: math.log(0.5)}
"""Length of a translation, relative to the run's, that is too short, by characters of the original."""
LONG, LONGER, SHORTER = math.log(2.0), math.log(1.1), math.log(0.85)
"""The same that is too long, and without a mark at the end: long enough, or short."""
EXCHANGED = 1.0
"""How much nearer to the run's length the fields are when they are exchanged, in natural logarithms."""
_NAME = regex.compile(r"(?<=\s)\p{Lu}\p{Ll}{2,}(?![\p{L}\p{M}])")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")


@dataclass(frozen=True)
class FieldPair:
    """A text and its translation: one field of a row."""

    row: int
    field: str
    before: str
    after: str


def find_outliers(
    pairs: Sequence[FieldPair], own: Pack, known: Pack, *, names: bool = True
) -> dict[int, tuple[str, str]]:
    """Return {row: (reason, evidence)} of rows that differ from the rest of the run.

    Without `names` these are left to the way back, which sees each of them.
    """
    found: dict[int, tuple[str, str]] = {}
    lengths = [math.log(len(one.after) / len(one.before)) for one in pairs if len(one.before) >= MIN_CHARS]
    middle = statistics.median(lengths) if len(lengths) >= MIN_ROWS else 0.0
    words = Counter(word for one in pairs for word in _WORD.findall(text.fold_text(one.after, own)))
    ends = Counter(_last_word(one.after, own) for one in pairs)
    never = {word for word, times in words.items() if ends[word] <= 1 + NEVER * times and times >= OFTEN}
    usual = {word for word, times in ends.items() if times > 1 and word not in never}
    for one in pairs:
        enough = len(lengths) >= MIN_ROWS
        last = _last_word(one.after, own)
        if fault := _find_cut(one, middle, last in usual, last in never, own, known, enough=enough):
            found.setdefault(one.row, fault)
    by_row: dict[int, list[FieldPair]] = defaultdict(list)
    for one in pairs:
        by_row[one.row].append(one)
    for row, fields in by_row.items():
        if _are_exchanged(fields, middle):
            found.setdefault(row, ("exchanged_fields", " and ".join(one.field for one in fields)))
    for row, name in _find_lost_names(by_row).items() if names else ():
        found.setdefault(row, ("lost_name", name))
    return found


def plain_words(texts: Iterable[str]) -> frozenset[str]:
    """Return the words that occur without a capital: no names."""
    return frozenset(word for value in texts for word in _WORD.findall(value) if word.islower())


def find_names(value: str, plain: frozenset[str]) -> set[str]:
    """Return the words with a capital that are not the first, and none of the `plain` ones."""
    return {name for name in _NAME.findall(value) if name.casefold() not in plain}


def is_like(name: str, words: Iterable[str]) -> bool:
    """Tell whether one of the words is a name in another spelling or case."""
    folded = name.casefold()
    return any(Levenshtein.normalized_similarity(folded, one) >= SAME_WORD for one in words)


def _last_word(value: str, own: Pack) -> str:
    return next(reversed(_WORD.findall(text.fold_text(value, own))), "")


def _find_cut(
    one: FieldPair, middle: float, usual: bool, never: bool, own: Pack, known: Pack, *, enough: bool
) -> tuple[str, str] | None:
    """Find a translation that ends before its original does, or goes on behind it.

    `usual` and `never` say of its last word whether others end with it, `enough` whether `middle` is known.
    """
    length = math.log(len(one.after) / len(one.before)) - middle
    evidence = f"{one.field}: {math.exp(length):.0%} of the usual length"
    short = next((least for size, least in SHORT.items() if len(one.before) >= size), -math.inf)
    if enough and (length < short or (length > LONG and len(one.before) >= MIN_CHARS)):
        return ("cut_off" if length < 0 else "wrong_length"), evidence
    if is_ended(one.after, own) or _is_open(one, own, known):
        return None
    if never and length < SHORTER:
        return "cut_off", f"{one.field}: it ends where no other does"
    ended = one.before.rstrip(" *_`\"'”’»)]\n")[-1:] in (".", "!", "?")
    lost = ended and length < LONGER and not (usual and length > SHORTER)
    return ("cut_off", f"{one.field}: it has no end") if lost else None


def _is_open(one: FieldPair, own: Pack, known: Pack) -> bool:
    """Tell whether a translation needs no mark at its end: verse, the end of a quotation, a single word."""
    lines = one.after.strip().split("\n")
    verse = len(lines) > 1 and not any(is_ended(line, own) for line in lines)
    quoted = one.after.rstrip()[-1] in '"”’»“' and '"' in one.before
    words = text.split_words(without_protected(one.after), own)
    return verse or quoted or not words or len(text.split_words(one.before, known)) < 2


def _are_exchanged(fields: Sequence[FieldPair], middle: float) -> bool:
    """Tell whether two fields fit each other's originals better: by length, or by what is a question."""
    for place, one in enumerate(fields):
        for other in fields[place + 1 :]:
            straight, crossed = (
                sum(abs(math.log(len(b.after) / len(a.before)) - middle) for a, b in both)
                for both in (((one, one), (other, other)), ((one, other), (other, one)))
            )
            asks = [
                [value.rstrip().endswith(tuple(QUESTION_MARKS)) for value in pair]
                for pair in ((one.before, other.before), (one.after, other.after))
            ]
            if straight > crossed + EXCHANGED or (asks[0] == asks[1][::-1] and asks[0] != asks[1]):
                return True
    return False


def _find_lost_names(by_row: Mapping[int, Sequence[FieldPair]]) -> dict[int, str]:
    """Return {row: name} where the word is missing that stands for the name in the run's other rows."""
    befores = {row: "\n".join(one.before for one in fields) for row, fields in by_row.items()}
    words = {
        row: set(_WORD.findall("\n".join(one.after for one in fields).casefold()))
        for row, fields in by_row.items()
    }
    plain = plain_words(befores.values())
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, value in befores.items():
        for name in find_names(value, plain):
            rows_of[name].append(row)
    frequency = Counter(word for some in words.values() for word in some)
    found: dict[int, str] = {}
    for name, rows in rows_of.items():
        shared = Counter(word for row in rows for word in words[row])
        fitting = [
            (times, word)
            for word, times in shared.items()
            if times >= NAME_SHARE * len(rows) and times >= NAME_OWN * frequency[word]
        ]
        if len(rows) < NAME_ROWS or not fitting:
            continue
        times, word = max(fitting)
        if len(rows) - times > max(1, len(rows) // 10):  # another word is as usual
            continue
        for row in rows:
            if name.casefold() not in words[row] and not is_like(word, words[row]):
                found.setdefault(row, f"{name}, which is {word} elsewhere")
    return found
