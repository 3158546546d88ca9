"""Files: read JSON Lines and text with the line number in every error, write atomically, digest.

A file is written under another name and renamed, so a reader sees the old file or the new one, never half of
either. It is flushed before the rename and its folder after it, so the same holds after a power cut.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from alif.errors import AlifError, DataError
from alif.strict_json import parse_json, parse_row

__all__ = [
    "explain_os_error", "friendly_os_errors", "fsync", "fsync_tree", "is_utf8", "read_json",
    "read_lines", "read_models", "read_rows", "read_text", "replacing", "require_free_space",
    "sha256_file", "sha256_tree", "write_json", "write_rows", "write_text",
]  # fmt: skip

Model = TypeVar("Model", bound=BaseModel)
_OS_ERRORS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is exceeded",
    errno.EFBIG: "the file size limit is reached (ulimit -f)",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk reports an input/output error",
    errno.ESTALE: "the network disk is gone",
    errno.ENAMETOOLONG: "the name is too long for this disk",
    errno.ENOTDIR: "a part of this path is a file, a folder is needed",
    errno.EEXIST: "something else is there: a file, or a link to a place that does not exist",
    errno.ENOTEMPTY: "the folder is not empty",
    errno.EMFILE: "too many files are open (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ELOOP: "links that point to each other",
    errno.EINVAL: "the name or the operation is not allowed on this disk",
    errno.EBUSY: "another program holds it",
    errno.ETXTBSY: "another program holds it",
}
_MAGIC = {
    b"\xff\xfe": ("UTF-16", "Save the file as UTF-8: iconv -f UTF-16 -t UTF-8 FILE."),
    b"\xfe\xff": ("UTF-16", "Save the file as UTF-8: iconv -f UTF-16 -t UTF-8 FILE."),
    b"\x1f\x8b": ("gzip", "Add .gz to the name of the file."),
    b"PK\x03\x04": ("a zip archive", "Extract it, and name the files in it."),
}
"""First bytes of files that are not UTF-8, what they are, and what to do."""


def explain_os_error(error: OSError) -> str:
    """Return what is wrong with a disk, path or limit in plain words, "" where it may be a bug."""
    return _OS_ERRORS.get(error.errno or 0, "")


def is_utf8(text: str) -> bool:
    """Tell whether a file name can be written in UTF-8: names on Linux may be any bytes."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


@contextlib.contextmanager
def friendly_os_errors(path: Path) -> Iterator[None]:
    """Turn operating system errors at `path` into ours."""
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
        if why := explain_os_error(error):
            raise AlifError(
                f"{path}: {why}", "Repair that and repeat the command: it continues where it stopped."
            ) from error
        raise


def require_free_space(folder: Path, needed: int, what: str, hint: str) -> None:
    """Check that the disk of `folder` can hold `what`, which has `needed` bytes.

    Raises:
        AlifError: with the sizes, and `hint`.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        sizes = f"{what} needs {needed / 1e9:.3g} GB, {free / 1e9:.3g} GB are free"
        raise AlifError(f"{folder}: the disk is full ({sizes})", hint)


def fsync(path: Path) -> None:
    """Flush a file, or the names in a folder where the system can do that (Windows cannot)."""
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


def fsync_tree(path: Path) -> None:
    """Flush a file, or all files and names under a folder, innermost first."""
    if path.is_file():
        fsync(path)
    for place, _, files in os.walk(path, topdown=False):
        for name in files:
            fsync(Path(place, name))
        fsync(Path(place))


def read_lines(path: Path, encoding: str = "") -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 file, gzipped or not.

    A line ends with LF, CRLF or CR. With a named `encoding` what it cannot read is U+FFFD.

    Raises:
        DataError: a line is not UTF-8, or the gzip stream is damaged.
    """
    open_file = gzip.open if path.suffix.lower() == ".gz" else open
    with friendly_os_errors(path), open_file(path, "rb") as file:
        number = 0
        try:
            if encoding:
                lines = io.TextIOWrapper(file, encoding, "replace", newline="")
                yield from enumerate((line.rstrip("\r\n") for line in lines), 1)
            for block in () if encoding else file:
                for raw in block.rstrip(b"\r\n").split(b"\r"):
                    number += 1
                    try:
                        line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                    except UnicodeDecodeError as error:
                        raise _encoding_error(path, number, raw, error, file) from error
                    yield number, line
        except gzip.BadGzipFile as error:
            if number == 0 and "Not a gzipped file" in str(error):
                hint = "Rename it without .gz."
                raise DataError(f"{path}: not gzip, though its name ends in .gz", hint) from error
            raise DataError(f"{path}: a damaged gzip file ({error})", "Download the file again.") from error
        except (zlib.error, EOFError) as error:
            raise DataError(f"{path}: a damaged gzip file ({error})", "Download the file again.") from error


def _encoding_error(
    path: Path, number: int, raw: bytes, error: UnicodeDecodeError, rest: Iterable[bytes]
) -> DataError:
    """Describe a line that is not UTF-8: the encoding where the first bytes tell it, else how many more."""
    for magic, (found, hint) in _MAGIC.items():
        if number == 1 and raw.startswith(magic):
            return DataError(f"{path}: not UTF-8 but {found}", hint)
    bad = 1
    for line in rest:
        try:
            line.decode()
        except UnicodeDecodeError:
            bad += 1
    where = f"byte 0x{raw[error.start]:02x} at column {error.start + 1}"
    hint = "Save the file as UTF-8, or remove that line."
    if bad > 1:
        where += f"; so are {bad - 1} more line{'s' * (bad > 2)}"
        hint = "Save the file as UTF-8, or remove those lines."
    return DataError(f"{path}:{number}: not UTF-8 ({where})", hint)


def read_text(path: Path, encoding: str = "") -> str:
    """Return a whole UTF-8 file, line ends as LF, without a byte-order mark; `encoding`: see `read_lines`."""
    return "\n".join(line for _, line in read_lines(path, encoding))


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON Lines file, gzipped or not; blank lines are skipped.

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
                f"{path}:{number}: {error}", "Each line is one JSON object; correct or remove that line."
            ) from error


def read_models(path: Path, model: type[Model]) -> Iterator[Model]:
    """Yield the rows of a JSON Lines file as `model`, with path:line in every error."""
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
    text = read_text(path)
    try:
        return parse_json(text)
    except ValueError as error:
        line = getattr(error.__cause__, "lineno", 1)
        raise DataError(f"{path}:{line}: {error}", "Repair or remove the file.") from error


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
    """Yield a path to write to; at the end of the block that file replaces `path` atomically, flushed."""
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


_digests: dict[tuple[int, int, int, int], str] = {}
"""SHA-256 by device, inode, size and modification time: a file that did not change is read once a process,
however many steps and sibling runs use it."""


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = path.stat()
    key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    if key not in _digests:
        with path.open("rb") as stream:
            _digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _digests[key]


def sha256_tree(*paths: Path) -> str:
    """Return a SHA-256 over the names and bytes of files and folders (read recursively, in name order)."""
    total = hashlib.sha256()
    for path in paths:
        with friendly_os_errors(path):
            files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            for file in files:
                content = sha256_file(file)
                name = file.relative_to(path).as_posix() if path.is_dir() else file.name
                total.update(f"{name}\x1f{content}\x1e".encode(errors="surrogateescape"))
    return total.hexdigest()
