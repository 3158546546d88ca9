"""A recipe's [benchmark.NAME] as what systems are asked, and its scores, the same for every form.

mgsm                   the mean over the wordings, with the first number of shots
mgsm/wording-2         one wording               mgsm/4-shot, mgsm/4-shot/wording-2
number_spread          the best wording less the worst one, on the same questions

asked       form            right where                                              by chance
likelihood  choice          the likeliest choice a byte is the right one             1 / choices
            label, pair     the likeliest whole label, sentence is                   1 / choices
text        choice, label   the one choice that the answer names is; some name none  1 / choices
            number          the number that the answer comes to is; some have none
            short           an accepted form is said
            translation     chrF++ and BLEU with the nearest reference
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from alif.benchmark_items import Item
from alif.evaluate import metrics
from alif.evaluate.benchmark import (
    Benchmark,
    GenerationRequest,
    ItemResult,
    LikelihoodRequest,
    PairScores,
    digest_json,
    join_names,
)
from alif.evaluate.compare import MetricValues
from alif.evaluate.multiple_choice import encode_choice, encode_sentence
from alif.evaluate.question_sets import QuestionSet
from alif.evaluate.stats import Items
from alif.evaluate.wordings import Prompt, Variant, choice_letters, list_variants, write_prompts
from alif.facts.evaluation_facts import AnswerMarks, AnswerRow, BenchmarkFacts
from alif.language.answers import choices
from alif.language.answers.answer_key import AnswerKey
from alif.language.answers.choices import OfferedChoices
from alif.records import Example, Message, Origin
from alif.student import Student
from alif.student.chat_template import Template
from alif.student.likelihood import LikelihoodInput

__all__ = ["question_benchmarks"]

WRITTEN_METRICS: Mapping[str, tuple[str, ...]] = {
    "choice": ("choice", "choice_unreadable"),
    "label": ("choice", "choice_unreadable"),
    "number": ("number", "number_read"),
    "short": ("accepted", "token_f1"),
    "translation": ("chrf++", "bleu", "chrf++_folded"),
}
"""Metrics of written answers, the main one first, by the names of `metrics.METRICS`."""
SIGNATURES = {
    "choice": "accuracy|likeliest choice a byte, separator and choice",
    "label": "accuracy|likeliest label, whole",
    "pair": "accuracy|likelier sentence, whole",
}


SPREAD = "_spread"
"""Ends the name of a metric's best wording less its worst one."""
SHARES = metrics.SHARES | {"accuracy"}
LOWER_IS_BETTER = metrics.LOWER_IS_BETTER | {"gold_bits_per_byte"}

Measure = Callable[[Item, ItemResult], Sequence[float]]
"""What an item's result is worth by each metric."""


def question_benchmarks(asked: QuestionSet, template: Template, max_new_tokens: int) -> list[Benchmark]:
    """Return what systems are asked: by log-probability, for a text, or both.

    Raises:
        RecipeError: a wording that does not fit the rows.
    """
    table = asked.table
    if table.form in ("number", "short", "translation") or table.asked == "text":
        return [_written_benchmark(asked, asked.name, template, max_new_tokens)]
    found = [_likelihood_benchmark(asked)]
    if table.asked == "both":
        found.append(_written_benchmark(asked, f"{asked.name}.text", template, max_new_tokens))
    return found


