"""Measure what teachers wrote to the same requests: acceptance, variety, length, fidelity, price.

The unit is the request: rows of one reply resemble each other, so replies are resampled whole, and two
teachers are compared request by request. The interval of a share is at least as wide as Wilson's for
independent rows, which also holds where all are alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from alif import sampling
from alif.dedup.ngrams import word_ngrams
from alif.evaluate.benchmark import ItemResult, LikelihoodRequest
from alif.evaluate.compare import MetricValues, compare_metrics
from alif.evaluate.heldout import answers_benchmark
from alif.evaluate.output_checks import FAULTS, find_faults
from alif.evaluate.stats import Bootstrap, Items, bootstrap_interval, wilson_interval
from alif.evaluate.system import ask_student
from alif.facts.evaluation_facts import Comparison
from alif.facts.screening_facts import Interval, ScreenedTeacher, TeacherMeasures
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped
from alif.student import Student

__all__ = ["linearise_ratio", "measure_teachers"]

NO_CHECK = ("empty", "unfinished", "overlong", "refusal", "generic", "generic_opening")
CHECKS = tuple(name for name in FAULTS if name not in NO_CHECK)
"""The output checks of letters, script, language and loops. There is no reference answer, and without one
`wrong_language` finds 9 of the Urdu pack's 658 seeds: tables of names and numbers."""
SHARES = ("acceptance", "fidelity", *CHECKS)
PRICE = "usd_per_kept_row"
COMPARED = {"acceptance": False, "fidelity": True, PRICE: True}
"""What is compared with the first teacher, and whether less is better."""
FIELDS = ("instruction", "output")
MIN_WORDS = 100
"""The share of distinct words falls with their number, so it is taken of as many words of each teacher. One
that wrote fewer than these would leave too few of the others, and is not measured."""
MAX_OUTPUTS = 512
"""Most outputs of a teacher that the base reads."""
WINDOW = 2048
"""Longest stretch that it reads at once, in tokens."""
DIGITS = 9
"""Decimal places: the last digits of a float sum depend on the machine."""

Ratio = dict[int, tuple[float, float]]
"""Amount and size by request: what is measured is sum(amounts) / sum(sizes)."""


def measure_teachers(
    teachers: Sequence[ScreenedTeacher], own: Pack, known: Pack, bootstrap: Bootstrap, base: Student | None
) -> list[TeacherMeasures]:
    """Return the measures of each teacher, in their order; `base` reads kept outputs, where there is one.

    Raises:
        ModelError: its log-probabilities are not finite.
    """
    ratios = [_count_rows(one, own, known) for one in teachers]
    for field in FIELDS:
        _count_distinct(field, teachers, ratios, own)
    measured = []
    for one, ratio in zip(teachers, ratios, strict=True):
        pieces = [piece for reply in one.replies.values() for piece in reply.pieces]
        reasons = Counter(piece.reason for piece in pieces if isinstance(piece, Dropped))
        if base:
            ratio["bits_per_byte"] = _read_outputs(one, base, bootstrap.seed)
        found = {name: _measure_ratio(name, counts, bootstrap) for name, counts in ratio.items()}
        measured.append(
            TeacherMeasures(
                teacher=one.name,
                model=one.model,
                requests=len(one.replies),
                items=len(pieces),
                kept=len(pieces) - reasons.total(),
                acceptance=found["acceptance"],
                reasons=dict(reasons.most_common()),
                distinct={name: found[name] for field in FIELDS for name in (f"{field}_1", f"{field}_2")},
                words=_measure_words(one, own, bootstrap),
                fidelity={"any": found["fidelity"], **{name: found[name] for name in CHECKS}},
                bits_per_byte=found.get("bits_per_byte"),
                usd_per_kept_row=found[PRICE],
                against_first=_compare(one, ratio, teachers[0], ratios[0], own.code, bootstrap),
                problem=f"{one.problem.message}. {one.problem.hint}" if one.problem else "",
            )
        )
    return measured


def _count_rows(teacher: ScreenedTeacher, own: Pack, known: Pack) -> dict[str, Ratio]:
    """Return shares of items that are kept and of rows with a fault, and the price of kept rows."""
    ratios: dict[str, Ratio] = {name: {} for name in (*SHARES, PRICE)}
    for number, reply in teacher.replies.items():
        rows, kept = reply.readable, len(reply.kept)
        questions = [row.model_copy(update={"output": ""}) for row in rows]  # there is no reference
        answers = [ItemResult(id=row.id, text=row.output) for row in rows]
        faults = [set(CHECKS).intersection(one) for one in find_faults(questions, answers, own, known)]
        ratios["acceptance"][number] = kept, len(reply.pieces)
        ratios["fidelity"][number] = sum(map(bool, faults)), len(rows)
        for name in CHECKS:
            ratios[name][number] = sum(name in one for one in faults), len(rows)
        ratios[PRICE][number] = reply.usd, kept
    return ratios


