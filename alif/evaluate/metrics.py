"""Score one answer against one reference. Every comparison of text is made by the language room.

    exact match    final answers: the same words, numbers, units: ۴۲ = 42 = "بیالیس"; "کراچی۔" = "كراچي"
                   where the task's metric is exact and the reference is
                     a lettered choice: the same choice         "جواب (ب) ہے" = "(ب)"
                     one number: the same last number, and no other unit    "کل 420" = "420 روپے" ("rupees")
                     more with a number: whole in the answer    "12 بج کر 15 منٹ" ("15 minutes past 12")
                   a task of facts, reasoning or questions: what a plain sentence states, see `is_stated`
                   a task with fixed labels: exactly one label stands in the answer, and it is the right one
    accepted       rows that list accepted forms: one is said, and no refused one; see `AnswerKey`
    contains       the reference stands in the answer, word for word, and is not denied
    number         of references that are one number: the same; apart from it whether a number could be read
    choice         of questions that offer choices: the right one; apart from it whether one could be read
    token F1       words in common, as a bag               ROUGE-L   words in common, in order
    chrF++, BLEU   characters and words in common, 0..100, with the nearest of the references, as written and
                   folded: the gap is spelling. chrF++ is the better of the two for languages with many forms

Why not the usual ones: of 20 Urdu pairs that a human calls equal, SQuAD's exact match accepts 1; BLEU's own
tokenizer leaves the Urdu full stop on the word; ROUGE's own tokenizer drops every letter but a to z.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence

from alif.evaluate import text_overlap
from alif.language import text
from alif.language.answers import choices
from alif.language.answers import match as matching
from alif.language.answers.answer_key import AnswerKey
from alif.language.answers.choices import OfferedChoices
from alif.language.answers.statement import is_stated
from alif.language.answers.value_reader import find_values
from alif.language.pack import Pack, Task

__all__ = [
    "AS_WRITTEN", "LOWER_IS_BETTER", "MAX_CHARS", "METRICS", "OVERLAP", "SHARES", "AnswerScores", "clip_text",
    "metric_signatures",
]  # fmt: skip

MAX_CHARS = 20_000
"""Of an answer, half from its beginning and half from its end, are scored and checked: ten megabytes are no
answer, and must not take hours."""
METRICS = {
    "accepted": "accepted",
    "exact_match": "exact_match",
    "exact_match_nospace": "exact_match_nospace",
    "contains": "contains",
    "number": "number",
    "number_read": "number_read",
    "choice": "choice",
    "choice_unreadable": "choice_unreadable",
    "token_f1": "token_f1",
    "chrf++": "chrf",
    "chrf++_folded": "chrf_folded",
    "bleu": "bleu",
    "bleu_folded": "bleu_folded",
    "rouge_l": "rouge_l",
}
"""The attribute of AnswerScores by metric, in the order of scores.jsonl."""
SHARES = frozenset(list(METRICS)[:8])
"""Metrics that are true or false for each answer."""
LOWER_IS_BETTER = frozenset({"choice_unreadable"})
OVERLAP = frozenset({"chrf++", "chrf++_folded", "bleu", "bleu_folded", "rouge_l"})
"""Metrics that say nothing about a short answer: a wrong river has most letters of the right one."""
AS_WRITTEN = frozenset({"chrf++", "bleu"})
"""Metrics that punish another spelling of the same letters, digits and spaces."""


@functools.cache
def metric_signatures() -> Mapping[str, str]:
    """Return everything needed to compute the same number again, by metric."""
    chrf, bleu = text_overlap.overlap_signature("chrf++"), text_overlap.overlap_signature("bleu")
    folded = "NFC, pack letters, marks, digits, case folded"
    found = {
        "accepted": f"final answer|an accepted form, no refused one|{matching.SIGNATURE}",
        "exact_match": "final answer|same words|or choice, number, label, fact as the task wants it|"
        f"{matching.SIGNATURE}",
        "exact_match_nospace": f"as exact_match, spaces between words do not count|{matching.SIGNATURE}",
        "contains": f"the reference word for word in the final answer, not denied|{matching.SIGNATURE}",
        "number": f"of references that are one number: the stated number is equal|{matching.SIGNATURE}",
        "number_read": "of references that are one number: a number could be read from the answer",
        "choice": f"of questions that offer choices: the one by letter, order or text|{matching.SIGNATURE}",
        "choice_unreadable": "of questions that offer choices: no single choice could be read",
        "token_f1": f"bag of words|{folded}|punctuation is space",
        "chrf++": f"{chrf}|as written",
        "chrf++_folded": f"{chrf}|{folded}",
        "bleu": f"{bleu}|as written",
        "bleu_folded": f"{bleu}|{folded}",
        "rouge_l": f"2·LCS/(m+n) of words|{folded}|punctuation is space",
    }
    return {name: f"{how}|of {MAX_CHARS} characters at most" for name, how in found.items()}


def clip_text(value: str) -> str:
    """Return the part of an answer that is scored: all of it, or its beginning and its end."""
    return value if len(value) <= MAX_CHARS else f"{value[: MAX_CHARS // 2]}\n{value[-MAX_CHARS // 2 :]}"


class AnswerScores:
    """The scores of one answer, each computed when it is asked for; None: the question has no such score."""

    def __init__(
        self,
        answer: str,
        reference: str,
        task: Task | None,
        pack: Pack,
        key: AnswerKey | None = None,
        asked: str = "",
    ) -> None:
        """Score `answer`; without a task as free text. `asked` is the question, which may offer choices."""
        self._answer, self._task, self._pack, self._key = clip_text(answer), task, pack, key or AnswerKey()
        self._references = self._key.references or (reference,)
        final = (text.final_answer(one, task, pack) if task else one for one in (self._answer, reference))
        self._given, self._wanted = final
        self._asked = asked

    @functools.cached_property
    def _match(self) -> tuple[bool, bool]:
        return _match_answers(self._given, self._wanted, self._task, self._pack)

    @property
    def exact_match(self) -> bool:
        return self._match[0]

    @property
    def exact_match_nospace(self) -> bool:
        return self._match[1]

    @functools.cached_property
    def accepted(self) -> bool | None:
        """None where the row lists no accepted forms."""
        return self._key.is_accepted(self._given, self._pack) if self._key.accept else None

    @functools.cached_property
    def contains(self) -> bool:
        return any(
            matching.contains_answer(self._given, form, self._pack)
            for form in (self._wanted, *self._key.accept)
        )

    @functools.cached_property
    def number(self) -> bool | None:
        return matching.is_same_number(self._given, self._wanted, self._pack)

    @functools.cached_property
    def number_read(self) -> bool | None:
        return None if self.number is None else self.number or bool(find_values(self._given, self._pack))

    @functools.cached_property
    def _choice(self) -> tuple[int | None, int] | None:
        """The choice of the answer and the right one."""
        if (offered := self._offered) is None:
            return None
        right = choices.read_choice(self._wanted, offered, self._pack)
        return None if right is None else (choices.read_choice(self._given, offered, self._pack), right)

    @property
    def _offered(self) -> OfferedChoices | None:
        exact = self._task is not None and self._task.metric == "exact"
        return _offered_choices(self._asked, exact, self._pack)

    @property
    def choice(self) -> bool | None:
        return self._choice and self._choice[0] == self._choice[1]

    @property
    def choice_unreadable(self) -> bool | None:
        return self._choice and self._choice[0] is None

    @property
    def choice_chance(self) -> float:
        """The chance to guess the right one of the choices that the question offers."""
        return 1 / len(self._offered.names) if self._offered else 0.0

    @functools.cached_property
    def _words(self) -> list[str]:
        return text.split_words(self._answer, self._pack)

    @functools.cached_property
    def token_f1(self) -> float:
        """0..1."""
        return max(_bag_f1(self._words, _reference_words(one, self._pack)) for one in self._references)

    @functools.cached_property
    def rouge_l(self) -> float:
        """0..1."""
        return max(
            text_overlap.rouge_l(self._words, _reference_words(one, self._pack)) for one in self._references
        )

    @functools.cached_property
    def _folded(self) -> tuple[str, tuple[str, ...]]:
        return text.fold_text(self._answer, self._pack), _fold_references(self._references, self._pack)

    @functools.cached_property
    def chrf_statistics(self) -> text_overlap.Statistics:
        return text_overlap.text_statistics("chrf++", self._answer, self._references)

    @functools.cached_property
    def bleu_statistics(self) -> text_overlap.Statistics:
        return text_overlap.text_statistics("bleu", self._answer, self._references)

    @functools.cached_property
    def chrf(self) -> float:
        """0..100."""
        return text_overlap.overlap_score("chrf++", self.chrf_statistics)

    @functools.cached_property
    def bleu(self) -> float:
        """0..100."""
        return text_overlap.overlap_score("bleu", self.bleu_statistics)

    @functools.cached_property
    def chrf_folded(self) -> float:
        """0..100."""
        if self._folded == (self._answer, self._references):
            return self.chrf
        statistics = text_overlap.text_statistics("chrf++", *self._folded)
        return text_overlap.overlap_score("chrf++", statistics)

    @functools.cached_property
    def bleu_folded(self) -> float:
        """0..100."""
        if self._folded == (self._answer, self._references):
            return self.bleu
        return text_overlap.overlap_score("bleu", text_overlap.text_statistics("bleu", *self._folded))


CACHED_REFERENCES = text_overlap.CACHED_REFERENCES


@functools.lru_cache(maxsize=CACHED_REFERENCES)
def _reference_words(reference: str, pack: Pack) -> tuple[str, ...]:
    return tuple(text.split_words(reference, pack))


@functools.lru_cache(maxsize=CACHED_REFERENCES)
def _fold_references(references: tuple[str, ...], pack: Pack) -> tuple[str, ...]:
    return tuple(text.fold_text(one, pack) for one in references)


@functools.lru_cache(maxsize=CACHED_REFERENCES)
def _offered_choices(asked: str, exact: bool, pack: Pack) -> OfferedChoices | None:
    return choices.find_choices(asked, pack, exact) if asked else None


def _bag_f1(words: Sequence[str], reference: Sequence[str]) -> float:
    common = (Counter(words) & Counter(reference)).total()
    return 2 * common / (len(words) + len(reference)) if common else float(words == [*reference])


def _match_answers(given: str, wanted: str, task: Task | None, pack: Pack) -> tuple[bool, bool]:
    """Return exact_match and exact_match_nospace of a final answer."""
    if task and task.labels:
        label = _find_label(given, task, pack)
        right = label is not None and label == _find_label(wanted, task, pack)
        return right, right
    same, spaceless = (matching.is_same_text(given, wanted, pack, spaces) for spaces in (True, False))
    if same or not task or (task.metric != "exact" and not task.facts):
        return same, spaceless
    if (choice := matching.is_same_choice(given, wanted, pack)) is not None:
        return choice, choice
    if (number := matching.is_same_number(given, wanted, pack)) is not None:
        return number, number
    said = (task.facts and is_stated(given, wanted, pack)) or (
        text.parse_number(wanted, pack) is not None and matching.contains_answer(given, wanted, pack)
    )
    return said, said or spaceless


def _find_label(answer: str, task: Task, pack: Pack) -> str | None:
    """Return the only label in `answer`; a label inside a longer one that is there does not count."""
    found = [label for label in task.labels if text.find_phrase(answer, (label,), pack)]
    inside = {
        one for one in found for other in found if one != other and text.find_phrase(other, (one,), pack)
    }
    whole = [label for label in found if label not in inside]
    return whole[0] if len(whole) == 1 else None
