"""Plant an error of a known kind in a sound row, to see whether its readers find it."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

import regex

from alif.language.answers.arithmetic import check_equations
from alif.language.language_id import find_lookalikes
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["ERRORS", "plant_error"]

SHORTEST = 80
"""Characters: of a shorter answer it is not plain that its end is cut off."""
LEFT = 0.65
"""Share of an answer that is left where its end is cut off."""


def plant_error(
    row: Example, others: Sequence[Example], pack: Pack, rng: random.Random
) -> tuple[str, Example] | None:
    """Return a kind of error and the row with one in its answer, or None where no kind fits."""
    for kind in rng.sample(list(ERRORS), len(ERRORS)):
        if output := ERRORS[kind](row, others, pack, rng):
            return kind, Example.make(row.language, row.task, row.instruction, row.input, output, row.origin)
    return None


def plant_lookalike(row: Example, others: Sequence[Example], pack: Pack, rng: random.Random) -> str:
    """Write one letter as that of another language which looks the same."""
    places = [
        (match.start(), bad)
        for bad, good in pack.lookalikes.items()
        if good
        for match in regex.finditer(regex.escape(good), row.output)
    ]
    for at, bad in rng.sample(places, len(places)):
        changed = row.output[:at] + bad + row.output[at + 1 :]
        if find_lookalikes(changed, pack):  # not within a quotation
            return changed
    return ""


def plant_wrong_sum(row: Example, others: Sequence[Example], pack: Pack, rng: random.Random) -> str:
    """Change the last digit of an equation that holds."""
    held = [shown for shown, holds in check_equations(row.output, pack) if holds]
    for shown in rng.sample(held, len(held)):
        *_, last = regex.finditer(r"\p{Nd}", shown)
        other = chr(ord(last[0]) + (1 if unicodedata.digit(last[0]) < 9 else -1))
        changed = row.output.replace(shown, shown[: last.start()] + other + shown[last.end() :], 1)
        if not all(holds for _, holds in check_equations(changed, pack)):
            return changed
    return ""


def plant_cut(row: Example, others: Sequence[Example], pack: Pack, rng: random.Random) -> str:
    """Cut the end off, within a sentence."""
    left = row.output[: int(len(row.output) * LEFT)]
    kept = left.rpartition(" ")[0].rstrip()
    ends_there = kept.endswith((*pack.sentences.marks, *pack.sentences.closers, ":"))
    return "" if len(row.output) < SHORTEST or ends_there else kept


def plant_other_answer(row: Example, others: Sequence[Example], pack: Pack, rng: random.Random) -> str:
    """Give the answer to another question of the same task."""
    answers = [one.output for one in others if one.task == row.task and one.output != row.output]
    return rng.choice(answers) if answers else ""


ERRORS = {
    "lookalike": plant_lookalike,
    "sum": plant_wrong_sum,
    "cut": plant_cut,
    "other_answer": plant_other_answer,
}
"""Kinds of errors that can be planted."""
