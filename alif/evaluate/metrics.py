"""Score one answer against one reference. Every comparison of text is made by the language room.

    exact match    final answers: the same words, numbers, units: ۴۲ = 42 = "بیالیس"; "کراچی۔" = "كراچي"
                   where the task's metric is exact and the reference is
                     a lettered choice: the same choice         "جواب (ب) ہے" = "(ب)"
                     one number: the same last number, and no other unit    "کل 420" = "420 روپے" ("rupees")
                     more with a number: whole in the answer    "12 بج کر 15 منٹ" ("15 minutes past 12")
                   a task with fixed labels: exactly one label stands in the answer, and it is the right one
    token F1       words in common, as a bag
    chrF++         characters and word pairs in common, 0..100, as written and folded: the gap is spelling

Why not the usual ones: of 20 Urdu pairs that a human calls equal, SQuAD's exact match accepts 1; BLEU's own
tokenizer leaves the Urdu full stop on the word.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sacrebleu.metrics.chrf import CHRF

from alif.language import text
from alif.language.answers import match as matching
from alif.language.pack import Pack, Task

__all__ = ["AnswerScores", "metric_signatures", "score_answer"]


@functools.cache
def _chrf() -> CHRF:
    return CHRF(word_order=2)


@functools.cache
def metric_signatures() -> Mapping[str, str]:
    """Return everything needed to compute the same number again, by metric."""
    _chrf().sentence_score("", [""])  # sacrebleu knows the signature after a first score only
    chrf = f"sacrebleu {_chrf().get_signature()}|mean of sentence scores"
    folded = "NFC, pack letters, marks, digits, case folded"
    return {
        "exact_match": "final answer|same words|or choice, number, label where the task wants one|"
        f"{matching.SIGNATURE}",
        "exact_match_nospace": f"as exact_match, spaces between words do not count|{matching.SIGNATURE}",
        "answer_found": "choice, number or exactly one label can be read from the answer, "
        "of the questions that want one",
        "token_f1": f"bag of words|{folded}|punctuation is space",
        "chrf++": f"{chrf}|as written",
        "chrf++_folded": f"{chrf}|{folded}",
    }


@dataclass(frozen=True)
class AnswerScores:
    """The scores of one answer."""

    exact_match: bool
    exact_match_nospace: bool
    answer_found: bool | None
    """None where the question asks for no choice, number or label."""
    token_f1: float
    """0..1"""
    chrf: float
    """0..100"""
    chrf_folded: float


def score_answer(answer: str, reference: str, task: Task | None, pack: Pack) -> AnswerScores:
    """Score an answer; without a task, as free text."""
    given, wanted = (text.final_answer(one, task, pack) if task else one for one in (answer, reference))
    exact, spaceless, found = _match(given, wanted, task, pack)
    words, reference_words = text.split_words(answer, pack), text.split_words(reference, pack)
    common = (Counter(words) & Counter(reference_words)).total()
    folded, reference_folded = text.fold_text(answer, pack), text.fold_text(reference, pack)
    return AnswerScores(
        exact_match=exact,
        exact_match_nospace=spaceless,
        answer_found=found,
        token_f1=2 * common / (len(words) + len(reference_words))
        if common
        else float(words == reference_words),
        chrf=_chrf().sentence_score(answer, [reference]).score,
        chrf_folded=_chrf().sentence_score(folded, [reference_folded]).score,
    )


def _match(given: str, wanted: str, task: Task | None, pack: Pack) -> tuple[bool, bool, bool | None]:
    """Return exact_match, exact_match_nospace and answer_found of a final answer."""
    if task and task.labels:
        label = _find_label(given, task, pack)
        right = label is not None and label == _find_label(wanted, task, pack)
        return right, right, label is not None
    match = matching.compare_answers(given, wanted, pack)
    if task and task.metric == "exact":
        if match.choice is not None:
            return match.choice, match.choice, match.choice or matching.match_choice(given, pack) is not None
        found = text.parse_number(given, pack) is not None
        if match.number is not None:
            return match.number, match.number, found
        if text.parse_number(wanted, pack) is not None:
            return match.em or match.contains, match.em_nospace or match.contains, found
    return match.em, match.em_nospace, None


def _find_label(answer: str, task: Task, pack: Pack) -> str | None:
    """Return the only label in `answer`; a label inside a longer one that is there does not count."""
    found = [label for label in task.labels if text.find_phrase(answer, (label,), pack)]
    inside = {
        one for one in found for other in found if one != other and text.find_phrase(other, (one,), pack)
    }
    whole = [label for label in found if label not in inside]
    return whole[0] if len(whole) == 1 else None
