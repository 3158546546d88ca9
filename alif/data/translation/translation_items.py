"""What there is to translate: rows of the known language, and sentences as exercises of the translation task.

    {"instruction": "…", "input": "…", "output": "…"}     a row: all three texts in one request, its own task
    {"en": "The bridge is closed."}, {"text": "…"}        a sentence: an exercise of the translation task

A row that has both is the triple (`row_shape.find_shape`): Alpaca's `text` is its whole prompt. An exercise
has one of the task's request templates as instruction, the sentence as input, its translation as output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alif import sampling, settings, sources
from alif.data.demo.demo_files import translated_ids
from alif.data.normalise_example import normalise_example
from alif.data.published_row import find_oversize, find_sentence_fault, read_published_row
from alif.errors import PackError
from alif.language.pack import Pack
from alif.records import Dropped, Example, Origin
from alif.row_shape import find_shape, flatten_instance
from alif.settings.types import licence_of
from alif.sources import PackFiles, Row

__all__ = ["TranslationItem", "read_items", "sample_items"]


@dataclass(frozen=True)
class TranslationItem:
    """A row to translate, or a sentence where `request_template` asks for its translation."""

    row: Example
    request_template: str = ""


def read_items(
    own: Pack, known: Pack, folder: str, settings: settings.Translate
) -> Iterator[TranslationItem | Dropped]:
    """Yield everything that could be translated, nothing if no rows are asked for."""
    if not settings.rows:
        return
    ids = translated_ids(own) if "pack" in settings.source else set()
    for row in sources.read_rows(settings.source, folder, PackFiles(known, ("demo/rows.jsonl",))):
        if isinstance(row, Dropped):
            yield row
            continue
        if row.pack and ids and row.id not in ids:
            continue
        if long := find_oversize(row):
            yield long
            continue
        given = [value for key in (known.code, "text") if isinstance(value := row.values.get(key), str)]
        if given and find_shape(flatten_instance(row.values)) == "text":
            sentence = next((value for value in given if value.strip()), "")
            yield _read_sentence(row, sentence, own, known, settings)
        else:
            yield _read_whole_row(row, own, known, settings)


def _read_whole_row(
    row: Row, own: Pack, known: Pack, settings: settings.Translate
) -> TranslationItem | Dropped:
    licence = licence_of(settings.licence, row.name)
    found = read_published_row(row, (known,), (known, own), "source", licence)
    if isinstance(found, Dropped):
        return found
    if any(message.role == "user" for message in found.turns):
        evidence = f"{row.where}: the last turn alone says too little to be translated"
        return Dropped(row=found, reason="earlier_turns", evidence=evidence)
    return TranslationItem(found)


def _read_sentence(
    row: Row, sentence: str, own: Pack, known: Pack, settings: settings.Translate
) -> TranslationItem | Dropped:
    task = next((task for task in own.tasks.values() if task.request_templates), None)
    if task is None:
        hint = "Sentences to translate need one: tasks/translation.toml, request_templates."
        raise PackError(f"{own.folder}: no task has request_templates", hint)
    template = sampling.seeded_rng(settings.seed, "carrier", row.name, row.id).choice(task.request_templates)
    named = str(row.values.get("licence") or row.values.get("license") or "")
    licence = named or (row.pack.licence if row.pack else licence_of(settings.licence, row.name))
    origin = Origin(kind="source", source=f"{row.name}#{row.id}", licence=licence)
    exercise = Example.make(known.code, task.name, template, sentence, "", origin)
    if fault := find_sentence_fault(sentence, known, (known, own)):
        return Dropped(row=exercise, reason=fault[0], evidence=f"{row.where}: {fault[1]}")
    return TranslationItem(normalise_example(exercise, known), template)


def sample_items(items: Sequence[TranslationItem], settings: settings.Translate) -> list[TranslationItem]:
    """Return the items that are translated."""
    return sampling.sample_rows(items, settings.rows, sampling.seeded_rng(settings.seed, "translate"))
