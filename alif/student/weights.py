"""Weight files: safetensors, the same bytes for the same tensors, with the libraries' errors as sentences."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from alif import store
from alif.errors import AlifError, ModelError
from alif.student import distributed

__all__ = ["digest_model", "friendly_disk_errors", "friendly_model_errors", "read_weights", "write_weights"]

MODEL_FILES = (".json", ".safetensors", ".model", ".txt", ".jinja")
"""Endings of what a model is read from."""
LIBRARY_ERRORS = (
    OSError, ValueError, KeyError, ImportError, AttributeError, TypeError, IndexError, RuntimeError,
    AssertionError, UnpicklingError,
)  # fmt: skip
"""What transformers and tokenizers raise for a folder that they cannot use."""
CURES = {
    "gated": "Accept its licence on the hub, and set HF_TOKEN to a token of that account.",
    "trust_remote_code": "No code of a model is run: choose a base that transformers knows itself.",
    "Weights only load failed": "No pickled code is run: choose a base that has its weights in safetensors.",
    "bitsandbytes": "Name the base that it was quantized from.",
    "gptq": "Name the base that it was quantized from.",
    "sentencepiece": "Its tokenizer has no tokenizer.json: open and save it once where sentencepiece is.",
    "tiktoken": "Its tokenizer has no tokenizer.json: open and save it once where sentencepiece is.",
}
"""Advice by a word of the library's message."""


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Replace `path` by `tensors`, atomically and flushed to the disk.

    Of several processes rank 0 writes for all.
    """
    whole = {
        name: distributed.gather_tensor(tensors[name].detach()).cpu().contiguous().clone()
        for name in sorted(tensors)
    }
    if distributed.is_main_process():
        with friendly_disk_errors(path), store.replacing(path) as temporary:
            save_file(whole, temporary, metadata={"format": "pt"})


def read_weights(path: Path) -> dict[str, torch.Tensor]:
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


def digest_model(folder: Path) -> str:
    """Return the SHA-256 of a model folder's files, without a README or a tool's cache beside them."""
    files = [path for path in folder.iterdir() if path.suffix in MODEL_FILES and path.name[0] != "."]
    return store.sha256_tree(*sorted(files))


@contextlib.contextmanager
def friendly_disk_errors(path: Path) -> Iterator[None]:
    """Like `store.friendly_os_errors`, for libraries that hide the error number in their text.

    Those are PyTorch, safetensors, and tokenizers, which raises a plain Exception.
    """
    with store.friendly_os_errors(path):
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            if "No space left" in str(error) or "file write failed" in str(error):
                raise OSError(errno.ENOSPC, str(error)) from error
            raise


@contextlib.contextmanager
def friendly_model_errors(source: str) -> Iterator[None]:
    """Turn the libraries' errors on opening a model into sentences."""
    try:
        yield
    except SafetensorError as error:
        raise ModelError(
            f"{source}: a damaged safetensors file ({error})", "Fetch or copy the model again."
        ) from error
    except AlifError:
        raise
    except torch.OutOfMemoryError:
        raise
    except LIBRARY_ERRORS as error:
        message = " ".join(str(error).split())
        reason = message if len(message) <= 200 else f"{message[:200].rpartition(' ')[0]} …"
        hint = next(
            (cure for word, cure in CURES.items() if word in message),
            "Check the name and the revision, or name a folder that save_pretrained wrote.",
        )
        if any(word in message for word in ("Connection", "connect", "offline")):
            reason = "it is not on this machine, and huggingface.co cannot be reached"
            hint = "Connect to the network once, or name a folder that holds the model."
        raise ModelError(f"{source}: cannot be opened as a model ({reason})", hint) from error
