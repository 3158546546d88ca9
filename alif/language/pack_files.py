"""Read the files of a language pack, which may come from a stranger.

A file is read only if it lies in the pack's folder, symlinks followed, is a regular file, and is no larger
than its kind needs: a symlink to a private file is not sent to a teacher, a FIFO does not hang the reader, a
huge file does not fill the memory.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alif.errors import PackError

__all__ = ["MAX_PROMPT_BYTES", "parse_toml", "read_pack_text", "require_pack_file", "text_files"]

MAX_PROMPT_BYTES = 64 * 1024
"""Of a prompt template, before and after its includes are written out. The shipped ones have 1 to 3 KiB."""
MAX_TABLE_BYTES = 256 * 1024
"""Of a TOML or Markdown file. The largest shipped one has 33 KB."""
MAX_ROWS_BYTES = 64 * 1024 * 1024
"""Of a file of rows. The largest shipped one has 0.2 MB."""
MAX_LINE_DOTS = 200
"""Full stops in a line of TOML: the memory of tomllib grows with the square of the parts of a dotted key."""

_MAX_BYTES = {".jinja": MAX_PROMPT_BYTES, ".jsonl": MAX_ROWS_BYTES}
_KINDS = (
    "*.toml", "tasks/*.toml", "prompts/*.jinja", "judge/*.jinja",
    "test.jsonl", "choices.jsonl", "seeds/*.jsonl",
    "demo/*.jsonl", "demo/candidates/*.jsonl", "*.md",
)  # fmt: skip


def text_files(folder: Path) -> Iterator[Path]:
    """Yield the paths of a pack that are read, even if one is no regular file."""
    for kind in _KINDS:
        yield from sorted(folder.glob(kind))


def require_pack_file(path: Path, folder: Path) -> None:
    """Reject a file that does not lie in the pack's folder, is no regular file, or is too large.

    Raises:
        PackError: with the path.
    """
    real, root, installed = (Path(os.path.realpath(each)) for each in (path, folder, Path(__file__).parent))
    ours = root.is_relative_to(installed)  # some installers make each of our own files a symlink
    if not ours and not real.is_relative_to(root):
        hint = "Copy the file itself into the pack: links may not lead out of it."
        raise PackError(f"{path}: lies outside the pack's folder", hint)
    try:
        facts = path.stat()
    except OSError as error:
        raise PackError(f"{path}: cannot be read ({error.strerror})", "The pack needs this file.") from error
    if not stat.S_ISREG(facts.st_mode):
        raise PackError(
            f"{path}: is not a regular file", "Replace the folder, pipe or device by a text file."
        )
    most = _MAX_BYTES.get(path.suffix, MAX_TABLE_BYTES)
    if facts.st_size > most:
        raise PackError(f"{path}: {facts.st_size:,} bytes, at most {most:,} are read", "Shorten the file.")


def read_pack_text(path: Path, folder: Path) -> str:
    """Read a file of the pack in `folder`: UTF-8, NFC, LF, without a byte-order mark.

    Raises:
        PackError: with path and line.
    """
    require_pack_file(path, folder)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PackError(f"{path}: cannot be read ({error.strerror})", "The pack needs this file.") from error
    if raw.startswith(b"\xef\xbb\xbf"):
        raise PackError(f"{path}:1: begins with a byte-order mark", "Save the file as UTF-8 without BOM.")
    if (place := raw.find(b"\r")) >= 0:
        line = 1 + raw.count(b"\n", 0, place)
        raise PackError(f"{path}:{line}: a Windows line end (CR)", "Save the file with Unix line ends (LF).")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + raw.count(b"\n", 0, error.start)
        message = f"{path}:{line}: not UTF-8 (byte 0x{raw[error.start]:02x})"
        raise PackError(message, "Save the file as UTF-8.") from error
    for number, written in enumerate(text.split("\n"), 1):
        if not unicodedata.is_normalized("NFC", written):
            hint = r"Write each letter as one character; in TOML a mark as \u0654."
            raise PackError(f"{path}:{number}: decomposed letters (not Unicode NFC)", hint)
    return text


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Parse the text of a TOML file, in bounded memory.

    Raises:
        PackError: with path and line.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_LINE_DOTS:
            message = f"{path}:{number}: more than {MAX_LINE_DOTS} full stops in a line"
            raise PackError(message, "Break the line.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        named = re.search(r"line (\d+)", str(error))
        where = f"{path}:{named[1] if named else len(text.splitlines())}"
        raise PackError(f"{where}: not TOML ({error})", "Correct that line.") from error
    except RecursionError as error:
        hint = "Write the tables as in packs/ur/pack.toml."
        raise PackError(f"{path}: lists or tables nested too deeply", hint) from error
    except ValueError as error:  # a number of thousands of digits
        raise PackError(f"{path}: a number that cannot be read ({error})", "Shorten that number.") from error
