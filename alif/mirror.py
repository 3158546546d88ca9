"""A copy of a run elsewhere, for rented and notebook machines that vanish (runtime.mirror).

    MIRROR/urdu-1b/corpus/ blend/ …                        each finished step, when it is finished
    MIRROR/urdu-1b/runtime/pretrain/checkpoints/step-50/   each checkpoint; there too the last two are kept
    MIRROR/urdu-1b/ledger.sqlite                           every minute while something is asked, and at the end of each step

MIRROR is a folder (a mounted drive) or "hub:OWNER/NAME", a private repository. A folder is copied under another name, flushed
and renamed, as in the run itself, so what stands there is whole. The same command on a new machine fetches it and goes on.
A ledger that the recipe shares with other runs (runtime.ledger) is not copied.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alif import store
from alif.errors import AlifError, MissingExtra

__all__ = ["forget", "keeping", "restore", "send"]

HUB = "hub:"
LEDGER = "ledger.sqlite"
EVERY_S = 60.0
"""How often the ledger is copied: so much of what was paid for can be lost with the machine."""


def send(root: Path, part: str, mirror: str) -> None:
    """Copy `root`/`part`, a file or folder, to the mirror of the run `root`; nothing is done where `mirror` is empty.

    Raises:
        AlifError: no room there, or it cannot be reached.
    """
    if not mirror:
        return
    if mirror.startswith(HUB):
        _upload(root, part, mirror.removeprefix(HUB))
        return
    target = Path(mirror) / root.name / part
    with store.disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _room(root / part, target.parent)
        beside = target.with_name(f".{target.name}.copying")
        _remove(beside)
        _copy(root / part, beside)
        _remove(target)
        beside.rename(target)


def forget(root: Path, folder: str, mirror: str) -> None:
    """Remove from the mirror what `root`/`folder` no longer holds: old checkpoints."""
    there = Path(mirror) / root.name / folder
    if mirror.startswith(HUB):
        with _reaching(name := mirror.removeprefix(HUB)):
            where = {"repo_id": name, "folder_path": root / folder, "path_in_repo": f"{root.name}/{folder}"}
            _hub().HfApi().upload_folder(**where, delete_patterns="*")
    elif mirror and there.is_dir():
        for path in there.iterdir():
            if not (root / folder / path.name).exists():
                _remove(path)


def restore(root: Path, mirror: str) -> list[str]:
    """Fetch the run from its mirror where `root` has none yet; return the parts, by name.

    A run that has begun here is left alone: a step whose folder somebody removed, to build it again, must not come back.
    """
    if not mirror or (root / "recipe.toml").is_file():
        return []
    there = _download(root, mirror.removeprefix(HUB)) if mirror.startswith(HUB) else Path(mirror) / root.name
    if not there.is_dir():
        return []
    parts = [path for path in there.iterdir() if path.is_dir() and (path / "step.json").is_file()]
    done = {path.name for path in parts}
    parts += [path for path in there.glob("runtime/*/*") if path.parent.name not in done]
    parts += [there / LEDGER] if (there / LEDGER).is_file() else []
    fetched = []
    for path in sorted(parts):
        name = path.relative_to(there).as_posix()
        here = root / name
        if here.exists() or path.name.startswith("."):
            continue
        with store.disk(here):
            here.parent.mkdir(parents=True, exist_ok=True)
            _room(path, here.parent)
            beside = here.with_name(f".{here.name}.fetching")
            _remove(beside)
            _copy(path, beside)
            beside.rename(here)
        fetched.append(name)
    return fetched


@contextlib.contextmanager
def keeping(root: Path, mirror: str) -> Iterator[None]:
    """Copy the run's ledger every minute for the length of a block, and at its end."""
    if not mirror:
        yield
        return
    over = threading.Event()

    def copy() -> None:
        while not over.wait(EVERY_S):
            with contextlib.suppress(AlifError, OSError, sqlite3.Error):  # told at the end of the block, if it lasts
                _send_ledger(root, mirror)

    thread = threading.Thread(target=copy, name="mirror", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _send_ledger(root, mirror)


def _send_ledger(root: Path, mirror: str) -> None:
    """Copy the ledger as SQLite backs it up: whole, even while it is written."""
    if not (root / LEDGER).is_file():
        return
    copy = root / "runtime" / "mirror" / LEDGER
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(root / LEDGER)) as live, contextlib.closing(sqlite3.connect(copy)) as backup:
        live.backup(backup)
    if mirror.startswith(HUB):
        _upload(root, LEDGER, mirror.removeprefix(HUB), local=copy)
        return
    target = Path(mirror) / root.name / LEDGER
    with store.disk(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _room(copy, target.parent)
        beside = target.with_name(f".{LEDGER}.copying")
        shutil.copyfile(copy, beside)
        _flush(beside)
        beside.replace(target)


def _room(source: Path, folder: Path) -> None:
    """Refuse to begin a copy that the disk cannot hold."""
    files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
    needed, free = sum(path.stat().st_size for path in files), shutil.disk_usage(folder).free
    if free < needed:
        raise AlifError(
            f"{folder}: the disk is full ({source.name} needs {needed / 1e9:.3g} GB, {free / 1e9:.3g} GB are free)",
            "Free some space there, or name another runtime.mirror, and repeat the command: it goes on where it stopped.",
        )


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
    for path in target.rglob("*") if target.is_dir() else (target,):
        if path.is_file():
            _flush(path)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _hub() -> Any:
    try:
        import huggingface_hub  # noqa: PLC0415  (an extra: loaded only where a recipe names a repository)
    except ImportError as error:
        raise MissingExtra("runtime.mirror on the hub", "hub") from error
    return huggingface_hub


@contextlib.contextmanager
def _reaching(repository: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # the hub's own errors (no token, no network, not found) are among these
        told = " ".join(str(error).split())[:200]
        raise AlifError(
            f"hub:{repository}: the mirror cannot be reached ({told})",
            "Check the network, and that HF_TOKEN may write there; then repeat the command.",
        ) from error


def _upload(root: Path, part: str, repository: str, local: Path | None = None) -> None:
    """Put a part into the repository in one commit; a public repository is refused."""
    hub, source = _hub(), local or root / part
    with _reaching(repository):
        api = hub.HfApi()
        api.create_repo(repository, private=True, exist_ok=True)
        public = not api.repo_info(repository).private
    if public:
        raise AlifError(f"hub:{repository} is public, and a run holds data", "Make it private, or name another repository.")
    with _reaching(repository):
        name = f"{root.name}/{part}"
        if source.is_dir():
            api.upload_folder(repo_id=repository, folder_path=source, path_in_repo=name)
        else:
            api.upload_file(repo_id=repository, path_or_fileobj=source, path_in_repo=name)


def _download(root: Path, repository: str) -> Path:
    with _reaching(repository):
        folder = root / "runtime" / "mirror" / "hub"
        _hub().snapshot_download(repository, allow_patterns=f"{root.name}/*", local_dir=folder)
    return folder / root.name
