"""Near copies that word order hides from ROUGE-L, counted on a sample: reported, never dropped.

Two rows are compared by the cosine of their character 3- to 5-grams, weighted by how rare they are (TF-IDF). That finds the
same task in another order, with other endings or other spellings. It does not know meaning: two rows that say the same in other
words stay unseen, and no model is downloaded to see them.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from alif import sampling
from alif.language import text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["METHOD", "find_near_duplicates"]

METHOD = "cosine of character 3- to 5-grams of instruction and input, TF-IDF, hashed to 4096: likeness of form, not of meaning"
GRAMS = (3, 4, 5)
COLUMNS = 4096
SAMPLE = 1000
"""Rows compared, each with each."""
ALIKE = 0.75
"""Cosine from which two rows are reported."""
SHOWN = 5


def find_near_duplicates(rows: Sequence[Example], pack: Pack, seed: int) -> dict[str, Any]:
    """Return how many rows of a sample have a near copy in it, and the nearest pairs."""
    sample = sampling.sample_indices(rows, SAMPLE, sampling.seeded_rng(seed, "resemblance"))
    facts: dict[str, Any] = {"method": METHOD, "rows": len(sample), "alike": ALIKE}
    if len(sample) < 2:
        return facts | {"with_a_near_copy": 0, "pairs": 0, "nearest": []}
    vectors = _vectors(
        [" ".join(text.split_words(f"{row.instruction}\n{row.input}", pack)) for row in sample]
    )
    likeness = np.triu(vectors @ vectors.T, k=1)
    pairs = [
        (round(float(likeness[one, other]), 2), int(one), int(other))
        for one, other in np.argwhere(likeness >= ALIKE)
    ]
    nearest = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:SHOWN]
    return facts | {
        "with_a_near_copy": len({place for _, *places in pairs for place in places}),
        "pairs": len(pairs),
        "nearest": [
            {"likeness": value}
            | {name: [getattr(sample[place], name) for place in places] for name in ("id", "instruction")}
            for value, *places in nearest
        ],
    }


def _vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return one row of length 1 a text."""
    counts = np.zeros((len(texts), COLUMNS), dtype=np.float32)
    for row, one in enumerate(texts):
        padded = f" {one} "
        grams = Counter(
            padded[start : start + size] for size in GRAMS for start in range(len(padded) - size + 1)
        )
        for gram, count in grams.items():
            counts[row, zlib.crc32(gram.encode("utf-8", "surrogatepass")) % COLUMNS] += count
    there = (counts > 0).sum(axis=0)
    weighted = np.log1p(counts) * np.log((1 + len(texts)) / (1 + there)).astype(np.float32)
    lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
    return np.asarray(weighted / np.maximum(lengths, 1e-9), dtype=np.float32)
