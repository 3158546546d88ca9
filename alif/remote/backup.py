"""A copy of a run elsewhere, for rented and notebook machines that may be lost (runtime.backup).

    BACKUP/urdu-1b/corpus/ blend/ …                        each finished step, when it is finished
    BACKUP/urdu-1b/runtime/pretrain/checkpoints/step-50/   each checkpoint; the last two are kept
    BACKUP/urdu-1b/ledger.sqlite                           every minute or two, and after each step

BACKUP is a folder (a mounted drive) or "hub:OWNER/NAME", a private repository. A folder is copied under
another name, flushed and renamed, as in the run itself, and a repository gets it in one commit, so every part
there is complete. The same command on a new machine downloads it and continues. A ledger shared with other
runs (runtime.ledger) is not copied.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from alif import console, store
from alif.errors import AlifError
from alif.remote import hub

__all__ = ["HUB", "background_backup", "prune_backup", "restore_run", "up_to_date_steps", "upload_path"]

HUB = "hub:"
LEDGER = "ledger.sqlite"
EVERY_S = {"folder": 60.0, "hub": 120.0}
"""How often a changed ledger is copied: at most so much paid work is lost with the machine. The Hub limits
commits an hour."""


def upload_path(local: Path, name: str, backup: str) -> None:
    """Copy the file or folder `local` to the backup as `name`, such as "urdu-1b/corpus"; no backup, no copy.

    Raises:
        AlifError: no space there, or it cannot be reached.
    """
    if backup.startswith(HUB):
        hub.upload(backup.removeprefix(HUB), name, local)
    elif backup:
        _copy_atomically(local, Path(backup) / name)


def prune_backup(local: Path, name: str, backup: str) -> None:
    """Remove from the backup's folder `name` what `local` no longer holds, such as old checkpoints."""
    kept = {path.name for path in local.glob("*")}
    folder = Path(backup) / name
    if backup.startswith(HUB):
        hub.delete_except(backup.removeprefix(HUB), name, kept)
    elif backup and folder.is_dir():
        for path in folder.iterdir():
            if path.name not in kept:
                _remove(path)


def up_to_date_steps(root: Path, backup: str) -> set[str]:
    """Return the finished steps of the run `root` whose backup is current.

    It is not where the backup could not be reached when the step finished, was named later, or holds an older
    build.
    """
    if not backup:
        return set()
    here = {path.parent.name: path.read_bytes() for path in root.glob("*/step.json")}
    if backup.startswith(HUB):
        blobs = hub.list_files(backup.removeprefix(HUB), root.name)
        return {
            name for name, record in here.items() if blobs.get(f"{name}/step.json") == hub.git_blob_id(record)
        }
    there = {path.parent.name: path.read_bytes() for path in (Path(backup) / root.name).glob("*/step.json")}
    return {name for name, record in here.items() if there.get(name) == record}


def restore_run(root: Path, backup: str) -> list[str]:
    """Copy the run from its backup if `root` does not exist yet; return the names of the parts.

    A run that exists here is left alone: a step whose folder somebody removed, to build it again, must not
    come back.
    """
    if not backup or (root / "recipe.toml").is_file():
        return []
    scratch = root / "runtime" / "backup" / "hub"
    on_hub = backup.startswith(HUB)
    with store.friendly_os_errors(scratch):
        there = (
            hub.download_folder(backup.removeprefix(HUB), root.name, scratch)
            if on_hub
            else Path(backup) / root.name
        )
    if not there.is_dir():
        return []
    parts = [path for path in there.iterdir() if path.is_dir() and (path / "step.json").is_file()]
    done = {path.name for path in parts}  # of these only the curve, for the report, and no checkpoints
    parts += [path for path in there.glob("runtime/*/*") if path.is_file() or path.parent.name not in done]
    parts += [there / LEDGER] if (there / LEDGER).is_file() else []
    restored = []
    for path in sorted(parts):
        name = path.relative_to(there).as_posix()
        here = root / name
        if here.exists() or path.name.startswith("."):
            continue
        if on_hub:  # it is on this disk already
            with store.friendly_os_errors(here):
                here.parent.mkdir(parents=True, exist_ok=True)
                store.fsync_tree(path)
                path.rename(here)
                store.fsync(here.parent)
        else:
            _copy_atomically(path, here)
        restored.append(name)
    _remove(scratch)
    return restored


@contextlib.contextmanager
def background_backup(root: Path, backup: str) -> Iterator[Callable[[], None]]:
    """Copy the run's ledger periodically, at the block's end, and when the yielded function is called."""
    if not backup:
        yield lambda: None
        return
    over, every_s = threading.Event(), EVERY_S["hub" if backup.startswith(HUB) else "folder"]
    copying, last = threading.Lock(), ""

    ledger, snapshot = root / LEDGER, root / "runtime" / "backup" / LEDGER

    def copy_ledger() -> None:
        nonlocal last
        with copying:
            if not ledger.is_file():
                return
            snapshot.parent.mkdir(parents=True, exist_ok=True)
            snapshot.unlink(missing_ok=True)
            with (
                contextlib.closing(sqlite3.connect(ledger)) as live,
                contextlib.closing(sqlite3.connect(snapshot)) as copy,
            ):
                live.backup(copy)  # consistent also during writes
            if (now := store.sha256_tree(snapshot)) != last:
                upload_path(snapshot, f"{root.name}/{LEDGER}", backup)
                last = now

    def copy_periodically() -> None:
        while not over.wait(every_s):
            with contextlib.suppress(AlifError, OSError, sqlite3.Error):  # reported at the end, if it lasts
                copy_ledger()

    thread = threading.Thread(target=copy_periodically, name="backup", daemon=True)
    thread.start()
    try:
        yield copy_ledger
    except BaseException:
        over.set()
        thread.join()
        try:
            copy_ledger()
        except (AlifError, OSError, sqlite3.Error) as error:  # it must not hide what ended the block
            reason = getattr(error, "message", error)
            console.log(f"{backup}: the ledger there lacks its last minutes ({reason})")
        raise
    over.set()
    thread.join()
    copy_ledger()


def _copy_atomically(source: Path, target: Path) -> None:
    """Copy a file or folder beside its target, flush it, and rename it.

    Raises:
        AlifError: the disk cannot hold it, or refuses.
    """
    with store.friendly_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
        hint = "Free some space there, or name another runtime.backup, and repeat the command: it continues."
        store.require_free_space(target.parent, sum(path.stat().st_size for path in files), source.name, hint)
        beside = target.with_name(f".{target.name}.copying")
        _remove(beside)
        if source.is_dir():
            shutil.copytree(source, beside)
        else:
            shutil.copyfile(source, beside)
        store.fsync_tree(beside)
        if target.is_dir():  # a file is replaced by the rename itself
            shutil.rmtree(target)
        beside.replace(target)
        store.fsync(target.parent)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
