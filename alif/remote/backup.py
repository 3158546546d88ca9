"""A copy of a run elsewhere, for rented and notebook machines that vanish (runtime.backup).

    MIRROR/urdu-1b/corpus/ blend/ …                        each finished step, when it is finished
    MIRROR/urdu-1b/runtime/pretrain/checkpoints/step-50/   each checkpoint; there too the last two are kept
    MIRROR/urdu-1b/ledger.sqlite                           every other minute while something is asked, and after each step

MIRROR is a folder (a mounted drive) or "hub:OWNER/NAME", a private repository. A folder is copied under another name, flushed
and renamed, as in the run itself, and a repository gets it in one commit, so what stands there is whole. The same command on a
new machine fetches it and goes on. A ledger that the recipe shares with other runs (runtime.ledger) is not copied.
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

__all__ = ["HUB", "background_backup", "prune", "restore_run", "up_to_date_steps", "upload_step"]

HUB = "hub:"
LEDGER = "ledger.sqlite"
EVERY_S = {"folder": 60.0, "hub": 120.0}
"""How often the ledger is copied where it has changed: so much of what was paid for can be lost with the machine. The hub takes
a limited number of commits an hour."""


def upload_step(root: Path, part: str, mirror: str) -> None:
    """Copy `root`/`part`, a file or folder, to the mirror of the run `root`; nothing is done where `mirror` is empty.

    Raises:
        AlifError: no room there, or it cannot be reached.
    """
    if not mirror:
        return
    if mirror.startswith(HUB):
        hub.put(mirror.removeprefix(HUB), f"{root.name}/{part}", root / part)
        return
    target = Path(mirror) / root.name / part
    with store.friendly_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _room(root / part, target.parent)
        beside = target.with_name(f".{target.name}.copying")
        _remove(beside)
        _copy(root / part, beside)
        _remove(target)
        beside.rename(target)
        store.fsync(target.parent)


def prune(root: Path, folder: str, mirror: str) -> None:
    """Remove from the mirror what `root`/`folder` no longer holds: old checkpoints, and all when a step is done."""
    kept = {path.name for path in (root / folder).glob("*")}
    there = Path(mirror) / root.name / folder
    if mirror.startswith(HUB):
        hub.keep(mirror.removeprefix(HUB), f"{root.name}/{folder}", kept)
    elif mirror and there.is_dir():
        for path in there.iterdir():
            if path.name not in kept:
                _remove(path)


def up_to_date_steps(root: Path, mirror: str) -> set[str]:
    """Return the finished steps that stand in the mirror as they are here.

    A step does not where the mirror could not be reached when it was done, was named later, or has what was built before.
    """
    if not mirror:
        return set()
    here = {path.parent.name: path.read_bytes() for path in root.glob("*/step.json")}
    if mirror.startswith(HUB):
        ids = hub.contents(mirror.removeprefix(HUB), root.name)
        return {name for name, record in here.items() if ids.get(f"{name}/step.json") == hub.blob_id(record)}
    there = {path.parent.name: path.read_bytes() for path in (Path(mirror) / root.name).glob("*/step.json")}
    return {name for name, record in here.items() if there.get(name) == record}


def restore_run(root: Path, mirror: str) -> list[str]:
    """Fetch the run from its mirror where `root` has none yet; return the parts, by name.

    A run that has begun here is left alone: a step whose folder somebody removed, to build it again, must not come back.
    """
    if not mirror or (root / "recipe.toml").is_file():
        return []
    scratch = root / "runtime" / "mirror" / "hub"
    far = mirror.startswith(HUB)
    with store.friendly_os_errors(scratch):
        there = hub.fetch(mirror.removeprefix(HUB), root.name, scratch) if far else Path(mirror) / root.name
    if not there.is_dir():
        return []
    parts = [path for path in there.iterdir() if path.is_dir() and (path / "step.json").is_file()]
    done = {
        path.name for path in parts
    }  # of these the curve, which the report draws, and nothing to go on from
    parts += [path for path in there.glob("runtime/*/*") if path.is_file() or path.parent.name not in done]
    parts += [there / LEDGER] if (there / LEDGER).is_file() else []
    fetched = []
    for path in sorted(parts):
        name = path.relative_to(there).as_posix()
        here = root / name
        if here.exists() or path.name.startswith("."):
            continue
        with store.friendly_os_errors(here):
            here.parent.mkdir(parents=True, exist_ok=True)
            if far:
                _flush(path)
                path.rename(here)  # it lies on this disk already
            else:
                _room(path, here.parent)
                beside = here.with_name(f".{here.name}.fetching")
                _remove(beside)
                _copy(path, beside)
                beside.rename(here)
            store.fsync(here.parent)
        fetched.append(name)
    _remove(scratch)
    return fetched


@contextlib.contextmanager
def background_backup(root: Path, mirror: str) -> Iterator[Callable[[], None]]:
    """Copy the run's ledger every minute or two for the length of a block, at its end, and when what it yields is called."""
    if not mirror:
        yield lambda: None
        return
    over, every_s = threading.Event(), EVERY_S["hub" if mirror.startswith(HUB) else "folder"]
    one_at_a_time, sent = threading.Lock(), ""

    def send_ledger() -> None:
        nonlocal sent
        with one_at_a_time:
            if (copy := _copy_ledger(root)) and (now := store.sha256_tree(copy)) != sent:
                _put_ledger(root, copy, mirror)
                sent = now

    def copy() -> None:
        while not over.wait(every_s):
            with contextlib.suppress(
                AlifError, OSError, sqlite3.Error
            ):  # told at the end of the block, if it lasts
                send_ledger()

    thread = threading.Thread(target=copy, name="mirror", daemon=True)
    thread.start()

    def end() -> None:
        over.set()
        thread.join()
        send_ledger()

    try:
        yield send_ledger
    except (
        BaseException
    ):  # whatever ended the block is what people must read, not that the mirror is away too
        try:
            end()
        except (AlifError, OSError, sqlite3.Error) as error:
            console.log(
                f"{mirror}: the ledger there lacks its last minutes ({getattr(error, 'message', error)})"
            )
        raise
    end()


def _copy_ledger(root: Path) -> Path | None:
    """Copy the ledger as SQLite backs it up: whole, even while it is written; None where there is none."""
    if not (root / LEDGER).is_file():
        return None
    copy = root / "runtime" / "mirror" / LEDGER
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(root / LEDGER)) as live,
        contextlib.closing(sqlite3.connect(copy)) as backup,
    ):
        live.backup(backup)
    return copy


def _put_ledger(root: Path, copy: Path, mirror: str) -> None:
    if mirror.startswith(HUB):
        hub.put(mirror.removeprefix(HUB), f"{root.name}/{LEDGER}", copy)
        return
    target = Path(mirror) / root.name / LEDGER
    with store.friendly_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _room(copy, target.parent)
        with store.replacing(target) as beside:
            shutil.copyfile(copy, beside)


def _room(source: Path, folder: Path) -> None:
    """Refuse to begin a copy that the disk cannot hold."""
    files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
    hint = "Free some space there, or name another runtime.backup, and repeat the command: it goes on where it stopped."
    store.require_free_space(folder, sum(path.stat().st_size for path in files), source.name, hint)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
    _flush(target)


def _flush(path: Path) -> None:
    if path.is_dir():
        store.fsync_tree(path)
    else:
        store.fsync(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
