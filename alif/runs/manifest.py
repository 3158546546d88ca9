"""What the folder of a finished step holds: the size and SHA-256 of each file, kept in its step.json.

    "files": {"adapter/adapter_model.safetensors": {"bytes": 412864, "sha256": "9b1e0c…"}, …}

Sizes are compared whenever a run goes on, which costs a stat a file; digests before another step reads the
folder. Modification times do not count, so a folder that was copied, or came back from a mirror, still
verifies. Neither do files that were added after the step was finished, such as the model card in
export/model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from alif import store
from alif.errors import DriftError
from alif.records import FrozenModel

__all__ = ["FileEntry", "build", "verify"]


class FileEntry(FrozenModel):
    """One file of a finished step."""

    bytes: int
    sha256: str


_digests: dict[tuple[int, int, int, int], str] = {}
"""SHA-256 by device, inode, size and modification time: a file that did not change is read once a process,
however many steps use it, and what this process wrote is not read again."""


def build(folder: Path) -> dict[str, FileEntry]:
    """Return {name relative to `folder`: {"bytes", "sha256"}} of every file in it, in name order."""
    with store.friendly_os_errors(folder):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {
            path.relative_to(folder).as_posix(): FileEntry(bytes=path.stat().st_size, sha256=_sha256(path))
            for path in files
        }


def verify(folder: Path, files: Mapping[str, FileEntry], *, content: bool) -> None:
    """Compare the sizes of `files`, and with `content` their digests too, with what `build` recorded.

    Raises:
        DriftError: a file was changed or removed.
    """
    for name, recorded in files.items():
        path = folder / name
        with store.friendly_os_errors(path):
            if not path.is_file():
                fault = "removed"
            elif path.stat().st_size != recorded.bytes or (content and _sha256(path) != recorded.sha256):
                fault = "changed"
            else:
                continue
        raise DriftError(
            f"{path} was {fault} after the step was finished",
            f"Put the file back as it was, or remove the folder {folder}: the same command builds it again.",
        )


def _sha256(path: Path) -> str:
    found = path.stat()
    key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    if key not in _digests:
        with path.open("rb") as stream:
            _digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _digests[key]
