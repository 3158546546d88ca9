"""A private repository of the Hugging Face Hub as a folder that run folders are copied to: put, keep, contents, fetch.

What is put stands there in one commit, whole or not at all: the client's own `upload_folder` may cut a folder into several, and
a machine that vanished between two of them would leave half a step behind. The token is read by the client, from HF_TOKEN or
its own login, and is never told or written here.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import time
from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from alif.errors import AlifError, MissingExtra

__all__ = ["blob_id", "contents", "fetch", "keep", "put"]

WAITS_S = (5.0, 30.0)
"""Between tries to change something: a training shall not stop for a network that is away for a moment."""


REFUSALS = (401, 403, 404)
"""What the hub answers where asking again is no use: no token, or one that may not."""


class Away(AlifError):
    """The hub cannot be reached now."""


def put(repository: str, name: str, source: Path) -> None:
    """Make the file or folder `source` stand as `name`; what `name` held before and `source` does not is gone.

    Raises:
        AlifError: the repository is public, or cannot be reached, tried three times.
    """

    def work() -> None:
        with _reaching(repository) as hub:
            api = _ready(hub, repository)
            files = {name: source}
            if source.is_dir():
                files = {
                    f"{name}/{path.relative_to(source).as_posix()}": path
                    for path in source.rglob("*")
                    if path.is_file()
                }
            there = [path for path in _files(api, repository) if path == name or path.startswith(f"{name}/")]
            work = [
                hub.CommitOperationAdd(path_in_repo=path, path_or_fileobj=file)
                for path, file in sorted(files.items())
            ]
            work += [hub.CommitOperationDelete(path_in_repo=path) for path in there if path not in files]
            api.create_commit(repository, work, commit_message=f"alif: {name}")

    _patiently(work)


def keep(repository: str, folder: str, kept: Collection[str]) -> None:
    """Remove from `folder` whatever is not named in `kept`, in one commit. The repository's history keeps it.

    Raises:
        AlifError: the repository cannot be reached, tried three times.
    """

    def work() -> None:
        with _reaching(repository) as hub:
            api, depth = hub.HfApi(), len(folder.split("/"))
            inside = {
                path: path.split("/")[depth]
                for path in _files(api, repository)
                if path.startswith(f"{folder}/")
            }
            old = sorted({name for name in inside.values() if name not in kept})
            if old:
                work = [
                    hub.CommitOperationDelete(path_in_repo=path)
                    for path, name in inside.items()
                    if name in old
                ]
                told = ", ".join(f"{folder}/{name}" for name in old)
                api.create_commit(repository, work, commit_message=f"alif: without {told}")

    _patiently(work)


def contents(repository: str, folder: str) -> dict[str, str]:
    """Return every file under `folder`, by its path there, and git's id of its content."""
    with _reaching(repository) as hub:
        found = _files(_ready(hub, repository), repository)
        return {
            path.removeprefix(f"{folder}/"): known
            for path, known in found.items()
            if path.startswith(f"{folder}/")
        }


def blob_id(content: bytes) -> str:
    """Return git's id of a content, as `contents` tells it."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def fetch(repository: str, name: str, to: Path) -> Path:
    """Bring the folder `name` to `to`/`name` and return that; an empty place where there is none.

    Raises:
        AlifError: the repository is public, or cannot be reached.
        OSError: the disk is full.
    """
    with _reaching(repository) as hub:
        _ready(hub, repository)
        hub.snapshot_download(repository, allow_patterns=f"{name}/*", local_dir=to)
    return to / name


def _patiently(work: Callable[[], None]) -> None:
    for wait in WAITS_S:
        try:
            return work()
        except Away:
            time.sleep(wait)
    return work()


def _files(api: Any, repository: str) -> dict[str, str]:
    """Return every file of a repository, by path, and git's id of its content."""
    return {
        one.path: one.blob_id
        for one in api.list_repo_tree(repository, recursive=True)
        if hasattr(one, "blob_id")
    }


def _ready(hub: Any, repository: str) -> Any:
    """Return the client, the repository made where there was none.

    To the hub a private repository without the right token is one that does not exist. It is then refused to be made, and a run
    whose token was forgotten on a new machine stops here, instead of beginning again and paying twice.
    """
    api = hub.HfApi()
    try:
        private = api.repo_info(repository).private
    except hub.errors.RepositoryNotFoundError:
        api.create_repo(repository, private=True)
        private = True
    if not private:
        raise AlifError(
            f"hub:{repository} is public, and a run holds data",
            "Make it private, or name another repository.",
        )
    return api


@contextlib.contextmanager
def _reaching(repository: str) -> Iterator[Any]:
    """Load the client, and turn its errors into sentences."""
    try:
        hub: Any = import_module("huggingface_hub")  # an extra: loaded only where a recipe names a repository
    except ImportError as error:
        raise MissingExtra("runtime.backup on the hub", "hub") from error
    for part in ("errors", "utils"):
        import_module(f"huggingface_hub.{part}")
    hub.utils.disable_progress_bars()
    hub.utils.logging.set_verbosity_error()
    try:
        yield hub
    except (hub.errors.HTTPError, hub.errors.XetDownloadError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # the disk's, not the hub's
        why = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
        told = " ".join(str(why).split())[:200]
        refused = getattr(getattr(error, "response", None), "status_code", None) in REFUSALS
        raise (AlifError if refused else Away)(
            f"hub:{repository}: the mirror cannot be reached ({told or type(why).__name__})",
            "Check the network, and that HF_TOKEN may write there; then repeat the command.",
        ) from error
