"""The scorers, tested before a GPU hour is spent: no model is loaded, no endpoint asked.

    answers                                             must score
    the references themselves                           1.0 by every metric, no output check fails
    the same in the pack's digits, look-alike letters,  1.0 by every metric that does not compare spelling
      with its sentence mark, non-joiners for blanks
    none; another question's; a wrong one               0; chance at most

Every benchmark goes the way of a real answer: through its extractor (final answer, number, choice) to its
metrics. One that refuses its own references measures itself, not a model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import regex
from numpy.typing import NDArray

from alif.evaluate import metrics, output_checks
from alif.evaluate.benchmark import Benchmark, GenerationRequest, ItemResult
from alif.evaluate.compare import MetricValues
from alif.evaluate.question_benchmark import question_benchmarks
from alif.evaluate.question_sets import read_question_sets
from alif.evaluate.testset import CHECKS, TestQuestion, read_test_questions, testset_benchmark
from alif.language import text
from alif.language.pack import Pack, load_pack
from alif.records import Example, FrozenModel
from alif.runs import StepOutput
from alif.settings import Recipe

__all__ = ["ScorerCheck", "SelfTest", "check_benchmark", "run_self_test"]

FULL = dict.fromkeys(metrics.OVERLAP - {"rouge_l"}, 100.0)
"""The best value of metrics that are no share."""
SHARES = metrics.SHARES | {"accuracy"}
MAX_ERROR = 1e-6
LIKELY, UNLIKELY = 1.0, 1e9
"""Bits of the right choice and of the others, whatever their length."""
MARK = "sentence mark"
"""Way to write an answer that chrF++ and BLEU tell from another, folded too: they compare marks."""
SLACK, DEVIATIONS = 0.1, 3.0
"""Share of other questions' answers that may be right by accident, and standard deviations on top of it."""
EXTRACTORS = {
    "number": "the value that an answer comes to (alif.language.answers.match)",
    "number_read": "numbers of a text (alif.language.answers.value_reader)",
    "choice": "the choice that an answer names (alif.language.answers.choices)",
    "choice_unreadable": "the choice that an answer names (alif.language.answers.choices)",
    "accepted": "final answer, accepted forms (alif.language.answers.answer_key)",
    "exact_match": "final answer (alif.language.text), its words (alif.language.answers.answer_words)",
    "accuracy": "the likeliest choice",
}
"""What reads the answer before a metric compares it."""


class ScorerCheck(FrozenModel):
    """One metric of one benchmark on one kind of answers."""

    benchmark: str
    answers: str
    """"references", "digits ۰…۹" …"""
    metric: str
    extractor: str
    value: float
    wanted: float
    """At least, or of wrong answers at most."""
    passed: bool
    example: str = ""
    """Id of the first item that is not as it should be."""

    def describe(self) -> str:
        item = f", first {self.example}" if self.example else ""
        return f"{self.metric} of {self.answers} is {self.value:g}, not {self.wanted:g}{item}"


class SelfTest(FrozenModel):
    """What the self-test found."""

    passed: bool
    checks: tuple[ScorerCheck, ...]
    not_checked: tuple[str, ...]
    """Benchmarks without an answer that can be right."""
    dropped: Mapping[str, int]
    """Rows that are no question, by reason."""

    @property
    def failed(self) -> tuple[ScorerCheck, ...]:
        return tuple(one for one in self.checks if not one.passed)


def run_self_test(recipe: Recipe) -> SelfTest:
    """Test the scorers of every benchmark of a recipe.

    Raises:
        DataError: a benchmark's file cannot be read, or no row of it can be used.
        RecipeError: a benchmark that does not fit the recipe.
    """
    own, known = load_pack(recipe.language.pack), load_pack(recipe.language.source)
    evaluate, template = recipe.evaluate, recipe.finetune.prompt_template
    folder, tokens = recipe.sources.folder, evaluate.max_new_tokens
    with TemporaryDirectory() as scratch, StepOutput(Path(scratch)) as output:
        questions = read_test_questions(output, own, folder, recipe.benchmarks, evaluate)
        asked = read_question_sets(output, recipe.benchmarks, recipe.benchmark, folder, evaluate, own, known)
        dropped = dict(output.dropped)
    request = GenerationRequest(questions, template, tokens)
    every = [testset_benchmark(questions, own, known, request, from_pack=False)] if questions else []
    every += [one for some in asked for one in question_benchmarks(some, template, tokens)]
    checks: list[ScorerCheck] = []
    for benchmark in every:
        pack = known if benchmark.facts.languages[:1] == (known.code,) else own
        checks += check_benchmark(benchmark, pack)
    names = {one.benchmark for one in checks}
    return SelfTest(
        passed=all(one.passed for one in checks),
        checks=tuple(checks),
        not_checked=tuple(one.name for one in every if one.name not in names),
        dropped=dropped,
    )


