"""Slots: what each item of a request is asked to be about, drawn by program, most often where rows lack.

    topic, length, register            a cell of the report of coverage: the fewer rows it has, the likelier
    region, asker, difficulty          in turn, in a random order
    form                               one of those that the task has for that length

Seeds and accepted rows count. The draw depends on the recipe's seed, on the place of the request and on the
rows that were accepted before it was planned: a resumed run asks for the same.

Source: the coverage of GLAN's taxonomy, arXiv 2402.13064, and of personas, Persona Hub, arXiv 2406.20094.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from alif.data.synthesis.coverage import Coverage
from alif.language.pack import Task
from alif.language.pack_slots import Slots
from alif.records import Example

__all__ = ["Slot", "SlotSampler", "read_slots"]

BULLET = "- "
_FIELD = re.compile(r"\\\{(\w+)\\\}")


class Slot(NamedTuple):
    """What a line asks for, by the names in the pack; no topic where a passage decides."""

    topic: str
    length: str
    register: str
    form: str


class SlotSampler:
    """Draws slots for requests, likelier where seeds and `coverage` have few rows."""

    def __init__(self, slots: Slots, coverage: Coverage, seeds: Iterable[Example]) -> None:
        self._slots, self._coverage = slots, coverage
        self._seeds = Counter(coverage.find_cell(seed) for seed in seeds)

    def write(self, task: Task, items: int, at_home: bool, passage: str, rng: random.Random) -> str:
        """Return the lines that ask for `items` rows of a task, from the passage where there is one."""
        slots = self._slots
        topics = [self._coverage.find_topic(passage)] if passage else list(slots.topics)
        cells = [(task.name, *rest) for rest in itertools.product(topics, task.forms, slots.registers)]
        seeds, accepted = self._seeds.get, self._coverage.cells.get
        weights = [(1 + seeds(cell, 0) + accepted(cell, 0)) ** -2 for cell in cells]
        drawn = dict.fromkeys(rng.choices(cells, weights, k=4 * items))  # each cell once, if it can be
        turns = ((slots.regions if at_home else slots.world), slots.askers, slots.difficulties)
        places, askers, difficulties = (
            itertools.cycle(rng.sample(values, min(items, len(values)))) for values in turns
        )
        template = slots.passage_line if passage else slots.line
        lines = [
            template.format(
                topic="" if passage else rng.choice(slots.topics[topic]),
                length=getattr(slots.lengths, length),
                register=slots.registers[register],
                form=rng.choice(list(task.forms[length].values())),
                region=next(places),
                asker=next(askers),
                difficulty=next(difficulties),
            )
            for _, topic, length, register in itertools.islice(itertools.cycle(drawn), items)
        ]
        return "\n".join([slots.heading, *(f"{BULLET}{line}" for line in lines), "", ""])


def read_slots(asked: str, task: Task, slots: Slots) -> list[Slot]:
    """Return what the lines of a request ask for, in their order."""
    names = {
        "topic": {phrase: name for name, phrases in slots.topics.items() for phrase in phrases},
        "length": {phrase: name for name, phrase in slots.lengths},
        "register": {phrase: name for name, phrase in slots.registers.items()},
        "form": {phrase: name for forms in task.forms.values() for name, phrase in forms.items()},
    }
    patterns = [
        re.compile(BULLET + _FIELD.sub(r"(?P<\1>[^|]+)", re.escape(line)))
        for line in (slots.line, slots.passage_line)
    ]
    lines = asked.rpartition(f"{slots.heading}\n")[2].partition("\n\n")[0].split("\n")
    read = (pattern.fullmatch(line) for line in lines for pattern in patterns)
    found = (match.groupdict() for match in read if match)
    return [Slot(*(names[key].get(values.get(key, ""), "") for key in Slot._fields)) for values in found]
