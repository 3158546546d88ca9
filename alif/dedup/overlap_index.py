"""Where benchmark items stand in training texts: the index of decontamination and of the evaluation's card.

    prompt      a row's prompt, a field of it, its beginning or end, or a line of a text is the item's prompt
    13 words    a run of the item's prompt and right answer that only copies share (GPT-3)
    8 words     70 % of the item's runs of 8 words (PaLM); one alone may be a common phrase
    template    the prompt with other numbers in it
    ROUGE-L     a prompt in nearly the same words, by the index of the pool, numbers apart
    numbers     a problem with the same numbers and the same result, in whatever words or language

Words are the pack's, so case, spelling variants, digits of a script and punctuation make no difference. Only
n-grams of the benchmarks are kept, 12 bytes each, while training texts stream by. What no rule finds is a
question in other words, and one in another language with too few numbers.

Source: 13 of GPT-3, arXiv 2005.14165, appendix C; 8 and 70 % of PaLM, arXiv 2204.02311, section 8.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from alif.dedup.rouge_index import RougeLIndex
from alif.language import text
from alif.language.pack import Pack
from alif.language.protected_spans import protected_numbers
from alif.records import Document, Example, PreferencePair

__all__ = ["NGRAMS", "UNDETECTED", "BenchmarkText", "Leak", "OverlapIndex", "TrainingText"]

SHORT, LONG = NGRAMS = (8, 13)
"""Words of a run."""
MIN_SHARE = 0.7
"""Least share of an item's runs of 8 words in a text that is a copy."""
MIN_LINE = 4
"""Fewest words of a line, a field or an end that is an item's whole prompt; of fewer, which are common, the
right answer stands in the text too."""
MIN_TEMPLATE, MIN_NEAR, MAX_NEAR = 8, 12, 1_000
"""Fewest words, numbers apart, of a template, and of a prompt that is compared by ROUGE-L; its most words."""
NEAR = 0.75
"""ROUGE-L F1 from which two prompts are one. Measured with 182,431 rows and 15,323 items: at 0.7 and from 8
words on, 79 pairs such as "the difference between magma and lava" and another difference; like this, none."""
MIN_NUMBERS, MIN_BITS, MIN_SHARED = 3, 12.0, 0.5
"""Fewest numbers of a problem that is told by them, with their information as the sum of log2(1 + n), or with
the share of words that both have. Measured: among 8,254 problems of GSM8K and SVAMP, 5 pairs are alike by
chance from 12 bits on, 59 without."""
UNDETECTED = "A question in other words, or in another language with too few numbers, is not found."


@dataclass(frozen=True)
class BenchmarkText:
    """An item of a benchmark, as it is looked for."""

    benchmark: str
    item: str
    prompt: str
    answer: str = ""
    """The right one."""
    number: str = ""
    """The right one too, where it is a number."""

    @property
    def name(self) -> str:
        return f"{self.benchmark}#{self.item}"


@dataclass(frozen=True)
class TrainingText:
    """A row or document that was trained on, or may be."""

    place: str
    text: str
    fields: tuple[str, ...] = ()
    """Instruction and input of a row, which are part of `text`; of a document none."""

    @classmethod
    def of(cls, row: Example | Document, step: str = "") -> TrainingText:
        """Return the text of a row with all of its turns and answers, or of a document."""
        place = f"{step}/examples.jsonl#{row.id}" if step else row.id
        if isinstance(row, Document):
            return cls(place, f"{row.title}\n{row.text}" if row.title else row.text)
        rejected = [row.rejected] if isinstance(row, PreferencePair) else []
        turns = (message.content for message in row.turns)
        fields = tuple(filter(None, (row.instruction, row.input)))
        return cls(place, "\n".join((*turns, *fields, row.output, *rejected)), fields)


@dataclass(frozen=True)
class Leak:
    """The item that a text gives away, by which rule, and what shows it."""

    item: BenchmarkText
    rule: str
    evidence: str
    similarity: float
    """ROUGE-L F1 of the item's prompt and of what was compared with it."""


