"""The step `corpus` on a million short lines: peak memory, CPU and wall time, in a process of its own.

    python benchmarks/corpus_memory.py [--lines 1000000] [--json benchmarks/results/corpus_memory.json]

Lines are 6 to 14 words of the Urdu pack's demo articles, sampled with a seed. Two cases: all lines differ
("short lines"), and a thousand lines repeat ("duplicates"), so that all copies are written to dropped.jsonl.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure

from alif import settings, store
from alif.data.corpus.build_corpus import build_corpus
from alif.language import pack as packs
from alif.runs import Run, make_context

LINES = 1_000_000
CASES = {"short lines": LINES, "duplicates": 1_000}
"""Different lines of each case."""


def write_lines(path: Path, lines: int, different: int) -> None:
    """Write `lines` lines, of which so many differ."""
    articles = packs.load_pack("ur").folder / "demo" / "articles.jsonl"
    words = [word for _, row in store.read_rows(articles) for word in str(row["text"]).split()]
    rng = random.Random("corpus_memory")
    some = [" ".join(rng.choices(words, k=rng.randint(6, 14))) for _ in range(min(different, lines))]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{some[number % len(some)]}\n" for number in range(lines))


def run_corpus(path: Path) -> dict[str, Any]:
    """Run the step on a file in this process; return what it took."""
    context = make_context(Run(path.parent / "run"), "corpus", settings.Runtime())
    corpus = settings.Corpus(source=(path.name,), source_language_files=())
    sources = settings.Sources(folder=str(path.parent))
    began = time.monotonic()
    with context.output:
        facts = build_corpus(context, settings.Language(pack="ur", source="en"), sources, corpus)
    counts = context.output.count(facts)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "lines": counts.rows_in,
        "kept": counts.kept,
        "dropped": dict(counts.dropped),
        "peak_mb": round(used.ru_maxrss / 1024),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "wall_s": round(time.monotonic() - began, 1),
    }


def main() -> None:
    """Run each case in a process of its own."""
    parser = measure.arguments(__doc__, "corpus_memory")
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--run", type=Path, help="a file to run the step on, in this process")
    options = parser.parse_args()
    if options.run:
        print(json.dumps(run_corpus(options.run)))
        return
    cases: dict[str, dict[str, Any]] = {}
    for name, different in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "lines.txt")
            write_lines(path, options.lines, different)
            command = [sys.executable, __file__, "--run", str(path)]
            output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            cases[name] = json.loads(output.splitlines()[-1])
    worst = {key: max(case[key] for case in cases.values()) for key in ("peak_mb", "cpu_s", "wall_s")}
    measured = {"lines": options.lines, **worst, "cases": cases}
    measure.write(options.json, measure.result("corpus_memory", measured, ("alif-llm", "numpy", "pydantic")))


if __name__ == "__main__":
    main()
