"""A private repository of the Hugging Face Hub as a file store: upload, list, delete and download folders.

An upload is one commit, complete or absent: the client's own `upload_folder` may split a folder over several
commits, and a machine that was lost between two of them would leave half a step behind. The client reads the
token from HF_TOKEN or its own login; it is never printed or written here.
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

__all__ = ["HubUnreachable", "delete_except", "download_folder", "git_blob_id", "list_files", "upload"]

RETRY_WAITS_S = (5.0, 30.0)
"""Waits between attempts to write: training should survive a short network failure."""
PERMANENT_REFUSALS = (401, 403, 404)
"""HTTP statuses that a retry cannot change: no token, or one without the right."""


class HubUnreachable(AlifError):
    """The Hub cannot be reached now."""


def upload(repository: str, name: str, source: Path) -> None:
    """Upload the file or folder `source` as `name` in one commit, in place of what `name` held.

    Raises:
        AlifError: the repository is public, or cannot be reached in three attempts.
    """

    def commit() -> None:
        with _connect(repository) as hub:
            api = _open_repository(hub, repository)
            files = {name: source}
            if source.is_dir():
                paths = (path for path in source.rglob("*") if path.is_file())
                files = {f"{name}/{path.relative_to(source).as_posix()}": path for path in paths}
            old = [path for path in _list_blobs(api, repository) if f"{path}/".startswith(f"{name}/")]
            operations = [
                hub.CommitOperationAdd(path_in_repo=path, path_or_fileobj=file)
                for path, file in sorted(files.items())
            ]
            operations += [hub.CommitOperationDelete(path_in_repo=path) for path in old if path not in files]
            api.create_commit(repository, operations, commit_message=f"alif: {name}")

    _retry(commit)


def delete_except(repository: str, folder: str, kept: Collection[str]) -> None:
    """Delete what `folder` holds, except the entries named in `kept`, in one commit. The history keeps it.

    Raises:
        AlifError: the repository cannot be reached in three attempts.
    """

    def commit() -> None:
        with _connect(repository) as hub:
            api, depth = hub.HfApi(), len(folder.split("/"))
            paths = [path for path in _list_blobs(api, repository) if path.startswith(f"{folder}/")]
            old = [path for path in paths if path.split("/")[depth] not in kept]
            if old:
                names = sorted({f"{folder}/{path.split('/')[depth]}" for path in old})
                operations = [hub.CommitOperationDelete(path_in_repo=path) for path in old]
                api.create_commit(repository, operations, commit_message=f"alif: without {', '.join(names)}")

    _retry(commit)


def list_files(repository: str, folder: str) -> dict[str, str]:
    """Return every file under `folder` as {path relative to it: git blob id}."""
    with _connect(repository) as hub:
        blobs = _list_blobs(_open_repository(hub, repository), repository)
        prefix = f"{folder}/"
        return {path.removeprefix(prefix): blob for path, blob in blobs.items() if path.startswith(prefix)}


def git_blob_id(content: bytes) -> str:
    """Return git's id of a content, as `list_files` gives it."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def download_folder(repository: str, name: str, to: Path) -> Path:
    """Download the folder `name` to `to`/`name` and return that path; it may not exist.

    Raises:
        AlifError: the repository is public, or cannot be reached.
        OSError: the disk is full.
    """
    with _connect(repository) as hub:
        _open_repository(hub, repository)
        hub.snapshot_download(repository, allow_patterns=f"{name}/*", local_dir=to)
    return to / name


def _retry(commit: Callable[[], None]) -> None:
    for wait_s in RETRY_WAITS_S:
        try:
            return commit()
        except HubUnreachable:
            time.sleep(wait_s)
    return commit()


def _list_blobs(api: Any, repository: str) -> dict[str, str]:
    """Return every file of a repository as {path: git blob id}."""
    entries = api.list_repo_tree(repository, recursive=True)
    return {entry.path: entry.blob_id for entry in entries if hasattr(entry, "blob_id")}


def _open_repository(hub: Any, repository: str) -> Any:
    """Return the client; create the repository if there is none.

    To a client without the right token a private repository does not exist. Creating it is then refused, so a
    run whose token was forgotten on a new machine stops here, instead of starting again and paying twice.
    """
    api = hub.HfApi()
    try:
        private = api.repo_info(repository).private
    except hub.errors.RepositoryNotFoundError:
        api.create_repo(repository, private=True)
        private = True
    if not private:
        hint = "Make it private, or name another repository."
        raise AlifError(f"hub:{repository} is public, and a run holds data", hint)
    return api


@contextlib.contextmanager
def _connect(repository: str) -> Iterator[Any]:
    """Import the client, and turn its errors into ours.

    Raises:
        MissingExtra: huggingface_hub is not installed.
        HubUnreachable: worth a retry.
        AlifError: refused for good.
    """
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
            raise  # a local disk error, not the Hub's
        cause = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error
        reason = " ".join(str(cause).split())[:200] or type(cause).__name__
        status = getattr(getattr(error, "response", None), "status_code", None)
        raise (AlifError if status in PERMANENT_REFUSALS else HubUnreachable)(
            f"hub:{repository}: the backup cannot be reached ({reason})",
            "Check the network, and that HF_TOKEN may write there; then repeat the command.",
        ) from error
