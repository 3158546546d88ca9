"""Shapes of published data: rows of files by the ending of their name, turns of conversations.

    .jsonl .ndjson   one object a line            .csv .tsv   see `csv_cells`
    .json            one array of objects         .txt        one text a line
    .parquet         one row after another        .gz         behind any of them but .parquet
    .html .pdf …     documents only: see `document_files`

A line ends with LF, CRLF or CR (an old Mac's file has lines); U+2028 and U+0085 are characters of a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from alif import store, strict_json
from alif.csv_cells import read_table
from alif.errors import DataError, MissingExtra
from alif.records import Message

__all__ = ["RawRow", "file_kind", "read_file", "read_messages"]

KINDS = ("jsonl", "ndjson", "json", "csv", "tsv", "txt", "parquet")
DOCUMENT_KINDS = ("html", "htm", "xhtml", "pdf", "docx", "epub", "xml")
"""Endings that `document_files` reads, for stage-1 text."""
ROLES = {"system": "system", **dict.fromkeys(("user", "human", "prompter"), "user")}
ROLES |= dict.fromkeys(("assistant", "gpt", "model", "bot"), "assistant")
"""The speakers of a conversation by the names that data sets give them."""

_NAME = re.compile(rf"(.+?)\.({'|'.join(KINDS + DOCUMENT_KINDS)})(?:\.gz|\.bz2)?", re.IGNORECASE)
_ITEM = re.compile(r"[^\s,\]]")
"""The beginning of an item of an array, behind the one before."""

RawRow = tuple[int, str, dict[str, Any] | str]
"""Line (of a Parquet file: row) from 1, the raw text, and the values or why there are none."""


def file_kind(path: Path) -> tuple[str, str]:
    """Return a file's name without its endings, and their kind: `a.en.jsonl.gz` is ("a.en", "jsonl")."""
    named = _NAME.fullmatch(path.name)
    return (named[1], named[2].lower()) if named else (path.name, "")


def read_file(path: Path, columns: Collection[str], encoding: str = "") -> Iterator[RawRow]:
    """Yield the rows of a file; `columns` are the names of which a table's header has one.

    With an `encoding` the file need not be UTF-8: see `store.read_lines`.

    Raises:
        DataError: the file as a whole cannot be read.
    """
    kind = file_kind(path)[1]
    if kind in ("csv", "tsv"):
        yield from read_table(path, "," if kind == "csv" else "\t", columns, encoding)
    elif kind == "parquet":
        yield from _parquet_rows(path)
    elif kind == "txt":
        lines = store.read_lines(path, encoding)
        yield from ((number, line, {"text": line}) for number, line in lines if line.strip())
    elif kind in KINDS:
        for number, raw in (
            _array_items(path, encoding) if kind == "json" else store.read_lines(path, encoding)
        ):
            if raw.strip():
                try:
                    yield number, raw, strict_json.parse_row(raw)
                except ValueError as error:
                    yield number, raw, str(error)
    else:
        endings = ", ".join(f".{one}" for one in KINDS)
        raise DataError(
            f"{path}: no reader for {path.suffix or 'such'} files", f"Alif reads {endings}, and .gz of them."
        )


def _array_items(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of each item of a file that is one JSON array; of another its lines."""
    text = store.read_text(path, encoding)
    if not text.lstrip().startswith("["):
        yield from enumerate(text.split("\n"), 1)
        return
    decoder = json.JSONDecoder()
    line, end = 1, text.index("[") + 1
    while item := _ITEM.search(text, end):
        line += text.count("\n", end, item.start())
        try:
            end = decoder.raw_decode(text, item.start())[1]
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{line}: not JSON ({error})", "Correct or remove that item.") from error
        yield line, text[item.start() : end]
        line += text.count("\n", item.start(), end)


def _parquet_rows(path: Path) -> Iterator[RawRow]:
    try:
        import pyarrow  # noqa: PLC0415  (an extra: loaded only when a recipe names such a file)
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra(str(path), "hub") from error
    number = 0
    with store.friendly_os_errors(path):
        try:
            for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    yield number, "", values
        except pyarrow.ArrowException as error:
            raise DataError(f"{path}: not a Parquet file ({error})", "Download the file again.") from error


def read_messages(messages: list[Any]) -> list[Message] | None:
    """Return the turns of a conversation (role and content, or from and value), None where it is none."""
    turns: list[Message] = []
    for message in messages:
        if not isinstance(message, dict):
            return None
        role = ROLES.get(_as_text(message.get("role", message.get("from"))))
        content = _as_text(message.get("content", message.get("value")))
        expected = "user" if not turns or turns[-1].role != "user" else "assistant"
        if not content or (role != expected and (role != "system" or turns)):
            return None
        turns.append(Message.model_validate({"role": role, "content": content}))
    return turns if len(turns) > 1 and turns[-1].role == "assistant" else None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""
