"""A private repository of the Hugging Face Hub as a folder that run folders are copied to: put, names, drop, fetch.

What is put stands there in one commit, whole or not at all: the client's own `upload_folder` may cut a folder into several, and
a machine that vanished between two of them would leave half a step behind. The token is read by the client, from HF_TOKEN or
its own login, and is never told or written here.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from alif.errors import AlifError, MissingExtra

__all__ = ["drop", "fetch", "names", "put"]


def put(repository: str, name: str, source: Path) -> None:
    """Make the file or folder `source` stand as `name`; what `name` held before and `source` does not is gone.

    Raises:
        AlifError: the repository is public, or cannot be reached.
    """
    with _reaching(repository) as hub:
        api = _ready(hub, repository)
        files = {name: source}
        if source.is_dir():
            files = {f"{name}/{path.relative_to(source).as_posix()}": path for path in source.rglob("*") if path.is_file()}
        there = [path for path in api.list_repo_files(repository) if path == name or path.startswith(f"{name}/")]
        work = [hub.CommitOperationAdd(path_in_repo=path, path_or_fileobj=file) for path, file in sorted(files.items())]
        work += [hub.CommitOperationDelete(path_in_repo=path) for path in there if path not in files]
        api.create_commit(repository, work, commit_message=f"alif: {name}")


def names(repository: str, folder: str) -> list[str]:
    """Return the names of what stands directly in `folder`."""
    with _reaching(repository) as hub:
        inside = [path.split("/") for path in hub.HfApi().list_repo_files(repository) if path.startswith(f"{folder}/")]
        depth = len(folder.split("/"))
        return sorted({parts[depth] for parts in inside})


def drop(repository: str, folders: Sequence[str]) -> None:
    """Remove folders, in one commit. The repository's history keeps them."""
    if folders:
        with _reaching(repository) as hub:
            work = [hub.CommitOperationDelete(path_in_repo=f"{folder}/", is_folder=True) for folder in folders]
            hub.HfApi().create_commit(repository, work, commit_message=f"alif: without {', '.join(folders)}")


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
        raise AlifError(f"hub:{repository} is public, and a run holds data", "Make it private, or name another repository.")
    return api


@contextlib.contextmanager
def _reaching(repository: str) -> Iterator[Any]:
    """Load the client, and turn its errors into sentences."""
    try:
        hub: Any = import_module("huggingface_hub")  # an extra: loaded only where a recipe names a repository
    except ImportError as error:
        raise MissingExtra("runtime.mirror on the hub", "hub") from error
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
        raise AlifError(
            f"hub:{repository}: the mirror cannot be reached ({told or type(why).__name__})",
            "Check the network, and that HF_TOKEN may write there; then repeat the command.",
        ) from error
