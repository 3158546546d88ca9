"""Published data: local files or a hub id, read into Examples, Documents and sentence pairs.

    "ur_raw/*.jsonl.gz"                         files, relative to sources.folder; .jsonl .csv .tsv .txt, packed or not
    "hub:wikimedia/wikipedia:20231101.ur@b04c8" a hub data set (or local data set folder), with configuration and revision
    "hub:Open-Orca/OpenOrca#train[:50000]"      another split than train, or a slice of one, as datasets writes it

A row that cannot be used is a `Dropped` with path:line; a file that cannot be read at all (not UTF-8, damaged) is refused with
a sentence. A .txt file holds one document a line.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alif import store
from alif.errors import DataError, MissingExtra
from alif.records import Document, Dropped, Example, Kind, Origin

__all__ = [
    "Pair",
    "Row",
    "read_documents",
    "read_examples",
    "read_pairs",
    "read_rows",
    "resolve_paths",
    "source_name",
]

HUB = re.compile(r"hub:(?P<id>[^:@#]+)(:(?P<config>[^@#]+))?(@(?P<revision>[^#]+))?(#(?P<split>.+))?")
FIELDS = {
    "instruction": ("instruction", "prompt", "question"),
    "input": ("input", "context"),
    "output": ("output", "response", "completion", "answer"),
}
"""What other data sets call the three fields: Alpaca, Dolly, plain question and answer."""


@dataclass(frozen=True)
class Row:
    """One row of a source as it stands there."""

    where: str
    """path:line, for messages."""
    name: str
    """The file's name without its endings, or the hub id: the source that scores are reported by."""
    id: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """One sentence in two languages."""

    id: str
    source: str
    known: str
    own: str


def resolve_paths(source: Iterable[str], folder: str) -> list[Path]:
    """Return the files that `source` names, in name order, each once; hub ids and "pack" name none.

    Raises:
        DataError: a pattern that matches nothing.
    """
    found: dict[Path, None] = {}
    for pattern in source:
        if pattern == "pack" or pattern.startswith("hub:"):
            continue
        wanted = Path(folder, pattern)
        start = Path(wanted.anchor or ".")
        files = sorted(path for path in start.glob(str(wanted.relative_to(start))) if path.is_file())
        if not files:
            unset = "" if folder else """, which is not set: --set 'sources.folder="DATA"'"""
            raise DataError(
                f"{wanted}: no such file",
                f"Check the pattern; data files are relative to sources.folder{unset}.",
            )
        found |= dict.fromkeys(files)
    return list(found)


def source_name(path: Path) -> str:
    """Return a file's name without its endings: `tico19.en-ur.jsonl.gz` is `tico19.en-ur`."""
    return re.sub(r"\.(jsonl|csv|tsv|txt)(\.gz)?$", "", path.name)


def read_rows(source: Iterable[str], folder: str) -> Iterator[Row | Dropped]:
    """Yield every row of `source`, in order; a row that is no row is a `Dropped` with reason `unparsable`."""
    source = tuple(source)
    for path in resolve_paths(source, folder):
        yield from _file_rows(path)
    for part in source:
        if match := HUB.fullmatch(part):
            yield from _hub_rows(match["id"], match["config"], match["revision"], match["split"] or "train")


def _file_rows(path: Path) -> Iterator[Row | Dropped]:
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind == "jsonl":
        yield from _json_rows(path)
    elif kind in ("csv", "tsv"):
        yield from _csv_rows(path, "," if kind == "csv" else "\t")
    elif kind == "txt":
        for number, line in store.read_lines(path):
            if line.strip():
                yield Row(f"{path}:{number}", source_name(path), str(number), {"text": line})
    else:
        raise DataError(
            f"{path}: no reader for .{kind} files",
            "Alif reads .jsonl, .csv, .tsv and .txt, packed with gzip or not.",
        )


def _json_rows(path: Path) -> Iterator[Row | Dropped]:
    for number, line in store.read_lines(path):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            values = store.parse_row(line)
        except ValueError as error:
            yield Dropped(raw=line, reason="unparsable", evidence=f"{where}: {error}")
            continue
        yield Row(where, source_name(path), str(values.get("id", number)), values)


