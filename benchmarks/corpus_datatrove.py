"""The peer of benchmarks/corpus.py: datatrove's Gopher rules and MinHash on FOLDER/rows.jsonl, one task.

python benchmarks/corpus_datatrove.py FOLDER
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

LANGUAGE = "urd_Arab"


def main() -> None:
    """Run the five stages one after another, as datatrove's example for FineWeb does."""
    folder = Path(sys.argv[1])
    work = folder / "datatrove"
    minhash = MinhashConfig(num_buckets=14, hashes_per_bucket=8, n_grams=5)
    filtered, signatures, buckets, removed = (
        str(work / name) for name in ("kept", "sig", "buckets", "removed")
    )
    stages = [
        [
            JsonlReader(str(folder), glob_pattern="rows.jsonl"),
            GopherRepetitionFilter(language=LANGUAGE),
            GopherQualityFilter(language=LANGUAGE, min_stop_words=0),  # its stop words are English
            JsonlWriter(filtered),
        ],
        [JsonlReader(filtered), MinhashDedupSignature(signatures, config=minhash, language=LANGUAGE)],
        [MinhashDedupBuckets(signatures, buckets, config=minhash)],
        [MinhashDedupCluster(buckets, removed, config=minhash)],
        [JsonlReader(filtered), MinhashDedupFilter(removed), JsonlWriter(str(work / "out"))],
    ]
    for number, stage in enumerate(stages):
        tasks = 14 if number == 2 else 1  # a task a bucket
        LocalPipelineExecutor(
            pipeline=stage, tasks=tasks, workers=1, logging_dir=str(work / f"logs{number}")
        ).run()
    print(json.dumps({"peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)}))


if __name__ == "__main__":
    main()
