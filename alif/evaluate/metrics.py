"""Score one answer against one reference. Every comparison of text is made by the language room.

    exact match    final answers: the same words, numbers, units: ۴۲ = 42 = "بیالیس"; "کراچی۔" = "كراچي"
                   where the task's metric is exact and the reference is
                     a lettered choice: the same choice         "جواب (ب) ہے" = "(ب)"
                     one number: the same last number, and no other unit    "کل 420" = "420 روپے" ("rupees")
                     more with a number: whole in the answer    "12 بج کر 15 منٹ" ("15 minutes past 12")
                   a task with fixed labels: exactly one label stands in the answer, and it is the right one
    accepted       rows that list accepted forms: one is said, and no refused one; see `AnswerKey`
    token F1       words in common, as a bag
    chrF++         characters and word pairs in common, 0..100, with the nearest of the references, as written
                   and folded: the gap is spelling

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
from alif.language.answers.answer_key import AnswerKey
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
        "accepted": f"final answer|an accepted form, no refused one|{matching.SIGNATURE}",
        "token_f1": f"bag of words|{folded}|punctuation is space",
        "chrf++": f"{chrf}|as written",
        "chrf++_folded": f"{chrf}|{folded}",
    }


@dataclass(frozen=True)
class AnswerScores:
    """The scores of one answer."""

    exact_match: bool
    exact_match_nospace: bool
    accepted: bool | None
    """None where the row lists no accepted forms."""
    token_f1: float
    """0..1"""
    chrf: float
    """0..100"""
    chrf_folded: float


def score_answer(
    answer: str, reference: str, task: Task | None, pack: Pack, key: AnswerKey | None = None
) -> AnswerScores:
    """Score an answer; without a task, as free text."""
    key = key or AnswerKey()
    references = key.references or (reference,)
    given, wanted = (text.final_answer(one, task, pack) if task else one for one in (answer, reference))
    exact, spaceless = _match(given, wanted, task, pack)
    words, reference_words = text.split_words(answer, pack), text.split_words(reference, pack)
    common = (Counter(words) & Counter(reference_words)).total()
    folded, *folded_references = (text.fold_text(one, pack) for one in (answer, *references))
    return AnswerScores(
        exact_match=exact,
        exact_match_nospace=spaceless,
        accepted=key.is_accepted(given, pack) if key.accept else None,
        token_f1=2 * common / (len(words) + len(reference_words))
        if common
        else float(words == reference_words),
        chrf=_chrf().sentence_score(answer, references).score,
        chrf_folded=_chrf().sentence_score(folded, folded_references).score,
    )


def _match(given: str, wanted: str, task: Task | None, pack: Pack) -> tuple[bool, bool]:
    """Return exact_match and exact_match_nospace of a final answer."""
    if task and task.labels:
        label = _find_label(given, task, pack)
        right = label is not None and label == _find_label(wanted, task, pack)
        return right, right
    if not task or task.metric != "exact":
        same, spaceless = (matching.is_same_text(given, wanted, pack, spaces) for spaces in (True, False))
        return same, spaceless
    match = matching.compare_answers(given, wanted, pack)
    if match.choice is not None:
        return match.choice, match.choice
    if match.number is not None:
        return match.number, match.number
    contains = match.contains and text.parse_number(wanted, pack) is not None
    return match.em or contains, match.em_nospace or contains


def _find_label(answer: str, task: Task, pack: Pack) -> str | None:
    """Return the only label in `answer`; a label inside a longer one that is there does not count."""
    found = [label for label in task.labels if text.find_phrase(answer, (label,), pack)]
    inside = {
        one for one in found for other in found if one != other and text.find_phrase(other, (one,), pack)
    }
    whole = [label for label in found if label not in inside]
    return whole[0] if len(whole) == 1 else None
