"""What the accepted rows are about: task × topic × difficulty × register, and where the holes are.

    qa · law       3 rows, 24 expected        a hole: far fewer than the topic's share of all rows

Topics and registers are word lists of the pack, a row has the topic whose words it holds most of; difficulty is the length of
the answer. That is a machine's rough reading, good enough to see what nobody has asked about.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from alif.language import text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["DIFFICULTY", "Coverage"]

DIFFICULTY = {"short": 15, "middle": 60}
"""Most words of an answer of that length; a longer one is long."""
NEITHER = "other"
"""A row with no word of any list."""
HOLE = 0.25
"""A cell of task and topic with less than this share of the rows that it would have if tasks and topics did not depend."""
FEWEST_EXPECTED = 4.0
"""Rows that a cell must have had to be a hole."""
SHOWN = 20


class Coverage:
    """How many rows are about what, counted row by row."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._topics, self._registers = _index(pack.topics, pack), _index(pack.registers, pack)
        self._cells: Counter[tuple[str, ...]] = Counter()

    def add(self, row: Example) -> None:
        """Count a row."""
        asked = text.split_words(row.instruction, self._pack) + text.split_words(row.input, self._pack)
        topic, register = (
            _most(asked, self._pack.topics, self._topics),
            _most(asked, self._pack.registers, self._registers),
        )
        self._cells[row.task, topic, _difficulty(row, self._pack), register] += 1

    def facts(self) -> dict[str, Any]:
        """Return the counts by task for each of the three, the empty cells of the whole grid, and the worst holes."""
        tasks, cells = list(self._pack.tasks), self._cells
        axes = {
            "topic": [*self._pack.topics, NEITHER],
            "difficulty": [*DIFFICULTY, "long"],
            "register": [*self._pack.registers, NEITHER],
        }
        facts: dict[str, Any] = {
            name: {task: {value: _sum(cells, task, place, value) for value in values} for task in tasks}
            for place, (name, values) in enumerate(axes.items(), 1)
        }
        grid = math.prod(map(len, (tasks, *axes.values())))
        sizes = {"rows": cells.total(), "cells": grid, "empty": grid - len(cells)}
        return facts | sizes | {"holes": _holes(facts["topic"])}


def _sum(cells: Mapping[tuple[str, ...], int], task: str, place: int, value: str) -> int:
    return sum(count for cell, count in cells.items() if cell[0] == task and cell[place] == value)


def _difficulty(row: Example, pack: Pack) -> str:
    length = len(text.split_words(row.output, pack))
    return next((name for name, most in DIFFICULTY.items() if length <= most), "long")


def _index(lists: Mapping[str, tuple[str, ...]], pack: Pack) -> dict[str, str]:
    """Return the words of all lists, each with the first list that has it."""
    found: dict[str, str] = {}
    for name, members in lists.items():
        for member in members:
            for word in text.split_words(member, pack):
                found.setdefault(word, name)
    return found


def _most(words: Sequence[str], lists: Mapping[str, tuple[str, ...]], index: Mapping[str, str]) -> str:
    """Return the name of the list that most of the words are in; of equal ones the pack's first."""
    found = [index[word] for word in words if word in index]
    return max(lists, key=found.count) if found else NEITHER


def _holes(topics: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Return the cells of task and topic that lack most, the worst first."""
    whole = sum(sum(counts.values()) for counts in topics.values()) or 1
    by_topic: Counter[str] = Counter()
    for counts in topics.values():
        by_topic.update(counts)
    found: list[dict[str, Any]] = []
    for task, counts in topics.items():
        for topic, rows in counts.items():
            expected = sum(counts.values()) * by_topic[topic] / whole
            if topic != NEITHER and expected >= FEWEST_EXPECTED and rows < HOLE * expected:
                found.append({"task": task, "topic": topic, "rows": rows, "expected": round(expected, 1)})
    return sorted(found, key=lambda hole: hole["rows"] - hole["expected"])[:SHOWN]
