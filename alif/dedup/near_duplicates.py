"""Near-duplicates that word order hides from ROUGE-L, counted on a sample: reported, never dropped.

Rows are compared by the cosine of their character 3- to 5-grams, weighted by TF-IDF. That finds the same
task in another order, with other endings or spellings. Paraphrases stay unseen: no model is loaded.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from alif import sampling
from alif.facts.data_facts import NearDuplicateFacts, NearDuplicatePair
from alif.language import text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["find_near_duplicates"]

METHOD = (
    "cosine of character 3- to 5-grams of instruction and input, TF-IDF, hashed to 4096: "
    "similarity of form, not of meaning"
)
GRAM_SIZES = (3, 4, 5)
COLUMNS = 4096
SAMPLE_ROWS = 1000
"""Rows compared, each with each."""
THRESHOLD = 0.75
"""Cosine similarity from which two rows are reported."""
SHOWN = 5


def find_near_duplicates(rows: Sequence[Example], pack: Pack, seed: int) -> NearDuplicateFacts:
    """Count the rows of a sample that have a near-duplicate in it, and show the nearest pairs."""
    sample = sampling.sample_rows(rows, SAMPLE_ROWS, sampling.seeded_rng(seed, "resemblance"))
    texts = [" ".join(text.split_words(f"{row.instruction}\n{row.input}", pack)) for row in sample]
    pairs: list[tuple[float, int, int]] = []
    if len(sample) > 1:
        counts = np.zeros((len(texts), COLUMNS), dtype=np.float32)
        for row, value in enumerate(texts):
            padded = f" {value} "
            grams = Counter(
                padded[at : at + size] for size in GRAM_SIZES for at in range(len(padded) - size + 1)
            )
            for gram, count in grams.items():
                counts[row, zlib.crc32(gram.encode("utf-8", "surrogatepass")) % COLUMNS] += count
        document_frequency = (counts > 0).sum(axis=0)
        inverse = np.log((1 + len(texts)) / (1 + document_frequency)).astype(np.float32)
        weighted = np.log1p(counts) * inverse
        vectors = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-9)
        similarity = np.triu(vectors @ vectors.T, k=1)
        for one, other in np.argwhere(similarity >= THRESHOLD):
            pairs.append((round(float(similarity[one, other]), 2), int(one), int(other)))
    nearest = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:SHOWN]
    return NearDuplicateFacts(
        method=METHOD,
        rows=len(sample),
        threshold=THRESHOLD,
        rows_with_a_near_duplicate=len({place for _, *places in pairs for place in places}),
        pairs=len(pairs),
        nearest=tuple(
            NearDuplicatePair(
                similarity=value,
                ids=(sample[one].id, sample[other].id),
                instructions=(sample[one].instruction, sample[other].instruction),
            )
            for value, one, other in nearest
        ),
    )
