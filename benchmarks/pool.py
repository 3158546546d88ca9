"""ROUGE-L near-duplicate search in 1,000 to 1,000,000 rows: Alif against rouge_score, RapidFuzz and MinHash.

    python benchmarks/pool.py [--sizes 1000,10000,52000] [--minhash-python PATH]

The instructions are made from real Urdu text (urdu_texts.py). At each size of the index, new texts are looked
up and not added: with Alif's index, with RapidFuzz's cdist over all rows (brute force), and with rouge_score
over some rows, scaled to all. Times are CPU seconds of one process, the best of a few repetitions per text,
since the machine may be shared. Decisions are compared with brute force on some of the texts, and on every
text until the index has 10,000 rows.
"""

from __future__ import annotations

import itertools
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import measure
import numpy as np
from processes import load, memory_mb, versions_of
from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq
from rouge_score import rouge_scorer
from urdu_texts import SHARED, instructions, sentences

from alif.dedup.rouge_index import RougeLIndex
from alif.language import pack as packs
from alif.language import text

HERE = Path(__file__).resolve().parent
SIZES = (1_000, 10_000, 52_000, 100_000, 300_000, 1_000_000)
PROBES = 1_000
PLAIN_ROWS = 3_000_000
"""Comparisons by brute force at one size, which bounds the number of texts that are looked up."""
ROUGE_ROWS, ROUGE_PROBES = 300, 5
STREAM = 10_000
"""Size of the index up to which every decision is compared."""
MINHASH = {"distilabel's default": 0.9, "tuned to F1 0.7 on equal lengths": 0.54}
MINHASH_TEXTS = 25_000


