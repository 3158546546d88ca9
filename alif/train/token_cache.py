"""Texts in tokens, made once and kept on disk: a stage that is killed and goes on finds them there, however large the corpus.

    runtime/pretrain/tokens/9b1e0c….npy         int32, the tokens of some thousand texts end to end; mapped, not loaded
    runtime/pretrain/tokens/9b1e0c….ends.npy    int64, where each of them ends

A shard is named by a digest of its texts and of the base, so that none has to be asked whether it still fits. The tokenizer
encodes the texts of a shard on all cores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from alif import console, store
from alif.student import encode_documents

__all__ = ["FOLDER", "tokenise_documents"]

FOLDER = "tokens"
"""Under a step's scratch folder."""
TEXTS = 20_000
"""Texts of a shard: of Wikipedia articles about 60 MB."""


def tokenise_documents(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, scratch: Path, base: str, at_once: int = TEXTS
) -> list[npt.NDArray[np.int32]]:
    """Return each text in tokens, as `encode_documents` makes them, mapped from disk; `base` is the digest of the base."""
    folder = scratch / FOLDER
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    found: list[npt.NDArray[np.int32]] = []
    with console.progress_bar("tokens", len(texts), "texts") as bar:
        for start in range(0, len(texts), at_once):
            some = texts[start : start + at_once]
            path = folder / f"{_name(some, base)}.npy"
            if not path.is_file():
                _write(path, encode_documents(some, tokenizer))
            found += _read(path)
            bar.advance(len(some))
    return found


def _name(texts: Sequence[str], base: str) -> str:
    total = hashlib.sha256(base.encode())
    for text in texts:
        total.update(f"\x1e{text}".encode("utf-8", "surrogatepass"))
    return total.hexdigest()[:32]


def _write(path: Path, encoded: Sequence[Sequence[int]]) -> None:
    """Write a shard; its first file comes last, so that it is there whole or not at all, after a power cut too."""
    ends = np.cumsum([len(tokens) for tokens in encoded], dtype=np.int64)
    tokens = np.fromiter(
        (token for text in encoded for token in text), dtype=np.int32, count=int(ends[-1]) if len(ends) else 0
    )
    for target, array in ((_ends(path), ends), (path, tokens)):
        with store.replacing(target) as beside, beside.open("wb") as file:
            np.save(file, array)


def _read(path: Path) -> Iterator[npt.NDArray[np.int32]]:
    tokens = np.load(path, mmap_mode="r")
    start = 0
    for end in np.load(_ends(path)).tolist():
        yield tokens[start:end]
        start = end


def _ends(path: Path) -> Path:
    return path.with_suffix(".ends.npy")