def check_benchmark(benchmark: Benchmark, pack: Pack) -> list[ScorerCheck]:
    """Test the scorers of one benchmark; none where its items have no right answer."""
    request = benchmark.request
    found: list[ScorerCheck] = []
    if isinstance(request, GenerationRequest):
        rows = request.questions
        for name, rewrite in _spellings(pack).items():
            results = _results(benchmark, [rewrite(row.output) for row in rows])
            found += _check_right(benchmark, name, results)
        others = _shuffle(rows, pack)
        wrong = [_wrong_answer(row, pack) or other for row, other in zip(rows, others, strict=True)]
        bad = {"empty": [""] * len(rows), "another question's": others, "wrong": wrong}
        for name, answers in bad.items():
            found += _check_wrong(benchmark, name, _results(benchmark, answers))
    elif benchmark.choices:
        for is_right in (True, False):
            results = [
                ItemResult(
                    id=id, bits=[LIKELY if (at == gold) == is_right else UNLIKELY for at in range(count)]
                )
                for id, (gold, count) in zip(benchmark.ids, benchmark.choices, strict=True)
            ]
            found += _check_right(benchmark, "references", results) if is_right else ()
            found += () if is_right else _check_wrong(benchmark, "wrong", results)
    return found


def _results(benchmark: Benchmark, answers: Sequence[str]) -> list[ItemResult]:
    return [ItemResult(id=id, text=answer) for id, answer in zip(benchmark.ids, answers, strict=True)]


def _check_right(benchmark: Benchmark, answers: str, results: Sequence[ItemResult]) -> Iterator[ScorerCheck]:
    plain = answers == "references"
    for values in benchmark.score(results).metrics:
        spelled = values.metric in (metrics.OVERLAP - {"rouge_l"} if MARK in answers else metrics.AS_WRITTEN)
        if _is_scored(values) and (plain or not spelled):
            wanted = 0.0 if values.lower_is_better else FULL.get(values.metric, 1.0)
            yield _check(
                benchmark, answers, values, results, wanted, np.abs(values.items.amounts - wanted) > MAX_ERROR
            )
        elif plain and values.benchmark == CHECKS and values.metric not in output_checks.NOTES:
            yield _check(benchmark, answers, values, results, 0.0, values.items.amounts > 0)


def _check_wrong(benchmark: Benchmark, answers: str, results: Sequence[ItemResult]) -> Iterator[ScorerCheck]:
    for values in benchmark.score(results).metrics:
        if (
            not _is_scored(values)
            or values.lower_is_better
            or (answers != "empty" and values.metric not in SHARES)
        ):
            continue
        if values.metric == "number_read" and answers != "empty":
            continue  # of another number too
        chance, n = values.chance or SLACK, max(len(values.items), 1)
        most = 0.0 if answers == "empty" else chance + DEVIATIONS * math.sqrt(chance * (1 - chance) / n)
        over = values.items.value > most + MAX_ERROR
        yield _check(benchmark, answers, values, results, most, (values.items.amounts > 0) & over)


def _is_scored(values: MetricValues) -> bool:
    return values.metric in SHARES or values.metric in metrics.METRICS


def _check(
    benchmark: Benchmark,
    answers: str,
    values: MetricValues,
    results: Sequence[ItemResult],
    wanted: float,
    wrong: NDArray[np.bool_],
) -> ScorerCheck:
    places = np.flatnonzero(wrong)
    named = len(values.items) == len(results)  # a part of the items has other places
    return ScorerCheck(
        benchmark=benchmark.name,
        answers=answers,
        metric=f"{values.benchmark}: {values.metric}",
        extractor=EXTRACTORS.get(values.metric, "words and letters (alif.language.text)"),
        value=round(values.items.value, 6),
        wanted=round(wanted, 6),
        passed=not len(places),
        example=results[places[0]].id if len(places) and named else "",
    )


def _spellings(pack: Pack) -> dict[str, Callable[[str], str]]:
    """Return ways to write the same answer, by name."""
    found: dict[str, Callable[[str], str]] = {"references": lambda value: value}
    for system in pack.numbers.digits:
        if not system.isascii():
            digits = str.maketrans("0123456789", system)
            found[f"digits {system}"] = partial(_translate, table=digits)
    marks = pack.sentences.marks
    found[f"{MARK} {marks[0]}"] = lambda value: f"{value.rstrip(marks)}{marks[0]}"
    alike = [pair for pair in pack.lookalikes.items() if pack.compare.letters.get(pair[0]) == pair[1]]
    if alike:
        letters = {ord(right): wrong for wrong, right in reversed(alike)}
        found["look-alike letters"] = partial(_translate, table=letters)
    if "\u200c" in pack.compare.space:
        script = rf"\p{{Script={pack.script.name}}}{{3}}"  # beside a shorter word it is a slip of the finger
        found["non-joiners"] = partial(regex.sub, rf"(?<={script}) (?={script})", "\u200c")
    return found


def _translate(value: str, table: Mapping[int, int | str]) -> str:
    return value.translate(table)


def _shuffle(rows: Sequence[Example], pack: Pack) -> list[str]:
    """Return for each question the reference of another one whose reference is not the same."""
    folded = [text.fold_text(row.output, pack) for row in rows]
    found = []
    for place, own in enumerate(folded):
        first = place + 1 + len(rows) // 3
        later = (at % len(rows) for at in range(first, first + len(rows)))
        found.append(next((rows[at].output for at in later if folded[at] != own), ""))
    return found


def _wrong_answer(row: Example, pack: Pack) -> str:
    """Return an answer that is wrong for sure: a refused form, or another number; "" if neither is there."""
    if isinstance(row, TestQuestion) and row.key.refuse:
        return row.key.refuse[0]
    value = text.parse_number(row.output, pack)
    return "" if value is None else str(value + 7)
