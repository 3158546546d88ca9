"""Keep questions that the student is measured on out of what it is trained on.

`open_index` reads every question of the recipe: the pack's test set, the benchmarks, and the texts that
these were translated from. `dedup.overlap_index` says which row or document gives one away; of a translated
row the text that it was made of is looked for too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from alif import benchmark_items, settings, sources
from alif.dedup.overlap_index import BenchmarkText, OverlapIndex, TrainingText
from alif.errors import DataError
from alif.language.pack import Pack
from alif.records import Document, Dropped, Example, Neighbour, Origin
from alif.row_shape import flatten_instance, read_field
from alif.sources import PackFiles, Row

__all__ = ["drop_leak", "index_file", "open_index", "open_kept_out", "read_origins"]


def open_index(
    own: Pack,
    known: Pack,
    folder: str,
    benchmarks: settings.Benchmarks,
    tables: Mapping[str, settings.BenchmarkTable],
) -> OverlapIndex:
    """Return the index of every question; a row without one is skipped, evaluate reports it."""
    return OverlapIndex(list(_read_texts(own, known, folder, benchmarks, tables)), own)


def index_file(source: str, own: Pack) -> OverlapIndex:
    """Return the index of a file or data set of questions in any shape that has them.

    Raises:
        DataError: none of its rows has a question.
    """
    name, table, rows = Path(source).name, settings.BenchmarkTable(form="number", files=(source,)), 0
    texts: list[BenchmarkText] = []
    for row in sources.read_rows((source,), ""):
        rows += 1
        if not isinstance(row, Dropped) and (found := _read_original(name, row, table)):
            texts.append(replace(found, item=row.id))
    if not texts:
        hint = 'A row needs "question", "instruction" or "prompt".'
        raise DataError(f"{source}: none of {rows:,} rows has a question", hint)
    return OverlapIndex(texts, own)


def open_kept_out(
    own: Pack, known: Pack, folder: str, kept_out: Mapping[str, settings.Benchmarks | settings.BenchmarkTable]
) -> OverlapIndex | None:
    """Return the index of `Recipe.kept_out`, None where nothing is kept out."""
    tables = {name: one for name, one in kept_out.items() if isinstance(one, settings.BenchmarkTable)}
    test = next((one for one in kept_out.values() if isinstance(one, settings.Benchmarks)), None)
    return open_index(own, known, folder, test, tables) if test else None


def drop_leak(
    row: Example | Document, index: OverlapIndex, origins: Mapping[str, Example] | None = None
) -> Dropped | None:
    """Return the row as dropped with the question that it gives away, None if there is none.

    `origins` are the texts that rows were translated from, by `Origin.source`.
    """
    leak, by = index.find_leak(TrainingText.of(row)), ""
    if leak is None and origins and isinstance(row, Example) and (origin := origins.get(row.origin.source)):
        leak, by = index.find_leak(TrainingText.of(origin)), f", in {row.origin.source}"
    if leak is None:
        return None
    name, text = leak.item.name, leak.item.prompt
    evidence = f"the prompt of {name}" if leak.rule == "prompt" else f"{leak.rule} of {name}: {leak.evidence}"
    nearest = Neighbour(id=name, text=text, similarity=leak.similarity)
    return Dropped(row=row, reason="contaminated", evidence=f"{evidence}{by}", nearest=nearest)


def read_origins(
    translate: settings.Translate, folder: str, known: Pack, wanted: Collection[str]
) -> dict[str, Example]:
    """Return the texts that rows were translated from, by `Origin.source`: those in `wanted`."""
    found: dict[str, Example] = {}
    for row in sources.read_rows(translate.source, folder, PackFiles(known, ("demo/rows.jsonl",))):
        if isinstance(row, Dropped) or (source := f"{row.name}#{row.id}") not in wanted:
            continue
        example = sources.to_example(row, known.code, "", "source")
        if isinstance(example, Dropped):  # a sentence, or a pair of sentences
            sentence = str(row.values.get(known.code) or row.values.get("text"))
            example = Example.make(known.code, "", sentence, "", "", Origin(kind="source", source=source))
        found[source] = example
    return found


def _read_texts(
    own: Pack,
    known: Pack,
    folder: str,
    benchmarks: settings.Benchmarks,
    tables: Mapping[str, settings.BenchmarkTable],
) -> Iterator[BenchmarkText]:
    for row in sources.read_rows(benchmarks.test, folder, PackFiles(own, ("test.jsonl",))):
        if not isinstance(row, Dropped) and isinstance(row.values.get("instruction"), str):
            told = {key: str(row.values.get(key) or "") for key in ("instruction", "input", "output")}
            prompt = f"{told['instruction']}\n{told['input']}".strip()
            yield BenchmarkText(row.name, row.id, prompt, told["output"])
    short = benchmark_items.short_form_tables(benchmarks.multiple_choice, folder, own, known)
    for name, table in {**short, **tables}.items():
        language = benchmark_items.benchmark_language(name, table, own, known)
        for item in benchmark_items.read_items(name, table, folder, language):
            if not isinstance(item, Dropped):
                number = item.answers[0] if table.form == "number" else ""
                yield BenchmarkText(name, item.id, item.question, item.right, number)
        for row in sources.read_rows(table.original, folder):
            if not isinstance(row, Dropped) and (found := _read_original(name, row, table)):
                yield found


def _read_original(name: str, row: Row, table: settings.BenchmarkTable) -> BenchmarkText | None:
    """Read a row that a question was translated from: in the benchmark's columns, or those of a triple."""
    values = flatten_instance(row.values)
    asked = [values.get(column) for column in table.field_columns("question")]
    asked = asked if all(asked) else [read_field(values, field) for field in ("instruction", "input")]
    prompt = "\n".join(one for one in asked if isinstance(one, str))
    answer, choices, gold = str(read_field(values, "output") or ""), values.get("choices"), values.get("gold")
    if isinstance(choices, list) and isinstance(gold, int) and 0 <= gold < len(choices):
        answer = str(choices[gold])
    number = str(values.get("final") or answer.rpartition(benchmark_items.WORKED)[2]).strip()
    if not prompt:
        return None
    return BenchmarkText(name, f"original {row.id}", prompt, answer, number if table.form == "number" else "")