class OverlapIndex:
    """The items' words, and the items that a training text gives away."""

    def __init__(self, items: Sequence[BenchmarkText], pack: Pack) -> None:
        self.items, self._pack = items, pack
        self._prompts: dict[tuple[str, ...], list[int]] = {}
        self._templates: dict[tuple[str, ...], int] = {}
        self._near = RougeLIndex(NEAR)
        self._problems: dict[tuple[str, ...], list[int]] = {}
        hashes, owners = ({n: array(kind) for n in NGRAMS} for kind in "ql")
        for number, item in enumerate(items):
            words, prompt = self._words(f"{item.prompt}\n{item.answer}"), self._words(item.prompt)
            if not prompt:
                continue
            self._prompts.setdefault(prompt, []).append(number)
            template, spoken = _without_numbers(prompt)
            if spoken >= MIN_TEMPLATE and template != prompt:
                self._templates.setdefault(template, number)
            if spoken >= MIN_NEAR and len(prompt) <= MAX_NEAR:
                self._near.add(str(number), template)
            if item.number and (problem := _problem(protected_numbers(item.prompt, pack))):
                self._problems.setdefault(problem, []).append(number)
            for n in NGRAMS:
                grams = _hash_ngrams(words, n)
                hashes[n].extend(grams.tolist())
                owners[n].extend([number] * len(grams))
        order = {n: np.argsort(np.asarray(hashes[n], dtype=np.int64), kind="stable") for n in NGRAMS}
        self._hashes = {n: np.asarray(hashes[n], dtype=np.int64)[order[n]] for n in NGRAMS}
        self._owners = {n: np.asarray(owners[n], dtype=np.int32)[order[n]] for n in NGRAMS}

    def __len__(self) -> int:
        return len(self._prompts)

    def count_short(self, benchmark: str, n: int) -> int:
        """Return how many items of a benchmark have a prompt of fewer words than a run of `n`."""
        short = chain.from_iterable(found for words, found in self._prompts.items() if len(words) < n)
        return sum(self.items[number].benchmark == benchmark for number in short)

    def shared_words(self, trained: TrainingText) -> dict[tuple[int, int], str]:
        """Return what a text shares with items, by item and n: a run of `n` words, or a shorter prompt."""
        lines, found = self._lines(trained.text), dict[tuple[int, int], str]()
        words = tuple(chain.from_iterable(lines))
        for number, n, place in self._runs(words):
            found.setdefault((number, n), " ".join(words[place : place + n]))
        asked = tuple(chain.from_iterable(map(self._words, trained.fields)))
        for whole in (asked, *(line for line in lines if line)):
            for number in self._prompts.get(whole, ()):
                for n in NGRAMS:
                    if len(whole) < n:
                        found.setdefault((number, n), " ".join(whole))
        return found

    def find_leak(self, trained: TrainingText) -> Leak | None:
        """Return an item that a text gives away, by the first rule that finds one."""
        lines, fields = self._lines(trained.text), [self._words(field) for field in trained.fields]
        whole = tuple(chain.from_iterable(lines))
        prompts = [tuple(chain.from_iterable(fields))] if fields else []
        if len(fields) > 1:
            prompts += [*fields, tuple(chain.from_iterable(reversed(fields)))]
        ends = [end for one in prompts for n in range(1, SHORT) for end in (one[:n], one[-n:])]
        return (
            self._find_prompt([*prompts, whole, *lines, *ends], whole)
            or self._find_runs(whole)
            or (self._find_runs(prompts[-1]) if len(fields) > 1 else None)
            or self._find_near(prompts)
            or (self._find_problem(trained, prompts[0]) if prompts else None)
        )

    def _find_prompt(self, candidates: Sequence[tuple[str, ...]], whole: tuple[str, ...]) -> Leak | None:
        """Return an item whose prompt is a candidate; the first of them is the text's own prompt."""
        for place, words in enumerate(candidates):
            for number in self._prompts.get(words, ()):
                answer = " ".join(self._words(self.items[number].answer))
                if (
                    not place
                    or len(words) >= MIN_LINE
                    or (answer and f" {answer} " in f" {' '.join(whole)} ")
                ):
                    return self._leak(number, "prompt", " ".join(words), words)
        return None

    def _find_runs(self, words: tuple[str, ...]) -> Leak | None:
        shared = list(self._runs(words))
        for number, n, place in shared:
            if n == LONG:
                return self._leak(number, f"{n} words", " ".join(words[place : place + n]), words)
        grams: set[int] = set()
        for number, place in {number: place for number, _, place in reversed(shared)}.items():
            grams = grams or set(_hash_ngrams(words, SHORT).tolist())
            own = set(_hash_ngrams(self._words(self.items[number].prompt), SHORT).tolist())
            if own and len(own & grams) >= MIN_SHARE * len(own):
                evidence = f"{' '.join(words[place : place + SHORT])}, {len(own & grams)} of {len(own)} runs"
                return self._leak(number, f"{SHORT} words", evidence, words)
        return None

    def _find_near(self, prompts: Sequence[tuple[str, ...]]) -> Leak | None:
        for words in prompts:
            template, spoken = _without_numbers(words)
            if spoken < MIN_TEMPLATE or len(words) > MAX_NEAR:
                continue
            if (number := self._templates.get(template)) is not None:
                return self._leak(number, "template", " ".join(words), words)
            if spoken >= MIN_NEAR and (found := self._near.nearest(template)):
                return self._leak(int(found[0]), "ROUGE-L", f"{found[1]:.2f} of the words", words)
        return None

    def _find_problem(self, trained: TrainingText, words: tuple[str, ...]) -> Leak | None:
        given = protected_numbers("\n".join(trained.fields), self._pack) if self._problems else Counter[str]()
        for number in self._problems.get(_problem(given), ()):
            item = self.items[number]
            found = protected_numbers(trained.text, self._pack) - given
            if not protected_numbers(item.number, self._pack) <= found:
                continue
            own = set(self._words(item.prompt))
            alike = len(own.intersection(words)) >= MIN_SHARED * len(own)
            if alike or sum(math.log2(1 + int(one)) for one in given) >= MIN_BITS:
                return self._leak(number, "numbers", f"{', '.join(_problem(given))} → {item.number}", words)
        return None

    def _leak(self, number: int, rule: str, evidence: str, words: Sequence[str]) -> Leak:
        item = self.items[number]
        likeness = Indel.normalized_similarity(words, self._words(item.prompt))
        return Leak(item, rule, evidence, round(likeness, 3))

    def _runs(self, words: tuple[str, ...]) -> Iterator[tuple[int, int, int]]:
        """Yield (item, n, place) of each run of words that an item has too."""
        for n in NGRAMS:
            grams = _hash_ngrams(words, n)
            left, right = (np.searchsorted(self._hashes[n], grams, side) for side in ("left", "right"))
            places = np.flatnonzero(right > left).tolist()
            for place in places:
                for number in self._owners[n][left[place] : right[place]].tolist():
                    yield number, n, place
            if not places:  # what shares no 8 words shares no 13
                return

    def _lines(self, value: str) -> list[tuple[str, ...]]:
        return [self._words(line) for line in value.splitlines()]

    def _words(self, value: str) -> tuple[str, ...]:
        return tuple(text.split_words(value, self._pack))


def _hash_ngrams(words: tuple[str, ...], n: int) -> NDArray[np.int64]:
    """Return a hash of each run of `n` words; the same words have the same one within a process."""
    count = max(0, len(words) - n + 1)
    return np.fromiter((hash(words[at : at + n]) for at in range(count)), dtype=np.int64, count=count)


def _without_numbers(words: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Return the words with all numbers alike, and how many are no numbers."""
    numbers = [word.isdecimal() for word in words]
    template = tuple("0" if number else word for word, number in zip(words, numbers, strict=True))
    return template, len(words) - sum(numbers)


def _problem(numbers: Counter[str]) -> tuple[str, ...]:
    """Return the numbers by which a problem is looked up, () where they are too few."""
    return tuple(sorted(numbers.elements())) if numbers.total() >= MIN_NUMBERS else ()
