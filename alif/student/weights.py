"""Weight files: safetensors, the same bytes for the same tensors, with the libraries' refusals as sentences."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from alif import store
from alif.errors import ModelError
from alif.student import ranks

__all__ = ["full_disk", "read", "write"]


def write(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Replace `path` by `tensors`, atomically and flushed to the disk; those that share memory are written apart.

    Of several processes the first writes for all.
    """
    ready = {name: ranks.whole(tensors[name].detach()).cpu().contiguous().clone() for name in sorted(tensors)}
    if not ranks.first():
        return
    with full_disk(path), store.replacing(path) as beside:
        save_file(ready, beside, metadata={"format": "pt"})


def read(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a file.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path}: not a whole safetensors file ({error})", "Remove that step's folder and run it again."
        ) from error


@contextlib.contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Like `store.disk`, for libraries that hide the operating system's error number in their text.

    Those are PyTorch, safetensors, and tokenizers, which raises a plain Exception.
    """
    with store.disk(path):
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            if "No space left" in str(error) or "file write failed" in str(error):
                raise OSError(errno.ENOSPC, str(error)) from error
            raise