def _csv_rows(path: Path, delimiter: str) -> Iterator[Row | Dropped]:
    reader = csv.reader((f"{line}\n" for _, line in store.read_lines(path)), delimiter=delimiter)
    header: list[str] = []
    for cells in reader:
        where = f"{path}:{reader.line_num}"
        if not header:
            header = [cell.strip().casefold() for cell in cells]
        elif len(cells) != len(header):
            evidence = f"{where}: {len(cells)} cells, the header has {len(header)}"
            yield Dropped(raw=delimiter.join(cells), reason="unparsable", evidence=evidence)
        else:
            values = dict(zip(header, cells, strict=True))
            yield Row(where, source_name(path), values.get("id", str(reader.line_num)), values)


def _hub_rows(hub_id: str, config: str | None, revision: str | None, split: str) -> Iterator[Row]:
    try:
        import datasets  # noqa: PLC0415  (an extra: loaded only when a recipe names a hub id)
    except ImportError as error:
        raise MissingExtra(f"hub:{hub_id}", "hub") from error
    try:
        loaded = datasets.load_dataset(hub_id, config, revision=revision, split=split)
    except (
        OSError,
        ValueError,
    ) as error:  # datasets' own errors (not found, gated, no network) are among these
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"hub:{hub_id}: cannot be loaded ({first})",
            "Check id, revision, split and network; a gated set needs HF_TOKEN.",
        ) from error
    for number, values in enumerate(loaded, 1):
        yield Row(f"hub:{hub_id}:{number}", hub_id, str(values.get("id", number)), values)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _field(values: Mapping[str, Any], field: str) -> Any:
    return next((values[key] for key in FIELDS[field] if key in values), None)


def to_example(row: Row, language: str, task: str, kind: Kind, licence: str = "") -> Example | Dropped:
    """Read one row as an Example: Alif's own format, Alpaca's triple, Dolly's, or Self-Instruct's seed format."""
    values = dict(row.values)
    if (
        isinstance(instances := values.get("instances"), list)
        and instances
        and isinstance(instances[0], dict)
    ):
        values |= instances[0]
    instruction, output = _text(_field(values, "instruction")), _text(_field(values, "output"))
    given = _field(values, "input")
    if not instruction or not output or not isinstance(given, str | None):
        raw = json.dumps(row.values, ensure_ascii=False, default=str)
        return Dropped(
            raw=raw,
            reason="missing_field",
            evidence=f"{row.where}: a row needs instruction and output as text",
        )
    origin = values["origin"] if isinstance(values.get("origin"), dict) else {}
    return Example.make(
        _text(values.get("language")) or language,
        _text(values.get("task")) or task,
        instruction,
        given or "",
        output,
        Origin(
            kind=kind,
            source=f"{row.name}#{row.id}",
            licence=_text(origin.get("licence") or values.get("licence")) or licence,
            author=_text(origin.get("author") or values.get("author")) or "",
            reviewed_by=_text(origin.get("reviewed_by") or values.get("reviewed_by")) or "",
        ),
    )


def read_examples(
    source: Iterable[str], folder: str, *, language: str, task: str, kind: Kind, licence: str = ""
) -> Iterator[Example | Dropped]:
    """Yield the rows of `source` as Examples; rows without a language or task of their own get the given ones."""
    for row in read_rows(source, folder):
        yield row if isinstance(row, Dropped) else to_example(row, language, task, kind, licence)


def read_documents(
    source: Iterable[str], folder: str, *, language: str, licence: str = ""
) -> Iterator[Document | Dropped]:
    """Yield the rows of `source` as Documents; a row needs `text`."""
    for row in read_rows(source, folder):
        if isinstance(row, Dropped):
            yield row
        elif not (text := _text(row.values.get("text"))):
            raw = json.dumps(row.values, ensure_ascii=False, default=str)
            yield Dropped(raw=raw, reason="missing_field", evidence=f"{row.where}: a document needs text")
        else:
            values = row.values
            facts = {key: _text(values.get(key)) or "" for key in ("title", "licence", "author")}
            yield Document.make(
                language, text, source=row.name, **facts | {"licence": facts["licence"] or licence}
            )


def read_pairs(source: Iterable[str], folder: str, known: str, own: str) -> Iterator[Pair | Dropped]:
    """Yield rows that have a text under both language codes, such as {"en": …, "ur": …}."""
    for row in read_rows(source, folder):
        if isinstance(row, Dropped):
            yield row
        elif (a := _text(row.values.get(known))) and (b := _text(row.values.get(own))):
            yield Pair(row.id, row.name, a, b)
        else:
            raw = json.dumps(row.values, ensure_ascii=False, default=str)
            yield Dropped(
                raw=raw,
                reason="missing_field",
                evidence=f"{row.where}: a pair needs {known} and {own} as text",
            )
