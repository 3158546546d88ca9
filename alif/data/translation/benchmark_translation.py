"""A benchmark for a language that has none: one of the source language through two teachers and people.

    NAME.xx.review.jsonl    both translations, the least alike first: a person mends and signs (checked_by)
    NAME.xx.jsonl           the questions: what people signed, else the first teacher's translation, or the
                            second's where the first failed: numbers and code kept, choices in their order

A question that nobody has translated stands in the review file alone. The same command again pays for nothing
twice, and takes what people have signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rapidfuzz.distance import LCSseq

from alif import console, settings, store
from alif.benchmark_items import LETTERS, Item
from alif.data import teachers
from alif.data.prompt_texts import load_prompt_texts
from alif.data.translation.translate import TranslationItem, read_translation, translation_messages
from alif.formatting import format_usd
from alif.language import text
from alif.language.pack import Pack
from alif.llm import ChatRequest, Reply
from alif.records import Dropped, Example, Origin
from alif.runs import StepContext

__all__ = ["TranslatedItem", "translate_items", "write_benchmark"]

FIELDS = ("question", "choices", "final")

QuestionText: TypeAlias = dict[str, str | list[str]]
"""Question, choices and final answer, as far as there are any."""


@dataclass(frozen=True)
class TranslatedItem:
    """A question with each teacher's translation of it, or why there is none."""

    item: Item
    translations: Mapping[str, QuestionText | str]
    agreement: float
    """Share of words in common, in order; 0 where one is missing."""


def translate_items(
    context: StepContext,
    endpoints: Mapping[str, settings.Teacher],
    items: Sequence[Item],
    own: Pack,
    known: Pack,
    folder: str,
) -> list[TranslatedItem]:
    """Return the translations of every item by every endpoint, through the run's ledger and money cap."""
    texts = load_prompt_texts()
    rows = [TranslationItem(_as_row(item, known)) for item in items]
    questions = [
        ChatRequest(name, translation_messages(row, own, known, texts)) for row in rows for name in endpoints
    ]

    async def ask_all() -> list[Reply]:
        with console.progress_bar("translate", len(questions), "questions") as bar:
            async with teachers.open_endpoints(
                context, endpoints, own, known, texts, folder, role="translator"
            ) as models:
                return await models.reply_all(
                    questions, on_reply=lambda: bar.advance(facts=format_usd(models.paid_usd))
                )

    replies = iter(asyncio.run(ask_all()))
    found = []
    for item, row in zip(items, rows, strict=True):
        read = {name: read_translation(row, name, next(replies), own, known) for name in endpoints}
        translations = {name: _as_question(item, one) for name, one in read.items()}
        words = [
            text.split_words(" ".join(_flatten(one)), own)
            for one in translations.values()
            if not isinstance(one, str)
        ]
        alike = LCSseq.normalized_similarity(words[0], words[1]) if len(words) > 1 else 0.0
        found.append(TranslatedItem(item, translations, round(alike, 3)))
    return found


def _as_row(item: Item, known: Pack) -> Example:
    choices = "\n".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, item.choices, strict=False))
    right = item.choices[item.gold] if item.choices else item.answers[0]
    origin = Origin(kind="source", source=item.id, licence=item.licence)
    return Example.make(known.code, "", item.question, choices, right, origin)


def _as_question(item: Item, read: Example | Dropped) -> QuestionText | str:
    """Return the translated fields of a question, or why they cannot be read."""
    if isinstance(read, Dropped):
        return f"{read.reason}: {read.evidence}"
    if not item.choices:
        return {"question": read.instruction, "final": read.output}
    lines = [line for line in read.input.splitlines() if line.strip()]
    choices = [line.partition(")")[2].strip() or line.strip() for line in lines]
    if len(choices) != len(item.choices) or len(set(choices)) != len(choices):
        return f"unparsable: {len(set(choices))} choices of {len(item.choices)}"
    return {"question": read.instruction, "choices": choices}


def _flatten(values: QuestionText) -> list[str]:
    return [part for value in values.values() for part in (value if isinstance(value, list) else [value])]


def write_benchmark(folder: Path, name: str, found: Sequence[TranslatedItem]) -> dict[str, int | str]:
    """Write review file, questions and a task of lm-eval; return how many questions there are, and whose.

    Raises:
        DataError: the review file that is there cannot be read.
    """
    review, path = folder / f"{name}.review.jsonl", folder / f"{name}.jsonl"
    rows = (row for _, row in store.read_rows(review)) if review.is_file() else ()
    signed = {str(row.get("id")): row for row in rows if str(row.get("checked_by") or "").strip()}
    asked: list[dict[str, object]] = []
    reviewed: list[dict[str, object]] = []
    for one in sorted(found, key=lambda one: one.agreement):
        item, before = one.item, signed.get(one.item.id)
        best = next((told for told in one.translations.values() if not isinstance(told, str)), None)
        source = {"question": item.question, "choices": item.choices, "final": item.answers[:1]}
        proposed = before or {**(best or {}), "checked_by": ""}
        text_of = {key: proposed[key] for key in FIELDS if key in proposed}
        shown = {"id": item.id, "agreement": one.agreement, "source": {k: v for k, v in source.items() if v}}
        reviewed.append(
            {**shown, "translations": dict(one.translations), **text_of, "checked_by": proposed["checked_by"]}
        )
        if text_of:
            gold = {"gold": item.gold} if item.choices else {}
            told = {"provenance": "machine-translated", "licence": item.licence, **shown, **text_of, **gold}
            asked.append({**told, "checked_by": proposed["checked_by"]})
    order = {one.item.id: number for number, one in enumerate(found)}
    asked.sort(key=lambda row: order[str(row["id"])])
    store.write_rows(path, asked)
    store.write_rows(review, reviewed)
    checked = sum(bool(row["checked_by"]) for row in asked)
    provenance = f"machine-translated, {checked} of {len(asked)} checked by people"
    store.write_json(
        folder / f"{name}.yaml", _lm_eval_task(name, path, bool(found[0].item.choices), provenance)
    )
    return {"questions": len(asked), "untranslated": len(found) - len(asked), "provenance": provenance}


def _lm_eval_task(name: str, path: Path, has_choices: bool, provenance: str) -> dict[str, object]:
    """Return a task of lm-eval; its YAML may be written as JSON."""
    shared = {
        "task": name.replace(".", "_"),
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(path.resolve())}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "metadata": {"version": 1.0, "provenance": provenance},
    }
    if has_choices:
        metrics = [{"metric": "acc"}, {"metric": "acc_norm"}]
        return {
            **shared, "output_type": "multiple_choice", "doc_to_choice": "choices", "doc_to_target": "gold",
            "metric_list": metrics,
        }  # fmt: skip
    return {
        **shared, "output_type": "generate_until", "doc_to_target": "{{final}}",
        "metric_list": [{"metric": "exact_match"}],
    }  # fmt: skip