class BruteForce:
    """Every accepted row as a text with one code point per word, compared one by one."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.rows: list[str] = []

    def text(self, words: Sequence[str]) -> str:
        """Return words as code points without surrogates."""
        codes = (self.codes.setdefault(word, len(self.codes) + 1) for word in words)
        return "".join(chr(code if code < 0xD800 else code + 0x800) for code in codes)

    def refuses(self, words: Sequence[str]) -> bool:
        """Return whether any row has ROUGE-L F1 of 0.7 or more, in integer arithmetic."""
        if not self.rows:
            return False
        wanted = self.text(words)
        common = process.cdist([wanted], self.rows, scorer=LCSseq.similarity, dtype=np.int32)[0]
        lengths = np.fromiter(map(len, self.rows), dtype=np.int64, count=len(self.rows))
        return bool((20 * common >= 7 * (lengths + len(wanted))).any())

    def cdist(self, words: Sequence[str]) -> Any:
        """Return the similarities to all rows, as the simplest implementation would."""
        return process.cdist(
            [self.text(words)], self.rows, scorer=Indel.normalized_similarity, dtype=np.float32
        )


class SplitWords:
    """A tokenizer for rouge_score that takes words which are split already."""

    def tokenize(self, words: list[str]) -> list[str]:
        return words


def best_us(work: Callable[[Any], Any], texts: Sequence[Any], repetitions: int) -> float:
    """Return the mean CPU microseconds per text, of the best repetition of each text."""
    best = [math.inf] * len(texts)
    for _ in range(repetitions):
        for place, one in enumerate(texts):
            began = time.process_time()
            work(one)
            best[place] = min(best[place], time.process_time() - began)
    return 1e6 * sum(best) / len(texts)


def rouge_us(words: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> float:
    """Return CPU microseconds of rouge_score for one pair of texts that are split into words already."""
    scorer = rouge_scorer.RougeScorer(["rougeL"], tokenizer=SplitWords())
    pairs = [(list(one), list(other)) for one in words for other in rows]
    return best_us(lambda pair: scorer.score(*pair), pairs, 3)


def count_bytes(pool: RougeLIndex) -> float:
    """Return the bytes of all objects in the index."""
    lists = (pool._ids, pool._texts, pool._postings, pool._codes)
    parts = itertools.chain(pool._ids, pool._texts, pool._postings, pool._codes, pool._codes.values())
    return float(
        sum(map(sys.getsizeof, lists))
        + sum(map(sys.getsizeof, parts))
        + sum(bits.nbytes for bits in pool._missing_bits)
    )


def grow(
    pool: RougeLIndex, plain: BruteForce, stream: Iterator[list[str]], size: int, check: bool
) -> dict[str, Any]:
    """Fill the index up to `size` rows; with `check`, decide each text by brute force too."""
    candidates = differing = 0
    cpu = 0.0
    while len(pool) < size:
        words = next(stream)
        candidates += 1
        began = time.process_time()
        near = pool.nearest(words)
        if near is None:
            pool.add(str(candidates), words)
        cpu += time.process_time() - began
        differing += check and (near is not None) != plain.refuses(words)
        if near is None:
            plain.rows.append(plain.text(words))
    return {
        "candidates": candidates,
        "cpu_s": round(cpu, 3),
        **({"differing_decisions": differing} if check else {}),
    }


def measure_size(
    pool: RougeLIndex, plain: BruteForce, stream: Iterator[list[str]], sample: Sequence[list[str]]
) -> dict[str, Any]:
    """Measure the index at its size; rouge_score is timed on `sample`, at each size anew.

    The machine is shared, so both are timed close together.
    """
    probes = list(itertools.islice(stream, PROBES))
    rouge_pair_us = rouge_us(sample[:ROUGE_PROBES], random.Random(1).sample(sample, ROUGE_ROWS))
    few = probes[: max(3, min(200, PLAIN_ROWS // len(pool)))]
    ours_us = best_us(pool.nearest, probes, 5)
    near = [pool.nearest(words) is not None for words in few]
    cdist_us = best_us(plain.cdist, few, 2)
    rouge = rouge_pair_us * len(pool)
    return {
        "rows": len(pool),
        "ours_us_per_test": round(ours_us, 1),
        "refused_of_tested": round(sum(pool.nearest(words) is not None for words in probes) / len(probes), 3),
        "rapidfuzz_cdist_us_per_test": round(cdist_us),
        "rouge_score_us_per_pair": round(rouge_pair_us, 2),
        "rouge_score_us_per_test_scaled": round(rouge),
        "times_rouge_score": round(rouge / ours_us),
        "times_rapidfuzz_cdist": round(cdist_us / ours_us),
        "compared_with_plain": len(few),
        "differing_decisions": sum(one != plain.refuses(words) for one, words in zip(near, few, strict=True)),
        "bytes_per_item": round(count_bytes(pool) / len(pool)),
        "load": load(),
    }


def compare_minhash(python: str, texts: list[list[str]]) -> dict[str, Any]:
    """Return the recall of MinHash on the texts that the exact index refuses, and its false positives."""
    pool, exact = RougeLIndex(), set()
    for number, words in enumerate(texts):
        if pool.nearest(words) is None:
            pool.add(str(number), words)
        else:
            exact.add(number)
    found: dict[str, Any] = {"texts": len(texts), "refused_exactly": len(exact)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "texts.json")
        path.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
        for name, jaccard in MINHASH.items():
            command = [python, str(HERE / "clients" / "minhash_client.py"), str(path), str(jaccard)]
            reply = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            refused = set(reply["refused"])
            found[name] = {
                "jaccard": jaccard,
                "recall": round(len(exact & refused) / len(exact), 4),
                "wrongly_refused": len(refused - exact),
                "cpu_us_per_text": round(1e6 * reply["cpu_s"] / len(texts), 1),
            }
    return found


def measure_sizes(
    sizes: Iterable[int], stream: Iterator[list[str]], sample: Sequence[list[str]]
) -> Iterator[dict[str, Any]]:
    """Yield the results after each size: the last ones take long, and the benchmark may be interrupted."""
    pool, plain = RougeLIndex(), BruteForce()
    done: list[dict[str, Any]] = []
    total_s = 0.0
    for size in sizes:
        grown = grow(pool, plain, stream, size, check=size <= STREAM)
        total_s += grown["cpu_s"]
        row = measure_size(pool, plain, stream, sample)
        done.append(row | {"grown": grown, "total_cpu_s": round(total_s, 2)})
        print(json.dumps(done[-1]), file=sys.stderr, flush=True)
        first = next((one for one in done if one["rows"] >= 52_000), done[0])
        spread = math.log(size / first["rows"]) or 1.0
        yield {
            "sizes": done,
            "growth_exponent_of_total_cpu_from_52k": round(
                math.log(total_s / first["total_cpu_s"]) / spread, 3
            ),
            "memory_mb_of_the_whole_benchmark": round(memory_mb(most=True)),
        }


def main() -> None:
    """Grow one index through all sizes, measure at each, and write the result."""
    parser = measure.arguments(__doc__, "pool")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--minhash-python", default="", help="an interpreter with datasketch")
    options = parser.parse_args()
    pack = packs.load_pack("ur")
    real = sentences(SHARED, pack, lambda sentence: text.split_words(sentence, pack))
    stream = instructions(real, lambda sentence: text.split_words(sentence, pack), seed=1)
    sample = list(
        itertools.islice(instructions(real, lambda one: text.split_words(one, pack), seed=2), MINHASH_TEXTS)
    )
    measured = {
        "texts": {
            "sentences": len(real),
            "words_different": len({word for sentence in real for word in sentence}),
            "words_each": round(sum(map(len, sample)) / len(sample), 2),
        },
        "minhash": compare_minhash(options.minhash_python, sample) if options.minhash_python else None,
        "rouge_score_measured_on": f"{ROUGE_PROBES} texts with {ROUGE_ROWS} rows, scaled to all rows",
    }
    peers = versions_of(options.minhash_python, ("datasketch", "numpy")) if options.minhash_python else {}
    for found in measure_sizes(map(int, options.sizes.split(",")), stream, sample):
        content = measure.result("pool", measured | found, ("alif-llm", "numpy", "rapidfuzz", "rouge-score"))
        measure.write(options.json, content | {"peers": peers})
    print(json.dumps(content["measured"], indent=2))


if __name__ == "__main__":
    main()
