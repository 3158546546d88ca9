"""What the accepted rows are about: task × topic × difficulty × register, and where the gaps are.

    qa · law       3 rows, 24 expected        a gap: far fewer than the topic's share of all rows

Topics and registers are word lists of the pack; a row has the one whose words it holds most of. Difficulty is
the length of the answer. A rough reading by machine, good enough to see what nobody has asked about.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from alif.facts.data_facts import CoverageFacts, CoverageGap
from alif.language import text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["Cell", "Coverage"]

Cell: TypeAlias = tuple[str, str, str, str]
"""Task, topic, length of the answer and register."""
DIFFICULTY = {"short": 15, "middle": 60}
"""Most words of an answer of that length; a longer one is long."""
NEITHER = "other"
"""A row with no word of any list."""
GAP_SHARE = 0.25
"""A gap has less than this share of the rows that it would have if tasks and topics were independent."""
MIN_EXPECTED = 4.0
"""Rows that must be expected in a gap."""
SHOWN = 20

_Index = dict[str, list[tuple[tuple[str, ...], str]]]


class Coverage:
    """How many rows are about what, counted row by row."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._topics, self._registers = _word_index(pack.topics, pack), _word_index(pack.registers, pack)
        self.cells: Counter[Cell] = Counter()

    def add(self, row: Example) -> None:
        """Count a row."""
        self.cells[self.find_cell(row)] += 1

    def find_cell(self, row: Example) -> Cell:
        """Return where a row stands."""
        pack = self._pack
        words = [*text.split_words(row.instruction, pack), "", *text.split_words(row.input, pack)]
        length = len(text.split_words(row.output, pack))
        difficulty = next((name for name, most in DIFFICULTY.items() if length <= most), "long")
        topic = _most_frequent(words, pack.topics, self._topics)
        register = _most_frequent(words, pack.registers, self._registers)
        return row.task, topic, difficulty, register

    def find_topic(self, passage: str) -> str:
        """Return what a text is about."""
        return _most_frequent(text.split_words(passage, self._pack), self._pack.topics, self._topics)

    def facts(self) -> CoverageFacts:
        """Return the counts by task along each axis, the empty cells of the grid, and the largest gaps."""
        tasks = list(self._pack.tasks)
        axes = ([*self._pack.topics, NEITHER], [*DIFFICULTY, "long"], [*self._pack.registers, NEITHER])

        def count(place: int, task: str, value: str) -> int:
            return sum(n for cell, n in self.cells.items() if cell[0] == task and cell[place] == value)

        topics, difficulties, registers = (
            {task: {value: count(place, task, value) for value in axis} for task in tasks}
            for place, axis in enumerate(axes, 1)
        )
        cells = math.prod(map(len, (tasks, *axes)))
        return CoverageFacts(
            topics=topics,
            difficulties=difficulties,
            registers=registers,
            rows=self.cells.total(),
            cells=cells,
            empty=cells - len(self.cells),
            gaps=_find_gaps(topics),
        )


def _word_index(lists: Mapping[str, tuple[str, ...]], pack: Pack) -> _Index:
    """Return by first word the words and phrases of all lists, each with the first list that has it."""
    found: dict[tuple[str, ...], str] = {}
    for name, members in lists.items():
        for member in members:
            found.setdefault(tuple(text.split_words(member, pack)), name)
    index: _Index = {}
    for phrase, name in found.items():
        index.setdefault(phrase[0], []).append((phrase, name))
    return index


def _most_frequent(words: Sequence[str], lists: Mapping[str, tuple[str, ...]], index: _Index) -> str:
    """Return the name of the list that most words and phrases are in; of equal ones the pack's first."""
    found = [
        name
        for at, word in enumerate(words)
        for phrase, name in index.get(word, ())
        if len(phrase) == 1 or tuple(words[at : at + len(phrase)]) == phrase
    ]
    return max(lists, key=found.count) if found else NEITHER


def _find_gaps(topics: Mapping[str, Mapping[str, int]]) -> tuple[CoverageGap, ...]:
    """Return the cells of task and topic that lack most rows, the worst first."""
    total = sum(sum(counts.values()) for counts in topics.values()) or 1
    by_topic: Counter[str] = Counter()
    for counts in topics.values():
        by_topic.update(counts)
    found: list[CoverageGap] = []
    for task, counts in topics.items():
        for topic, rows in counts.items():
            expected = sum(counts.values()) * by_topic[topic] / total
            if topic != NEITHER and expected >= MIN_EXPECTED and rows < GAP_SHARE * expected:
                found.append(CoverageGap(task=task, topic=topic, rows=rows, expected=round(expected, 1)))
    return tuple(sorted(found, key=lambda gap: gap.rows - gap.expected)[:SHOWN])