def _count_distinct(
    field: str, teachers: Sequence[ScreenedTeacher], ratios: Sequence[dict[str, Ratio]], own: Pack
) -> None:
    """Add distinct words and pairs of words: each occurrence counts one over how often it occurs."""
    written = [
        {
            number: [text.split_words(getattr(row, field), own) for row in reply.readable]
            for number, reply in one.replies.items()
        }
        for one in teachers
    ]
    sizes = [sum(len(row) for rows in one.values() for row in rows) for one in written]
    most = min((size for size in sizes if size >= MIN_WORDS), default=0)
    for words, size, ratio in zip(written, sizes, ratios, strict=True):
        left, taken = most if size >= MIN_WORDS else 0, dict[int, list[list[str]]]()
        for number, rows in words.items():
            taken[number] = []
            for row in rows:
                taken[number].append(row[:left])
                left -= len(row[:left])
        for n in (1, 2):
            grams = {
                number: [gram for row in rows for gram in word_ngrams(row, n)]
                for number, rows in taken.items()
            }
            count = Counter(gram for some in grams.values() for gram in some)
            ratio[f"{field}_{n}"] = {
                number: (sum(1 / count[gram] for gram in some), len(some)) for number, some in grams.items()
            }


def _read_outputs(teacher: ScreenedTeacher, base: Student, seed: int) -> Ratio:
    """Return bits and bytes of kept outputs, each read after its prompt."""
    kept = [(number, row) for number, reply in teacher.replies.items() for row in reply.kept]
    chosen = sampling.sample_by_hash(kept, MAX_OUTPUTS, seed, lambda one: one[1].id)
    longest = getattr(base.model.config, "max_position_embeddings", None) or WINDOW
    benchmark = answers_benchmark([row for _, row in chosen], "alpaca")
    if isinstance(benchmark.request, LikelihoodRequest):  # it is; some configs tell no window
        asked = replace(benchmark.request, window=min(WINDOW, longest))
        benchmark = replace(benchmark, request=asked)
    found: Ratio = {}
    for (number, row), result in zip(chosen, ask_student(base, benchmark), strict=True):
        bits, size = found.get(number, (0.0, 0))
        found[number] = bits + result.bits[0], size + len(row.output.encode())
    return found


def linearise_ratio(pairs: Iterable[tuple[float, float]]) -> Items | None:
    """Return a ratio of sums as a mean over requests: exact in value, to first order in spread.

    So it can be resampled and paired though sizes differ, or are 0; None where all are.

    Source: Taylor linearisation, Cochran, Sampling Techniques, 1977, section 6.3.
    """
    amounts, sizes = np.asarray(list(pairs), dtype=np.float64).reshape(-1, 2).T
    if not sizes.sum():
        return None
    ratio = amounts.sum() / sizes.sum()
    return Items.of(list(ratio + (amounts - ratio * sizes) / sizes.mean()))


def _measure_ratio(name: str, ratio: Ratio, bootstrap: Bootstrap) -> Interval | None:
    items = linearise_ratio(ratio.values())
    if items is None:
        return None
    found = bootstrap_interval(items, bootstrap)
    low, high = found.low, found.high if name in (PRICE, "bits_per_byte") else min(1.0, found.high)
    if name in SHARES:
        hits, rows = (int(sum(column)) for column in zip(*ratio.values(), strict=True))
        wilson = wilson_interval(Items.of([1.0] * hits + [0.0] * (rows - hits)))
        low, high = min(low, wilson.low), max(high, wilson.high)
    return _interval(found.value, low, high)


def _interval(value: float, low: float, high: float) -> Interval:
    low = max(0.0, low)  # nothing that is measured here is negative
    return Interval(value=round(value, DIGITS), low=round(low, DIGITS), high=round(high, DIGITS))


def _measure_words(teacher: ScreenedTeacher, own: Pack, bootstrap: Bootstrap) -> dict[str, Interval | None]:
    """Return median and coefficient of variation of the words of kept rows, by field."""
    found: dict[str, Interval | None] = {}
    for field in FIELDS:
        counts = [
            np.asarray([len(text.split_words(getattr(row, field), own)) for row in reply.kept])
            for reply in teacher.replies.values()
            if reply.kept
        ]
        found |= {f"{field}_median": None, f"{field}_cv": None}
        if counts:
            random = np.random.default_rng(bootstrap.seed)
            draws = random.integers(len(counts), size=(bootstrap.resamples, len(counts)))
            pooled = [np.concatenate([counts[one] for one in draw]) for draw in (range(len(counts)), *draws)]
            table = np.asarray([(np.median(words), words.std() / words.mean()) for words in pooled])
            bounds = np.quantile(table, [0.025, 0.975], axis=0)
            found[f"{field}_median"], found[f"{field}_cv"] = map(_interval, table[0], *bounds)
    return found


def _compare(
    teacher: ScreenedTeacher,
    after: Mapping[str, Ratio],
    first: ScreenedTeacher,
    before: Mapping[str, Ratio],
    language: str,
    bootstrap: Bootstrap,
) -> dict[str, Comparison]:
    """Return the paired differences to the first teacher, on the requests that both have answered."""
    if teacher is first:
        return {}
    common = [number for number in first.replies if number in teacher.replies]
    earlier, later = list[MetricValues](), list[MetricValues]()
    for metric, lower in COMPARED.items():
        old, new = (linearise_ratio(ratio[metric][number] for number in common) for ratio in (before, after))
        if old and new:
            earlier.append(MetricValues("teachers", metric, language, old, "", lower))
            later.append(MetricValues("teachers", metric, language, new, "", lower))
    return {one.metric: one for one in compare_metrics(teacher.name, later, first.name, earlier, bootstrap)}