def _likelihood_benchmark(asked: QuestionSet) -> Benchmark:
    table, variants = asked.table, list_variants(asked.table, written=False)
    prompts = write_prompts(asked, variants)

    def encode(student: Student) -> list[list[LikelihoodInput]]:
        tokenizer = student.tokenizer
        if table.form == "pair":
            return [[encode_sentence(one, tokenizer) for one in item.choices] for item in asked.items]
        found = []
        for item, prompt in zip([*asked.items] * len(variants), prompts, strict=True):
            shown = "".join(f"{one}{table.separator}{right}\n\n" for one, right in prompt.examples)
            context = shown + prompt.question
            found.append([encode_choice(context, one, tokenizer, table.separator) for one in item.choices])
        return found

    def sizes_of(item: Item) -> list[int]:
        return [len(f"{table.separator}{choice}".encode()) for choice in item.choices]

    def choose(item: Item, result: ItemResult) -> int:
        sizes = sizes_of(item) if table.form == "choice" else [1] * len(item.choices)
        rates = [bits / size for bits, size in zip(result.bits, sizes, strict=True)]
        return rates.index(min(rates))

    def measure(item: Item, result: ItemResult) -> Sequence[float]:
        right = float(choose(item, result) == item.gold)
        return right, result.bits[item.gold] / sizes_of(item)[item.gold]

    how = f"{SIGNATURES[table.form]}|separator {table.separator!r}"
    names = {"accuracy": how, "gold_bits_per_byte": "bits of the right choice by its bytes"}
    return Benchmark(
        _describe(asked, asked.name, prompts),
        _item_ids(asked, variants),
        LikelihoodRequest(encode, settings=how),
        lambda results: PairScores(
            _score_variants(asked, names, measure, results),
            answers=[
                (item.choices[found], _mark_answer(found == item.gold))
                for item, found in zip(asked.items, map(choose, asked.items, results), strict=True)
            ],
        ),
        choices=[(item.gold, len(item.choices)) for item in asked.items] * len(variants),
        texts=[(item.question, item.right) for item in asked.items],
        rows=_answer_rows(asked, asked.name),
    )


def _written_benchmark(asked: QuestionSet, name: str, template: Template, max_new_tokens: int) -> Benchmark:
    table, variants = asked.table, list_variants(asked.table, written=True)
    prompts, letters = write_prompts(asked, variants), functools.partial(choice_letters, pack=asked.pack)
    metric_names = WRITTEN_METRICS[table.form]

    def measure(item: Item, result: ItemResult) -> Sequence[float]:
        if item.choices:
            offered = OfferedChoices(letters(len(item.choices)), item.choices)
            named = choices.read_choice(metrics.clip_text(result.text), offered, asked.pack)
            return float(named == item.gold), float(named is None)
        is_text = table.form == "translation"
        key = AnswerKey(references=item.answers) if is_text else AnswerKey(accept=item.answers)
        scores = metrics.AnswerScores(result.text, item.answers[0], None, asked.pack, key)
        return [float(getattr(scores, metrics.METRICS[name])) for name in metric_names]

    signatures = {one: metrics.metric_signatures()[one] for one in metric_names}
    questions = [
        Example.make(asked.pack.code, "", prompt.question, "", item.right, Origin(kind="source")).with_turns(
            tuple(
                Message(role=role, content=content)
                for pair in prompt.examples
                for role, content in zip(("user", "assistant"), pair, strict=True)
            )
        )
        for item, prompt in zip([*asked.items] * len(variants), prompts, strict=True)
    ]
    return Benchmark(
        _describe(asked, name, prompts),
        _item_ids(asked, variants),
        GenerationRequest(questions, template, table.max_new_tokens or max_new_tokens),
        lambda results: PairScores(
            _score_variants(asked, signatures, measure, results),
            answers=[
                (result.text, _mark_answer(measure(item, result)[0], table.form, result.finished))
                for item, result in zip(asked.items, results, strict=False)
            ],
        ),
        texts=[(item.question, item.right) for item in asked.items],
        rows=_answer_rows(asked, name),
    )


def _item_ids(asked: QuestionSet, variants: Sequence[Variant]) -> list[str]:
    """Return an id for each item in each variant: its own in the main one, "7|4-shot|wording-2" in others."""
    names = ["", *(f"|{one.shots}-shot|wording-{one.wording + 1}" for one in variants[1:])]
    return [f"{item.id}{name}" for name in names for item in asked.items]


