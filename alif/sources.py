"""Published data: local files, hub ids or a pack's files, read into Examples, Documents and sentence pairs.

    "pack"                                      files of a language pack: `PackFiles`
    "ur_raw/*.jsonl.gz"                         relative to sources.folder; kinds: see `source_formats`
    "hub:wikimedia/wikipedia:20231101.ur@b04c8" a hub data set or its local folder, configuration and revision
    "hub:Open-Orca/OpenOrca#train[:50000]"      another split than train, or a slice, as datasets writes it

A row that cannot be used is a `Dropped` with path:line; a file that cannot be read at all is refused. Rows
are Alif's own format, Alpaca's and Dolly's triples, Self-Instruct's seeds, OpenOrca's with a system prompt,
or conversations (`messages`, ShareGPT's `conversations`): which of them, `row_shape.find_shape` tells.
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from alif import store
from alif.errors import DataError, MissingExtra
from alif.records import Document, Dropped, Example, Kind, Message, Origin
from alif.row_shape import FIELDS, find_shape, flatten_instance, read_field
from alif.source_formats import file_kind, read_file, read_messages

if TYPE_CHECKING:
    from alif.language.pack import Pack

__all__ = [
    "PackFiles",
    "Pair",
    "Row",
    "choice_files",
    "list_sources",
    "missing_choices",
    "missing_text",
    "read_documents",
    "read_examples",
    "read_pairs",
    "read_rows",
    "resolve_paths",
    "source_name",
    "to_example",
]

HUB = re.compile(r"hub:(?P<id>[^:@#]+)(:(?P<config>[^@#]+))?(@(?P<revision>[^#]+))?(#(?P<split>.+))?")
COLUMNS = frozenset(
    ("text", "messages", "conversations", "instances", "turns", "choices", "gold", *sum(FIELDS.values(), ()))
)
"""Columns by which the header of a table is known, beside language codes."""
_TURNS = TypeAdapter(list[Message])


@dataclass(frozen=True)
class PackFiles:
    """What "pack" stands for in a source: files of a language pack, relative to its folder."""

    pack: Pack
    names: tuple[str, ...]

    def paths(self) -> dict[str, Path]:
        """Return {name: path} of the files that the pack has."""
        return {name: path for name in self.names if (path := self.pack.folder / name).exists()}


def choice_files(*packs: Pack) -> list[PackFiles]:
    """Return what "pack" stands for in benchmarks.multiple_choice: the questions of the packs that have some.

    Raises:
        DataError: none has.
    """
    every = [PackFiles(pack, ("choices.jsonl",)) for pack in dict.fromkeys(packs)]
    if found := [files for files in every if files.paths()]:
        return found
    names = " and ".join(str(files.pack.folder / "choices.jsonl") for files in every)
    raise DataError(f"{names}: no such file", 'Write questions, or name other files than "pack".')


@dataclass(frozen=True)
class Row:
    """One row of a source as it stands there."""

    where: str
    """path:line, for messages."""
    name: str
    """The file's name without its endings, or the hub id: the source that scores are reported by."""
    id: str
    values: Mapping[str, Any]
    pack: Pack | None = None
    """The pack that it is a row of, where it is one."""


@dataclass(frozen=True)
class Pair:
    """One sentence in two languages."""

    id: str
    source: str
    known: str
    own: str


