"""Whether a file lies on a network mount, where SQLite's write-ahead log does not work."""

from __future__ import annotations

from pathlib import Path

__all__ = ["network_mount"]

NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "beegfs",
    "gpfs",
    "glusterfs",
    "fuse.",
    "virtiofs",
    "vboxsf",
    "drvfs",
)
"""Beginnings of the kinds of file system where WAL's shared memory does not work. Source: sqlite.org/wal.html, section 1."""


def network_mount(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the kind of file system where `path` lies if it is a network mount, else "" (also where that cannot be known)."""
    try:
        lines = mounts.read_bytes().decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    place, kind = path.resolve(), ""
    longest = -1
    for line in lines:
        fields = line.split(" ")
        point = Path(fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        if place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), fields[2]
    return kind if kind.startswith(NETWORK) else ""