def _answer_rows(asked: QuestionSet, name: str) -> list[AnswerRow]:
    """Return the items as the report shows them; the two sentences of a pair in the order of the alphabet."""
    pair = asked.table.form == "pair"
    return [
        AnswerRow(
            id=item.id,
            benchmark=name,
            task="",
            language=asked.pack.code,
            instruction="\n".join(sorted(item.choices)) if pair else item.question,
            input="" if pair else "\n".join(item.choices),
            reference=item.right,
            sample=True,
            answers={},
            marks={},
        )
        for item in asked.items
    ]


def _mark_answer(score: float, form: str = "choice", finished: bool = True) -> AnswerMarks:
    """Return an answer's main score as a mark: right or wrong, or of a translation its chrF++."""
    overlap = form == "translation"
    return {
        "accepted": None if overlap else bool(score),
        "exact_match": not overlap and bool(score),
        "chrf++": round(score, 2) if overlap else 0.0,
        "faults": [],
        "finished": finished,
    }


def _describe(asked: QuestionSet, name: str, prompts: Sequence[Prompt]) -> BenchmarkFacts:
    items, origins = asked.items, {item.provenance for item in asked.items}
    answers: list[JsonValue] = [[item.id, *item.choices, item.gold, *item.answers] for item in items]
    written: list[JsonValue] = [[one.question, *itertools.chain(*one.examples)] for one in prompts]
    return BenchmarkFacts(
        name=name,
        languages=(asked.pack.code,),
        provenance=origins.pop() if len(origins) == 1 else "unknown",
        licence=join_names(item.licence for item in items),
        n=len(items),
        digest=digest_json(name, answers, written, asked.table.separator),
        form=asked.table.form,
        wordings=asked.table.wordings,
        shots=asked.table.shots,
    )


def _score_variants(
    asked: QuestionSet, signatures: Mapping[str, str], measure: Measure, results: Sequence[ItemResult]
) -> list[MetricValues]:
    """Return every metric with each number of shots: over all wordings, of each, and their spread."""
    table, n = asked.table, len(asked.items)
    items = [*asked.items] * (len(results) // n)
    values = np.array([measure(item, result) for item, result in zip(items, results, strict=True)])
    by_shots = values.reshape(len(table.shots), -1, n, len(signatures))
    chance = sum(1 / len(item.choices) for item in asked.items) / n if asked.items[0].choices else None
    clusters = [item.cluster or item.id for item in asked.items]
    main, unit = next(iter(signatures)), 100 if table.form == "translation" else 1
    found: list[MetricValues] = []

    def add(metric: str, amounts: Sequence[float], shots: int, wording: int = 0) -> None:
        place = f"/{shots}-shot" if shots != table.shots[0] else ""
        name, several = metric.removesuffix(SPREAD), len(table.wordings) > 1 and not wording
        mean = f"|mean of {len(table.wordings)} wordings" if several else ""
        found.append(
            MetricValues(
                benchmark=f"{asked.label}{place}" + (f"/wording-{wording}" if wording else ""),
                metric=metric,
                language=asked.pack.code,
                items=Items.of(amounts, clusters=clusters),
                ids=[item.id for item in asked.items],
                signature=f"{signatures[name]}|{shots} shots{mean}",
                lower_is_better=metric in LOWER_IS_BETTER or metric != name,
                share=name in SHARES and metric == name and not several,
                margin=asked.margin and unit * asked.margin if metric == main else None,
                chance=chance if metric == main else None,
                shots=shots,
                wording=wording,
            )
        )

    for shots, by_wording in zip(table.shots, by_shots, strict=True):
        for number, metric in enumerate(signatures):
            each = by_wording[:, :, number]
            add(metric, each.mean(axis=0), shots)
            if len(each) > 1:
                for wording, amounts in enumerate(each, 1):
                    add(metric, amounts, shots, wording)
                best, worst = each.mean(axis=1).argmax(), each.mean(axis=1).argmin()
                if metric == main:
                    add(f"{metric}{SPREAD}", each[best] - each[worst], shots)
    return found
