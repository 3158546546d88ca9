"""What says of a test question which answers are right: forms to match, points to judge, references.

accept 8 منٹ, 8 منٹ 20 سیکنڈ          "روشنی آٹھ منٹ میں آتی ہے۔" ("in eight minutes")     right
accept (ج) ثنا                        "ج", "ثنا", "تیسرا آپشن" ("the third option")       right
accept کراچی, refuse لاہور            "کراچی اور لاہور" ("Karachi and Lahore")            wrong
rubric                                three to five points for a judge: free text
references                            the row's output and others: translations
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import regex

from alif.language import text
from alif.language.answers import match
from alif.language.answers.stated_value import drop_reasons
from alif.language.answers.value_reader import find_values
from alif.language.answers.values import SIZES, Value, is_same_value
from alif.language.pack import Pack
from alif.records import FrozenModel

__all__ = ["AnswerKey"]

_CLAUSE_END = regex.compile(r"[،,;؛](?!\d)")


class AnswerKey(FrozenModel):
    """How answers to a question are marked; a row has one of accept, rubric and references, or none."""

    accept: tuple[str, ...] = ()
    """Every short form of the right answer."""
    refuse: tuple[str, ...] = ()
    """Forms that a right answer does not hold: the competing choices, a near miss."""
    rubric: tuple[str, ...] = ()
    """What a good free text does, point by point, for a judge."""
    references: tuple[str, ...] = ()
    """Translations, the row's output first."""

    @classmethod
    def of_row(cls, values: Mapping[str, Any]) -> Self:
        """Read the keys of a row.

        Raises:
            ValueError: one is no list of texts.
        """
        return cls(**{key: values[key] for key in cls.model_fields if values.get(key) is not None})

    def is_accepted(self, answer: str, pack: Pack) -> bool:
        """Tell whether an answer says an accepted form and no refused one.

        A first sentence that is one form and nothing else decides; of numbers the first sentence that has one
        counts too, and not only the last. What a reason says is not refused.
        """
        letters = {ord(wrong): right for wrong, right in pack.lookalikes.items()}
        answer = answer.translate(letters)  # "or" may be typed with another yeh
        first, *others = *text.split_sentences(answer, pack), ""
        for forms, right in ((self.accept, True), (self.refuse, False)):
            if any(match.is_same_text(first, form, pack) for form in forms):
                return right
        told = next((one for one in (first, *others) if find_values(one, pack)), first)
        parts = dict.fromkeys((answer, told, *_CLAUSE_END.split(told)))
        accepted = any(_says(part, self.accept, pack) for part in parts)
        accepted = accepted or any(_measures(told, form, pack) for form in self.accept)
        return accepted and not _says(drop_reasons(answer, pack), self.refuse, pack)


def _says(answer: str, forms: Iterable[str], pack: Pack) -> bool:
    """Tell whether an answer comes to one of the forms, or a sentence names it, or nothing but several."""
    if any(match.compare_answers(answer, form, pack).equal for form in forms):
        return True
    words = [form for form in forms if not match.is_measured(form, pack)]
    return any(
        all(any(match.contains_answer(part, form, pack) for form in words) for part in parts)
        for parts in _alternatives(answer, pack)
    )


def _measures(sentence: str, form: str, pack: Pack) -> bool:
    """Tell whether a form stands in a sentence behind other numbers, or is the last amount of its kind."""
    if match.contains_answer(sentence, form, pack):
        return True
    wanted = find_values(form, pack)
    if len(wanted) != 1 or not _kind(wanted[0]):
        return False
    alike = [value for value in find_values(sentence, pack) if _kind(value) == _kind(wanted[0])]
    return bool(alike) and is_same_value(alike[-1], wanted[0])


def _kind(value: Value) -> str:
    """Return what an amount is of, "metre" for kilometres too; "" for a bare number."""
    return "date" if value.kind == "date" else SIZES.get(value.unit, (value.unit,))[0]


def _alternatives(answer: str, pack: Pack) -> Iterator[list[str]]:
    """Yield the alternatives of each sentence: "a or b" has two."""
    for sentence in text.split_sentences(answer, pack):
        parts = _alternative_words(pack).split(sentence)
        if told := [part for part in parts if part.strip()]:
            yield told


@functools.lru_cache
def _alternative_words(pack: Pack) -> regex.Pattern[str]:
    between = "|".join(map(regex.escape, pack.phrases.alternatives)) or "(?!)"
    return regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?:{between})(?![\p{{L}}\p{{M}}])")
