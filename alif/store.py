"""Files: read JSON Lines and text with the line number in every error, write atomically, digest.

A file is written beside its place and then renamed over it, so a reader sees the old file or the new one, never half of either.
It is flushed before the rename and its folder after it, so the same holds after a power cut.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from alif.errors import AlifError, DataError

__all__ = [
    "friendly_os_errors",
    "fsync",
    "fsync_tree",
    "read_json",
    "read_lines",
    "read_models",
    "read_rows",
    "read_text",
    "replacing",
    "require_free_space",
    "sha256_tree",
    "write_json",
    "write_rows",
    "write_text",
]

Model = TypeVar("Model", bound=BaseModel)
_REFUSALS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full, or your part of it",
    errno.EFBIG: "this system lets no file grow so large (ulimit -f)",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk fails",
    errno.ESTALE: "the network disk has gone",
}
_SURROGATE = re.compile("[\ud800-\udfff]")


@contextlib.contextmanager
def friendly_os_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals at `path` into sentences."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no such file", "Check the path; it is relative to the folder you are in."
        ) from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: is a folder, a file is needed", "Name a file in it.") from error
    except PermissionError as error:
        raise AlifError(
            f"{path}: permission denied", "Give yourself the right to read and write there."
        ) from error
    except OSError as error:
        if why := _REFUSALS.get(error.errno or 0):
            raise AlifError(
                f"{path}: {why}", "Mend that and repeat the command: it goes on where it stopped."
            ) from error
        raise


def require_free_space(folder: Path, needed: int, what: str, hint: str) -> None:
    """Refuse to begin to write `what`, of `needed` bytes, where the disk of `folder` cannot hold it.

    Raises:
        AlifError: with the sizes, and `hint`.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        told = f"{what} needs {needed / 1e9:.3g} GB, {free / 1e9:.3g} GB are free"
        raise AlifError(f"{folder}: the disk is full ({told})", hint)


def fsync(path: Path) -> None:
    """Have a file or the names in a folder reach the disk, whoever wrote them.

    Windows cannot flush a folder, and some network disks refuse to: names there are as durable as the system makes them.
    """
    windows, folder = os.name == "nt", path.is_dir()
    if windows and folder:
        return
    handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if not folder or error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def fsync_tree(folder: Path) -> None:
    """Have every file under `folder`, and every name, reach the disk: files first, then folders from the innermost out."""
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            fsync(Path(place, name))
        fsync(Path(place))


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 file, packed with gzip or not.

    Raises:
        DataError: a line is not UTF-8, or the gzip stream is damaged.
    """
    with friendly_os_errors(path), _open(path) as file:
        try:
            for number, raw in enumerate(file, 1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise DataError(
                        f"{path}:{number}: not UTF-8 (byte 0x{raw[error.start]:02x} at column {error.start + 1})",
                        "Save the file as UTF-8, or remove that line.",
                    ) from error
                yield number, line.rstrip("\r\n")
        except (gzip.BadGzipFile, EOFError) as error:
            raise DataError(f"{path}: a damaged gzip file ({error})", "Fetch the file again.") from error


def read_text(path: Path) -> str:
    """Return a whole UTF-8 file, line ends as LF, without a byte-order mark."""
    return "\n".join(line for _, line in read_lines(path))


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("the same key twice")
    return row


def parse_row(line: str) -> dict[str, Any]:
    """Parse one JSON Lines row strictly: an object, no NaN, no key twice, no lone surrogate.

    Raises:
        ValueError: with a short reason.
    """
    try:
        row = json.loads(line, parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    if _SURROGATE.search(json.dumps(row, ensure_ascii=False)):
        raise ValueError("a lone surrogate, half of a character")
    return row


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON Lines file, packed or not; blank lines are passed over.

    Raises:
        DataError: the first line that is not a JSON object, by path and number.
    """
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            yield number, parse_row(line)
        except ValueError as error:
            raise DataError(
                f"{path}:{number}: {error}", "Each line is one JSON object; mend or remove that line."
            ) from error


def read_models(path: Path, model: type[Model]) -> Iterator[Model]:
    """Yield the rows of a JSON Lines file as `model`, with path:line in every complaint."""
    for number, row in read_rows(path):
        try:
            yield model.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise DataError(
                f'{path}:{number}: "{key}": {first["msg"]}', f"A line of this file is one {model.__name__}."
            ) from error


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}:{error.lineno}: not JSON ({error.msg})", "Mend or remove the file."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text`, atomically and flushed to the disk."""
    write_chunks(path, (text,))


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as indented JSON."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_rows(path: Path, rows: Iterable[dict[str, Any] | BaseModel]) -> int:
    """Replace `path` by JSON Lines, one row a line; return the number of rows."""
    count = 0

    def lines() -> Iterator[str]:
        nonlocal count
        for row in rows:
            value = row.model_dump(mode="json") if isinstance(row, BaseModel) else row
            yield json.dumps(value, ensure_ascii=False) + "\n"
            count += 1

    write_chunks(path, lines())
    return count


def write_chunks(path: Path, chunks: Iterable[str]) -> None:
    """Replace `path` by the joined `chunks`, atomically and flushed to the disk."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(chunks)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name to write a file under; when the block ends it replaces `path`, atomically and flushed to the disk."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with friendly_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            fsync(beside)
            beside.replace(path)
            fsync(path.parent)
        finally:
            beside.unlink(missing_ok=True)


def sha256_tree(*paths: Path) -> str:
    """Return a SHA-256 over the names and bytes of files and folders (read recursively, in name order)."""
    total = hashlib.sha256()
    for path in paths:
        with friendly_os_errors(path):
            files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            for file in files:
                with file.open("rb") as stream:
                    content = hashlib.file_digest(stream, "sha256").hexdigest()
                name = file.relative_to(path).as_posix() if path.is_dir() else file.name
                total.update(f"{name}\x1f{content}\x1e".encode())
    return total.hexdigest()
