"""What the folder of a finished step holds: the size and SHA-256 of each file, kept in its step.json.

    "files": {"adapter/adapter_model.safetensors": {"bytes": 412864, "sha256": "9b1e0c…"}, …}

Sizes are compared whenever a run goes on, which costs a stat a file; digests before another step reads the
folder. Modification times do not count, so a folder that was copied, or came back from a mirror, still
verifies. Neither do files that were added after the step was finished, such as the model card in
export/model.
"""

from __future__ import annotations

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


def build(folder: Path) -> dict[str, FileEntry]:
    """Return {name relative to `folder`: {"bytes", "sha256"}} of every file in it, in name order."""
    with store.friendly_os_errors(folder):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {
            path.relative_to(folder).as_posix(): FileEntry(
                bytes=path.stat().st_size, sha256=store.sha256_file(path)
            )
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
            elif path.stat().st_size != recorded.bytes or (
                content and store.sha256_file(path) != recorded.sha256
            ):
                fault = "changed"
            else:
                continue
        raise DriftError(
            f"{path} was {fault} after the step was finished",
            f"Put the file back as it was, or remove the folder {folder}: the same command builds it again.",
        )
