"""Tokenized texts, kept on disk for a stage that is killed and resumed.

    runtime/pretrain/tokens/9b1e0c….npy         int32, the tokens of some thousand texts; memory-mapped
    runtime/pretrain/tokens/9b1e0c….ends.npy    int64, where each of them ends

A shard is named by a digest of its texts and of the base, so it need not be checked. The tokenizer encodes
the texts of a shard on all cores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase

from alif import console, store
from alif.student import encode_documents

__all__ = ["FOLDER", "tokenise_documents", "write_shard"]

FOLDER = "tokens"
"""Under a step's scratch folder."""
TEXTS_PER_SHARD = 20_000
"""About 60 MB of Wikipedia articles."""


def tokenise_documents(
    texts: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    scratch: Path,
    base_digest: str,
    texts_per_shard: int = TEXTS_PER_SHARD,
) -> list[npt.NDArray[np.int32]]:
    """Return the tokens of each text, as `encode_documents` makes them, memory-mapped."""
    folder = scratch / FOLDER
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    found: list[npt.NDArray[np.int32]] = []
    with console.progress_bar("tokens", len(texts), "texts") as bar:
        for start in range(0, len(texts), texts_per_shard):
            some = texts[start : start + texts_per_shard]
            total = hashlib.sha256(base_digest.encode())
            for text in some:
                total.update(f"\x1e{text}".encode("utf-8", "surrogatepass"))
            path = folder / f"{total.hexdigest()[:32]}.npy"
            if not path.is_file():
                write_shard(path, encode_documents(some, tokenizer))
            ends = np.load(path.with_suffix(".ends.npy"))
            found += np.split(np.load(path, mmap_mode="r"), ends[:-1]) if len(ends) else []
            bar.advance(len(some))
    return found


def write_shard(path: Path, encoded: Sequence[Sequence[int]]) -> None:
    """Write a shard; the file that is looked for comes last, so that it is there whole or not at all."""
    ends = np.cumsum([len(tokens) for tokens in encoded], dtype=np.int64)
    size = int(ends[-1]) if len(ends) else 0
    tokens = np.fromiter((token for text in encoded for token in text), dtype=np.int32, count=size)
    for target, array in ((path.with_suffix(".ends.npy"), ends), (path, tokens)):
        with store.replacing(target) as temporary, temporary.open("wb") as file:
            np.save(file, array)
