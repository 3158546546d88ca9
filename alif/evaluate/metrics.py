"""How right one answer is, against one reference. Every comparison is made by the language room; nothing here knows a letter.

    exact match    final answers with the same folded words and numbers: ۴۲ = 42, "کراچی۔" = "كراچي" ("Karachi")
                   a reference with a number where the task's metric is exact: the same number, whatever unit stands beside it
                   a task with fixed labels: exactly one label stands in the answer, and it is the right one
    token F1       words in common, as a bag
    chrF++         characters and word pairs in common, 0..100, as written and folded; the gap between both is spelling

Why not the usual ones: of 20 Urdu pairs that a human calls equal, SQuAD's exact match accepts 1; BLEU's own tokenizer leaves
the Urdu full stop on the word.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from sacrebleu.metrics.chrf import CHRF

from alif.language import text
from alif.language.numbers import number
from alif.language.pack import Pack, Task

__all__ = ["SIGNATURES", "Marks", "mark", "same"]

_FOLDED = "NFC, pack letters, marks, digits and case folded, punctuation is space"


@functools.cache
def _chrf() -> CHRF:
    return CHRF(word_order=2)


_chrf().sentence_score("", [""])  # a signature exists only after a first score
_CHRF = f"sacrebleu {_chrf().get_signature()}|mean of sentence scores"

SIGNATURES = {
    "exact_match": f"final answer|words and number equal|number or label where the task says so|{_FOLDED}",
    "exact_match_nospace": f"as exact_match, spaces between words do not count|{_FOLDED}",
    "answer_found": "number or exactly one label can be read from the answer, of the questions that want one",
    "token_f1": f"bag of words|{_FOLDED}",
    "chrf++": f"{_CHRF}|as written",
    "chrf++_folded": f"{_CHRF}|{_FOLDED}",
}
"""Everything needed to compute the same number again, by metric."""


@dataclass(frozen=True)
class Marks:
    """One answer's marks."""

    exact_match: bool
    exact_match_nospace: bool
    answer_found: bool | None
    """None where no number and no label is wanted."""
    token_f1: float
    """0..1"""
    chrf: float
    """0..100"""
    chrf_folded: float


def mark(answer: str, reference: str, task: Task | None, pack: Pack) -> Marks:
    """Mark an answer; without a task, as free text."""
    given, wanted = (text.final(one, task, pack) if task else one for one in (answer, reference))
    exact, spaceless, found = same(given, wanted, pack), same(given, wanted, pack, spaces=False), None
    if task and task.labels:
        label = _label(given, task, pack)
        found = label is not None
        exact = spaceless = found and label == _label(wanted, task, pack)
    elif task and task.metric == "exact" and (right := number(wanted, pack)) is not None:
        read = number(given, pack)
        found = read is not None
        exact = spaceless = read == right
    return Marks(
        exact_match=exact,
        exact_match_nospace=spaceless,
        answer_found=found,
        token_f1=_f1(text.words(answer, pack), text.words(reference, pack)),
        chrf=_chrf().sentence_score(answer, [reference]).score,
        chrf_folded=_chrf().sentence_score(text.fold(answer, pack), [text.fold(reference, pack)]).score,
    )


def same(one: str, other: str, pack: Pack, spaces: bool = True) -> bool:
    """Tell whether two answers say the same in the same words; without `spaces`, اسلامآباد is اسلام آباد ("Islamabad")."""
    return _spoken(one, pack, spaces) == _spoken(other, pack, spaces)


def _spoken(answer: str, pack: Pack, spaces: bool) -> tuple[tuple[str, ...] | str, str, Decimal | None]:
    """Return the words, all digits in a row (1,000 is 1000), and the last number with its sign and point."""
    every = text.words(answer, pack)
    plain = tuple(word for word in every if not word.isdecimal())
    digits = "".join(word for word in every if word.isdecimal())
    return plain if spaces else "".join(plain), digits, number(answer, pack)


def _label(answer: str, task: Task, pack: Pack) -> str | None:
    """Return the only label in `answer`; a label inside a longer one that is there does not count."""
    there = [label for label in task.labels if text.phrase(answer, (label,), pack)]
    longest = [label for label in there if not any(label != other and text.phrase(other, (label,), pack) for other in there)]
    return longest[0] if len(longest) == 1 else None


def _f1(given: list[str], wanted: list[str]) -> float:
    common = (Counter(given) & Counter(wanted)).total()
    return 2 * common / (len(given) + len(wanted)) if given and wanted else float(given == wanted)