def resolve_paths(source: Iterable[str], folder: str) -> list[Path]:
    """Return the files that `source` names, each pattern in name order; hub ids and "pack" name none.

    Raises:
        DataError: a pattern that matches nothing, or a hub address that is not understood.
    """
    found: dict[Path, None] = {}
    for pattern in source:
        if pattern == "pack" or HUB.fullmatch(pattern):
            continue
        if pattern.startswith("hub:"):
            hint = "Write hub:OWNER/NAME[:CONFIG][@REVISION][#SPLIT], without empty parts."
            raise DataError(f'"{pattern}": no address of a hub data set', hint)
        wanted = Path(os.path.expanduser(folder), pattern := os.path.expanduser(pattern))  # noqa: PTH111
        files = [wanted] if os.path.isfile(wanted) else []  # noqa: PTH113  (these never raise)
        if not files:  # only the pattern's own signs are a pattern's, not those of the folder
            place = Path(glob.escape(os.path.expanduser(folder)), pattern)  # noqa: PTH111
            start = Path(place.anchor or ".")
            files = sorted(path for path in start.glob(str(place.relative_to(start))) if path.is_file())
        if not files:
            unset = "" if folder else """, which is not set: --set 'sources.folder="DATA"'"""
            raise DataError(f"{wanted}: no such file", f"Data files are relative to sources.folder{unset}.")
        if broken := next((path for path in files if not store.is_utf8(str(path))), None):
            raise DataError(f"{broken}: its name is not UTF-8", "Rename the file.")
        found |= dict.fromkeys(files)
    return list(found)


def list_sources(source: Iterable[str], folder: str) -> dict[str, tuple[str, ...]]:
    """Return {source name: what it is read from}: "pack", then files by name, then hub ids."""
    source = tuple(source)
    found: dict[str, tuple[str, ...]] = {"pack": ("pack",)} if "pack" in source else {}
    for path in resolve_paths(source, folder):
        name = source_name(path)
        found[name] = (*found.get(name, ()), glob.escape(str(path)))
    for part in source:
        if match := HUB.fullmatch(part):
            found[match["id"]] = (*found.get(match["id"], ()), part)
    return found


def source_name(path: Path) -> str:
    """Return a file's name without its endings: `a.en-ur.jsonl.gz` is `a.en-ur`."""
    return file_kind(path)[0]


def read_rows(
    source: Iterable[str], folder: str, *packs: PackFiles, text_of: Pack | None = None
) -> Iterator[Row | Dropped]:
    """Yield every row of `source`: the packs', then files, then hub ids; `unparsable` rows as Dropped.

    With `text_of` they are documents of that language: web pages, PDF files … too, see `document_files`.
    """
    source = tuple(source)
    for pack in packs if "pack" in source else ():
        for path in resolve_paths(pack.names, str(pack.pack.folder)):
            yield from _file_rows(path, pack.pack)
    for path in resolve_paths(source, folder):
        yield from _file_rows(path, text_of=text_of)
    for match in filter(None, map(HUB.fullmatch, source)):
        hub_id, split = match["id"], match["split"] or "train"
        try:
            import datasets  # noqa: PLC0415  (an extra: loaded only when a recipe names a hub id)
        except ImportError as error:
            raise MissingExtra(f"hub:{hub_id}", "hub") from error
        try:
            loaded = datasets.load_dataset(hub_id, match["config"], revision=match["revision"], split=split)
        except (OSError, ValueError) as error:  # datasets' own errors are among these
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            hint = "Check id, revision, split and network; a gated set needs HF_TOKEN."
            raise DataError(f"hub:{hub_id}: cannot be loaded ({first})", hint) from error
        for number, values in enumerate(loaded, 1):
            yield Row(f"hub:{hub_id}:{number}", hub_id, str(values.get("id", number)), values)


def _file_rows(path: Path, pack: Pack | None = None, text_of: Pack | None = None) -> Iterator[Row | Dropped]:
    name = source_name(path)
    if text_of:
        from alif.document_files import read_document_file  # noqa: PLC0415  (loads the language classifier)

        rows = read_document_file(path, text_of, COLUMNS)
    else:
        rows = read_file(path, COLUMNS)
    for number, raw, values in rows:
        where = f"{path}:{number}"
        if isinstance(values, str):
            yield Dropped(raw=raw, reason="unparsable", evidence=f"{where}: {values}")
        else:
            yield Row(where, name, str(values.get("id", number)), values, pack)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _drop(row: Row, needed: str, reason: str = "missing_field") -> Dropped:
    raw = json.dumps(row.values, ensure_ascii=False, default=str)
    return Dropped(raw=raw, reason=reason, evidence=f"{row.where}: {needed}")


