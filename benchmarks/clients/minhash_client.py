"""Deduplicate texts with MinHash LSH of datasketch and print the refused ones as a JSON object.

PYTHON benchmarks/clients/minhash_client.py TEXTS.json JACCARD          TEXTS.json: a list of lists of words
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 128


def main(texts: list[list[str]], jaccard: float) -> None:
    """Refuse, in order, each text that is a near-duplicate of one accepted before."""
    index = MinHashLSH(threshold=jaccard, num_perm=PERMUTATIONS)
    kept: dict[int, MinHash] = {}
    refused = []
    began = time.process_time()
    for number, words in enumerate(texts):
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([word.encode() for word in words])
        if any(sketch.jaccard(kept[other]) >= jaccard for other in index.query(sketch)):
            refused.append(number)
        else:
            index.insert(number, sketch)
            kept[number] = sketch
    print(json.dumps({"refused": refused, "cpu_s": time.process_time() - began}))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), float(sys.argv[2]))
