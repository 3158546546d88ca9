"""Find the value that an answer comes to among the numbers that it mentions.

"جواب: 42 روپے، کیونکہ 6 کتابیں ہیں۔" ("answer: 42 rupees, because there are 6 books")  → 42 rupees
"""

from __future__ import annotations

import functools

import regex

from alif.language.answers.answer_words import answer_tokens
from alif.language.answers.value_reader import find_values
from alif.language.answers.values import Value
from alif.language.normalisation import phrase_words, split_words
from alif.language.pack import Pack

__all__ = ["drop_reasons", "stated_value"]

_SENTENCE_END = regex.compile(r"(?<=[۔।.!?؟])\s+|\n+")
_IN_BRACKETS = regex.compile(r"\([^()\n]*\)|\[[^\[\]\n]*\]")


def stated_value(answer: str, right: Value, pack: Pack) -> Value | None:
    """Return the value that an answer comes to: in the last sentence that names it the answer, else the last.

    Nothing that a reason or a bracket says counts where something else does, and neither does what follows a
    first sentence of a number alone. Digits go before words; ordinals count only where one is right.
    A word that mostly means something else counts with its unit, alone, or with one noun.
    """
    sentences = [line for line in _SENTENCE_END.split(answer) if find_values(line, pack)]
    labels = _labels(pack)
    labelled = [line for line in sentences if labels.intersection(split_words(line, pack))]
    if labelled:
        answer = labelled[-1]
    elif len(sentences) > 1 and not _other_words(sentences[0], pack):
        answer = sentences[0]
    first, *rest = regex.split(r"[،,;؛](?!\d)", answer, maxsplit=1)
    inside = any(value.start < len(first) < value.end for value in find_values(answer, pack))  # 7 May, 1861
    bare = rest and not inside and labels.issuperset(_other_words(first, pack))
    remark = bare and any(word[0] not in "#%@" for word in answer_tokens(rest[0], pack))
    if remark and any(value.flag != "denied" for value in find_values(first, pack)):
        answer = first  # "24 rupees, in 3 days"
    plain = drop_reasons(answer, pack)
    values = [*find_values(plain if find_values(plain, pack) else answer, pack)]
    if right.kind != "ordinal":
        values = [value for value in values if value.kind != "ordinal" or value.digits or len(values) == 1]
    said = [value for value in values if value.flag != "denied"]
    if len(said) > 2 and _adds_up(said, plain, pack):
        return said[0]
    other = _other_words(plain, pack)
    measured = [value for value in said if (value.unit and (right.unit or len(other) < 2)) or value.percent]
    sure = [value for value in said if not value.ambiguous or value in measured]
    best = [value for value in sure if value.digits] or sure
    if best or not said:
        return best[-1] if best else None
    words = split_words(plain, pack)
    noun = words[0 if pack.numbers.scale_first else -1 :][:1]
    alone = len(words) == 1 or (not other and labelled) or (len(words) == 2 and noun == other)
    return said[-1] if alone else None


def _adds_up(values: list[Value], text: str, pack: Pack) -> bool:
    """Tell whether the first value is the total of the others: "15 fruits: 7 apples and 8 pears"."""
    total, *parts = values
    rest = text[total.end :]
    joining = phrase_words(pack.phrases.conjunctions, pack)
    nouns = [word for word in _other_words(rest, pack) if word not in joining]
    joined = not joining.isdisjoint(split_words(rest, pack)) and len(nouns) <= len(values)
    return (":" in rest or "+" in rest or joined) and total.value == sum(part.value for part in parts)


@functools.lru_cache
def _labels(pack: Pack) -> frozenset[str]:
    """Return the words of the headings of answers."""
    return phrase_words(tuple(head for task in pack.tasks.values() for head in task.headings.answer), pack)


def _other_words(text: str, pack: Pack) -> list[str]:
    """Return the words beside the numbers and units that are more than a frame such as "the answer is"."""
    frame = phrase_words(pack.choices.words, pack) - phrase_words(pack.choices.collective_words, pack)
    return [word for word in answer_tokens(text, pack) if word[0] not in "#%@" and word not in frame]


def drop_reasons(text: str, pack: Pack) -> str:
    """Return `text` without brackets and without what follows a word such as "because"."""
    text = _IN_BRACKETS.sub(" ", text)
    return _reason(pack).sub(" ", text) if pack.phrases.reasons else text


@functools.lru_cache
def _reason(pack: Pack) -> regex.Pattern[str]:
    words = "|".join(map(regex.escape, pack.phrases.reasons))
    return regex.compile(
        rf"(?<![\p{{L}}\p{{M}}])(?:{words})(?![\p{{L}}\p{{M}}])(?:[^\n۔।!?؟.]|\.(?=\d))*", regex.I
    )