def to_example(row: Row, language: str, task: str, kind: Kind, licence: str = "") -> Example | Dropped:
    """Read one row as an Example; a row without a language, task or licence of its own gets the given one."""
    values = flatten_instance(row.values)
    texts: tuple[Any, ...]
    if find_shape(values) == "conversation":
        turns = read_messages(values.get("messages") or values["conversations"])
        if turns is None:
            needed = "a conversation needs user and assistant in turn, and ends with the assistant"
            return _drop(row, needed)
        *turns, question, answer = turns
        texts = question.content, "", answer.content
    else:
        texts = tuple(read_field(values, field) for field in ("instruction", "input", "output"))
        try:
            turns = _TURNS.validate_python(values.get("turns") or [])
        except ValidationError:
            return _drop(row, "turns are messages with role and content")
        if system := _text(values.get("system_prompt")):
            turns = [Message(role="system", content=system), *turns]
    instruction, given, output = texts
    if not _text(instruction) or not _text(output) or (given and not isinstance(given, str)):
        return _drop(row, "a row needs instruction and output as text")
    origin = values["origin"] if isinstance(values.get("origin"), dict) else {}
    told = {key: _text(origin.get(key) or values.get(key)) for key in ("licence", "author", "reviewed_by")}
    told["licence"] = told["licence"] or _text(values.get("license")) or licence
    told["licence"] = told["licence"] or (row.pack.licence if row.pack else "")
    example = Example.make(
        _text(values.get("language")) or language,
        _text(values.get("task")) or task,
        instruction,
        given or "",
        output,
        Origin(kind=kind, source=f"{row.name}#{row.id}", **told),
    )
    return example.with_turns(tuple(turns)) if turns else example


def read_examples(
    source: Iterable[str],
    folder: str,
    *,
    language: str,
    task: str,
    kind: Kind,
    licence: str = "",
    pack: PackFiles | None = None,
) -> Iterator[Example | Dropped]:
    """Yield the rows of `source` as Examples: see `to_example`."""
    for row in read_rows(source, folder, *([pack] if pack else [])):
        yield row if isinstance(row, Dropped) else to_example(row, language, task, kind, licence)


def missing_choices(row: Row) -> Dropped | None:
    """Return what is wrong with a row that should be a multiple-choice question, None if it is one."""
    question, choices, gold = (row.values.get(key) for key in ("question", "choices", "gold"))
    texts = choices if isinstance(choices, list) else []
    valid = len(texts) > 1 and all(_text(text) for text in texts)
    if valid and _text(question) and type(gold) is int and 0 <= gold < len(texts):
        return None
    needed = "needs question, choices and gold, the number of the right one from 0"
    return _drop(row, needed, "not_multiple_choice")


def missing_text(row: Row) -> Dropped | None:
    """Return what is wrong with a row that should be a document, None if it has a text."""
    return None if _text(row.values.get("text")) else _drop(row, "a document needs text")


def read_documents(
    source: Iterable[str], folder: str, *, language: str, pack: PackFiles | None = None
) -> Iterator[Document | Dropped]:
    """Yield the rows of `source` as Documents; a row needs `text`."""
    for row in read_rows(source, folder, *([pack] if pack else [])):
        if isinstance(row, Dropped):
            yield row
        elif dropped := missing_text(row):
            yield dropped
        else:
            told = {key: _text(row.values.get(key)) for key in ("title", "licence", "author")}
            told["licence"] = told["licence"] or (row.pack.licence if row.pack else "")
            yield Document.make(language, row.values["text"], source=row.name, **told)


def read_pairs(source: Iterable[str], folder: str, known: str, own: str) -> Iterator[Pair | Dropped]:
    """Yield rows that have a text under both language codes, such as {"en": …, "ur": …}."""
    for row in read_rows(source, folder):
        if isinstance(row, Dropped):
            yield row
        elif (a := _text(row.values.get(known))) and (b := _text(row.values.get(own))):
            yield Pair(row.id, row.name, a, b)
        else:
            yield _drop(row, f"a pair needs {known} and {own} as text")
