"""Whether a file lies on a network mount, where SQLite's write-ahead log does not work."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["network_mount"]

NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "afpfs",
    "webdav",
    "ceph",
    "lustre",
    "beegfs",
    "gpfs",
    "glusterfs",
    "fuse.",
    "macfuse",
    "osxfuse",
    "virtiofs",
    "vboxsf",
    "drvfs",
)
"""Beginnings of the kinds of file system where WAL's shared memory does not work. Source: sqlite.org/wal.html, section 1."""
LISTING_S = 5.0
"""How long listing what is mounted may take; a server that is gone can hold it up."""
_SHOWN = re.compile(r".+? on (?P<point>/.*) \((?P<kind>[^,)]+)[^()]*\)")
"""A line of what macOS and the BSDs print: where, and in brackets which kind first."""


def network_mount(
    path: Path, mounts: Path = Path("/proc/self/mounts"), mount: Sequence[str] = ("/sbin/mount",)
) -> str:
    """Return the kind of file system where `path` lies if it is a network mount, else "" (also where that cannot be known).

    Args:
        path: a file, there or not.
        mounts: where Linux lists what is mounted.
        mount: the command that does so elsewhere.
    """
    place, kind = path.resolve(), ""
    longest = -1
    for point, one in _listed(mounts) or _shown(mount):
        if place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), one
    return kind if kind.startswith(NETWORK) else ""


def _listed(mounts: Path) -> list[tuple[Path, str]]:
    """Return (where, kind) of each mount from Linux's list: `server:/x /home/me nfs4 rw 0 0`, spaces in octal."""
    try:
        lines = mounts.read_bytes().decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    fields = [line.split(" ") for line in lines]
    return [
        (Path(one[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")), one[2])
        for one in fields
    ]


def _shown(mount: Sequence[str]) -> list[tuple[Path, str]]:
    """Return the same from what macOS and the BSDs print: `//me@server/x on /Volumes/a b (smbfs, nodev)`."""
    try:
        said = subprocess.run(mount, capture_output=True, check=False, timeout=LISTING_S).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = (_SHOWN.fullmatch(line) for line in said.decode("utf-8", "surrogateescape").splitlines())
    return [(Path(one["point"]), one["kind"]) for one in found if one]
