"""Multiple choice by log-probability: the system's answer is the likeliest choice.

    {"id": "arc_easy-0006", "question": "A student has …", "choices": ["wash hands", "turn off …"], "gold": 0}

Each choice follows the question after a space, and its log-probability is divided by its bytes, because a
long answer would lose otherwise. No letters A to D and no prompt: knowledge is measured, not the format. The
file's name is benchmark and language, `arc_easy.en.jsonl.gz` (`mmlu_test.en.jsonl.gz` is `mmlu`); rows may
state `provenance` and `licence`. "pack" is choices.jsonl of both packs, where they have one:
`pack_choices.en`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import get_args

from transformers import PreTrainedTokenizerBase

from alif import sampling, sources
from alif.evaluate.benchmark import (
    Benchmark,
    ItemResult,
    LikelihoodRequest,
    PairScores,
    count_sample,
    digest_json,
    join_names,
)
from alif.evaluate.compare import MetricValues
from alif.evaluate.stats import Items
from alif.facts.evaluation_facts import BenchmarkFacts, Provenance
from alif.language.pack import Pack
from alif.records import Dropped
from alif.runs import StepOutput
from alif.student import Student
from alif.student.likelihood import LikelihoodInput

__all__ = [
    "RETENTION_MARGIN", "Question", "choice_benchmark", "encode_choice", "read_questions", "score_choices",
]  # fmt: skip

RETENTION_MARGIN = 0.01
"""Loss of accuracy that still counts as retained: one point."""
SIGNATURE = "accuracy|question + space + choice|log-probability/bytes of the choice|0 shots"
PROVENANCES: Mapping[str, Provenance] = {name: name for name in get_args(Provenance)}
NAME_WITH_LANGUAGE = re.compile(r"(.+?)(?:_test)?\.([a-z]{2,3})")
"""Benchmark and language; that it is the test split is not part of its name."""


@dataclass(frozen=True)
class Question:
    """One multiple-choice question."""

    benchmark: str
    language: str
    id: str
    question: str
    choices: tuple[str, ...]
    gold: int
    """Index of the right choice."""
    provenance: Provenance = "unknown"
    licence: str = ""


def read_questions(
    output: StepOutput, source: tuple[str, ...], folder: str, each: int, seed: int, own: Pack, known: Pack
) -> dict[str, list[Question]]:
    """Return `each` questions of every benchmark (0: all), by name and language; other rows are dropped.

    A benchmark whose name gives no language is in the source language, `known`.

    Raises:
        DataError: the source names "pack", and neither pack has questions.
    """
    packs = sources.choice_files(own, known) if "pack" in source else []
    found: dict[str, list[Question]] = {}
    for row in output.read(sources.read_rows(source, folder, *packs)):
        question = row if isinstance(row, Dropped) else _parse_question(row, known.code)
        if isinstance(question, Dropped):
            output.drop(question)
        else:
            found.setdefault(f"{question.benchmark}.{question.language}", []).append(question)
    for name, questions in found.items():
        found[name] = sampling.sample_by_hash(questions, each, seed, lambda question: question.id)
        count_sample(output, questions, found[name], lambda question: question.id)
    return found


def _parse_question(row: sources.Row, source_language: str) -> Question | Dropped:
    if dropped := sources.missing_choices(row):
        return dropped
    values = row.values
    named = NAME_WITH_LANGUAGE.fullmatch(row.name)
    name, language = named.groups() if named else (row.name, source_language)
    if row.pack:
        name, language = f"pack_{row.name}", row.pack.code
    provenance = PROVENANCES.get(str(values.get("provenance")), "unknown")
    licence = str(values.get("licence") or (row.pack.licence if row.pack else ""))
    question, choices, gold = (values[key] for key in ("question", "choices", "gold"))
    return Question(name, language, row.id, question, tuple(choices), gold, provenance, licence)


def choice_benchmark(name: str, questions: Sequence[Question]) -> Benchmark:
    """Return the benchmark of one file of questions."""

    def encode(student: Student) -> list[list[LikelihoodInput]]:
        tokenizer = student.tokenizer
        return [
            [encode_choice(question.question, choice, tokenizer) for choice in question.choices]
            for question in questions
        ]

    origins = {question.provenance for question in questions}
    facts = BenchmarkFacts(
        name=name,
        languages=(questions[0].language,),
        provenance=origins.pop() if len(origins) == 1 else "unknown",
        licence=join_names(question.licence for question in questions),
        n=len(questions),
        digest=digest_json(name, [asdict(question) for question in questions]),
    )
    ids, request = [question.id for question in questions], LikelihoodRequest(encode, settings=SIGNATURE)
    texts = [(question.question, question.choices[question.gold]) for question in questions]
    return Benchmark(
        facts, ids, request, lambda results: PairScores([score_choices(questions, results)]), texts
    )


def encode_choice(question: str, choice: str, tokenizer: PreTrainedTokenizerBase) -> LikelihoodInput:
    """Return the question as context and the choice as target, tokenized as the one text that they are.

    Encoded apart, " Lahore" would begin with a token that no text has where a tokenizer writes spaces itself
    (Llama-2's). What both have in common is context, without the end that some tokenizers append.
    """

    def encode(text: str) -> list[int]:
        tokens = list(tokenizer(text, add_special_tokens=True, split_special_tokens=True)["input_ids"])
        return tokens[:-1] if len(tokens) > 1 and tokens[-1] == tokenizer.eos_token_id else tokens

    context, whole = encode(question), encode(f"{question} {choice}")
    common = next(
        (at for at, (one, other) in enumerate(zip(context, whole, strict=False)) if one != other),
        min(len(context), len(whole) - 1),
    )
    if not common:  # no opening token, and the question's first token goes on into the choice
        return LikelihoodInput([int(tokenizer.eos_token_id)], whole)
    return LikelihoodInput(whole[:common], whole[common:])


def score_choices(questions: Sequence[Question], results: Sequence[ItemResult]) -> MetricValues:
    """Return the accuracy: a question is right where the choice with the fewest bits a byte is."""
    right = []
    for question, result in zip(questions, results, strict=True):
        sizes = [len(f" {choice}".encode()) for choice in question.choices]
        rates = [bits / size for bits, size in zip(result.bits, sizes, strict=True)]
        right.append(float(rates.index(min(rates)) == question.gold))
    return MetricValues(
        benchmark=questions[0].benchmark,
        metric="accuracy",
        language=questions[0].language,
        items=Items.of(right),
        signature=SIGNATURE,
        share=True,
        margin=RETENTION_MARGIN,
        chance=sum(1 / len(question.choices) for question in questions) / len(questions),
    )
