"""Items of the recipe's benchmarks: rows of published data read as questions with known answers.

    choice, label    choices and the place of the right one; `gold` is a place (from `first`), a letter, the
                     choice itself, or for labels a key of `labels`
    pair             two sentences, the better one first
    number, short    what is right; "… #### 72" is a worked answer with its number
    translation      references

A row without a right answer, or with one that is no choice, is dropped by name; a second one with an id too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from alif import sources
from alif.errors import DataError, RecipeError
from alif.language.answers.match import is_same_number
from alif.language.pack import Pack
from alif.records import Dropped, Provenance
from alif.settings import BenchmarkTable
from alif.sources import PackFiles, Row

__all__ = [
    "Item",
    "benchmark_language",
    "read_examples",
    "read_items",
    "require_revision",
    "short_form_tables",
]

PROVENANCES = get_args(Provenance)
LETTERS = "ABCDEFGHIJ"
"""Letters of choices in published data, in any language."""
WORKED = "####"
"""Stands before the number that a worked answer ends with. Source: GSM8K, arXiv 2110.14168."""


@dataclass(frozen=True)
class Item:
    """One question with its right answer."""

    id: str
    question: str
    choices: tuple[str, ...] = ()
    gold: int = 0
    """Index of the right choice."""
    answers: tuple[str, ...] = ()
    """Right answers, the usual one first; references."""
    worked: str = ""
    """The right answer as an example shows it, with its working where there is one."""
    columns: Mapping[str, Any] = field(default_factory=dict)
    """The row, for wordings."""
    cluster: str = ""
    """What it shares with other items: a passage."""
    provenance: Provenance = "unknown"
    licence: str = ""

    @property
    def right(self) -> str:
        """The right answer as an example before another question shows it."""
        return self.worked or (self.choices[self.gold] if self.choices else self.answers[0])


def benchmark_language(name: str, table: BenchmarkTable, own: Pack, known: Pack) -> Pack:
    """Return the pack of a benchmark's language.

    Raises:
        RecipeError: it is neither the taught nor the source language.
    """
    packs = {one.code: one for one in (known, own)}
    if found := packs.get(table.language or own.code):
        return found
    hint = f"The recipe's languages are {own.code} and {known.code}: language.pack, language.source."
    raise RecipeError(f'benchmark.{name}.language = "{table.language}": no language of this recipe', hint)


def short_form_tables(
    source: tuple[str, ...], folder: str, own: Pack, known: Pack
) -> dict[str, BenchmarkTable]:
    """Return what `benchmarks.multiple_choice` stands for: a table a file, by benchmark and language.

    `arc_easy.en.jsonl.gz` and `mmlu_test.en.jsonl.gz` are `arc_easy.en` and `mmlu.en`; a name without a
    language is in the source language. "pack" is choices.jsonl of both packs, `pack_choices.en`.

    Raises:
        DataError: the source names "pack", and neither pack has questions.
    """
    found: dict[str, BenchmarkTable] = {}
    codes = (own.code, known.code)
    for name, files in sources.list_sources(source, folder).items():
        if name == "pack":
            for pack in (one.pack for one in sources.choice_files(own, known)):
                found[f"pack_choices.{pack.code}"] = _choice_table(("pack",), pack.code)
            continue
        stem, _, ending = name.rpartition(".")
        stem, language = (stem, ending) if stem and ending in codes else (name, known.code)
        key = f"{stem.removesuffix('_test') or stem}.{language}"
        found[key] = _choice_table((*(found[key].files if key in found else ()), *files), language)
    return found


def _choice_table(files: tuple[str, ...], language: str) -> BenchmarkTable:
    return BenchmarkTable(form="choice", files=files, language=language)


def require_revision(name: str, table: BenchmarkTable) -> None:
    """Refuse a data set on the hub that may change under the run.

    Raises:
        RecipeError: no revision is named.
    """
    if table.hub and not table.revision and not Path(table.hub).expanduser().exists():
        hint = f'"alif benchmark pin" prints today\'s: benchmark.{name}.revision = "…"'
        raise RecipeError(f"benchmark.{name}: {table.hub} has no revision, and could change", hint)


def read_items(name: str, table: BenchmarkTable, folder: str, pack: Pack) -> Iterator[Item | Dropped]:
    """Yield the items of a benchmark, in the language of `pack`.

    Raises:
        RecipeError: a data set on the hub without a revision.
        DataError: no row can be used; the sentence has the first one's fault.
    """
    require_revision(name, table)
    files = PackFiles(pack, ("choices.jsonl",))
    seen: dict[str, str] = {}
    count, fault = 0, ""
    for row in sources.read_rows(table.address(), folder, files):
        item = row if isinstance(row, Dropped) else _parse_item(row, table, pack)
        if isinstance(item, Item) and isinstance(row, Row):
            if seen.get(item.id, row.name) != row.name:  # of another file, which counts from 1 too
                item = replace(item, id=f"{row.name}#{item.id}")
            if item.id in seen:
                item = _drop(row, f"the id {item.id} was there before", "duplicate")
            else:
                seen[item.id] = row.name
        count += isinstance(item, Item)
        fault = fault or (item.evidence if isinstance(item, Dropped) else "")
        yield item
    if not count:
        raise DataError(
            f"benchmark.{name}: {fault or 'there is no row'}",
            f'No row can be used. Form "{table.form}"; `columns` says what your columns are called.',
        )


def read_examples(name: str, table: BenchmarkTable, folder: str, pack: Pack) -> list[Item]:
    """Return what may stand as an example before a question, in the order of its source.

    Raises:
        RecipeError: as `read_items`.
    """
    if not max(table.shots):
        return []
    found: list[Item] = []
    source = table.address(table.examples_split) if table.examples_split else table.examples
    for row in sources.read_rows(source, folder, PackFiles(pack, (f"seeds/{table.examples_task}.jsonl",))):
        if isinstance(row, Row) and row.pack:
            seed = sources.to_example(row, pack.code, table.examples_task, "seed")
            if not isinstance(seed, Dropped):
                found.append(Item(row.id, f"{seed.instruction}\n\n{seed.input}".strip(), worked=seed.output))
        elif isinstance(row, Row) and isinstance(item := _parse_item(row, table, pack), Item):
            found.append(item)
    if len(found) < max(table.shots):
        hint = "Name more examples, or ask for fewer shots."
        raise RecipeError(f"benchmark.{name}: {len(found)} examples, {max(table.shots)} shots", hint)
    return found


def _drop(row: Row, fault: str, reason: str = "missing_field") -> Dropped:
    return Dropped(raw=str(dict(row.values)), reason=reason, evidence=f"{row.where}: {fault}")


class _Unusable(Exception):
    """Why a row is no item: reason and fault."""


def _parse_item(row: Row, table: BenchmarkTable, pack: Pack) -> Item | Dropped:
    """Read one row of data as an item."""
    values = row.values

    def texts(name: str) -> list[str]:
        found = [_read(values, column) for column in table.field_columns(name)]
        found = [one for part in found for one in (part if isinstance(part, list) else [part])]
        return [str(one) for one in found if isinstance(one, str | int | float) and str(one).strip()]

    def text(name: str) -> str:
        if found := texts(name):
            return "\n".join(found)
        columns, there = (", ".join(map(str, part)) for part in (table.field_columns(name), values))
        reason = "no_gold" if name in ("gold", "final", "references") else "missing_field"
        raise _Unusable(reason, f"no {columns} (the row has {there})")

    stated = str(values.get("provenance"))
    told: dict[str, Any] = {
        "id": "".join(texts("id")) or row.id,
        "columns": values,
        "cluster": " ".join(texts("cluster")),
        "provenance": stated if stated in PROVENANCES else table.provenance,
        "licence": str(values.get("licence") or table.licence or (row.pack.licence if row.pack else "")),
    }
    try:
        if table.form == "pair":
            good, bad = text("good"), text("bad")
            return Item(**told, question=good, choices=(good, bad))
        told["question"], gold = text("question"), text(_GOLD[table.form])
        if table.form in ("choice", "label"):
            choices = tuple(table.labels.values() if table.labels else texts("choices"))
            numbers = range(table.first, len(choices) + table.first)
            keys = [*table.labels] if table.labels else [*map(str, numbers)]
            return Item(**told, choices=choices, gold=_find_gold(gold, choices, keys))
        worked, _, final = gold.rpartition(WORKED)
        answers = (final.strip(), *texts("aliases")) if table.form != "translation" else texts("references")
        if table.form == "number" and is_same_number("", answers[0], pack) is None:
            raise _Unusable("no_gold", f"{answers[0]} is no number")
        shown = "\n".join(texts("worked")) or (f"{worked.strip()}\n{final.strip()}" if worked else "")
        return Item(**told, answers=tuple(answers), worked=shown)
    except _Unusable as error:
        reason, fault = error.args
        return _drop(row, fault, reason)


_GOLD = {"choice": "gold", "label": "gold", "number": "final", "short": "final", "translation": "references"}


def _read(values: Mapping[str, Any], column: str) -> Any:
    """Return a column; "choices.text" is a column within one."""
    if column in values:
        return values[column]
    outer, _, inner = column.partition(".")
    within = values.get(outer)
    return _read(within, inner) if inner and isinstance(within, Mapping) else None


def _find_gold(gold: str, choices: Sequence[str], keys: Sequence[str]) -> int:
    """Return the place of the right choice: by its number or key, its letter, or itself."""
    if len(choices) < 2:
        raise _Unusable("missing_field", "needs two choices or more")
    gold = gold.strip()
    for names in (keys, LETTERS[: len(choices)], choices):
        if gold in list(names):
            return list(names).index(gold)
    raise _Unusable("gold_outside", f"the right answer, {gold}, is none of {len(choices)} choices")
