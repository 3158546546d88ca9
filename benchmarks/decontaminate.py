"""100,000 real rows against all benchmark files of the real data: seconds, planted leaks found, false alarms.

    python benchmarks/decontaminate.py --data ../shared/data --peer ENV/bin/python

writes benchmarks/results/decontaminate.json. The rows are instructions, tasks, sentences, pairs and documents
of the data's folders; some give place to planted leaks: benchmark questions with their answers, word for word
(as the whole prompt, behind a preamble, or in the input), and lightly edited, without the answers: other
case, digits of another script, other numbers, split over instruction and input in both orders, or all of
these. Two processes, each for half of the rows, each with the whole index; `seconds` is the processor time of
the slower one, index included, which is the time on two free cores. A false alarm is a row that was not
planted. ENV holds lm-eval 0.4.13, whose Janitor (runs of 13 words) sees the same rows, as one text each;
without it its numbers are null.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import measure

from alif.dedup.overlap_index import BenchmarkText, OverlapIndex, TrainingText
from alif.language.pack import load_pack

ROWS, PLANTED, PROCESSES = 100_000, 200, 2
"""PLANTED of each kind."""
FOLDERS = ("instruct", "urdu_tasks", "ur_raw", "en_raw", "lang_raw", "parallel")
PEER = Path(__file__).with_name("decontaminate_peer.py")
URDU_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

Fields = tuple[str, str, str]
"""Instruction, input and output; of a document the last alone."""


def read_file(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file, a plain line as a text."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in filter(None, map(str.strip, lines)):
            yield json.loads(line) if line.startswith("{") else {"text": line}


def read_items(data: Path) -> list[BenchmarkText]:
    """Return every question of every benchmark file."""
    found = []
    for path in sorted((data / "bench").iterdir()):
        name = path.name.removesuffix(".jsonl.gz")
        for row in read_file(path):
            number = row.get("final", "") if "aliases" not in row else ""
            answer = row["choices"][row["gold"]] if "choices" in row else row.get("answer", row["final"])
            found.append(BenchmarkText(name, row["id"], row["question"], answer, number))
    return found


def read_rows(data: Path) -> Iterator[Fields]:
    """Yield the rows of the other folders as they would be trained on."""
    for path in (path for folder in FOLDERS for path in sorted((data / folder).glob("*.gz"))):
        for read in read_file(path):
            row = {**read, **next(iter(read.get("instances") or ()), {})}
            texts = [value for value in row.values() if isinstance(value, str)]
            if isinstance(row.get("instruction"), str):
                yield row["instruction"], row.get("input") or "", row.get("output") or ""
            elif isinstance(row.get("en"), str):
                yield "Translate the sentence.", row["en"], texts[-1]
            elif "text" in row:
                yield ("", "", row["text"]) if "_raw" in path.parent.name else (row["text"], "", "")


def other_numbers(text: str, rng: random.Random) -> str:
    """Return the text with each number a little larger."""
    return re.sub(r"\d+", lambda found: str(int(found[0]) + rng.randint(1, 9)), text)


def split(text: str, rng: random.Random) -> tuple[str, str]:
    """Return the text in two parts."""
    words = text.split(" ")
    place = max(1, int(len(words) * rng.uniform(0.3, 0.7)))
    return " ".join(words[:place]), " ".join(words[place:])


VERBATIM: dict[str, Callable[[BenchmarkText], Fields]] = {
    "whole prompt": lambda item: (item.prompt, "", item.answer),
    "in the input": lambda item: ("Answer the question.", item.prompt, item.answer),
    "behind a preamble": lambda item: (f"Answer the question. {item.prompt}", "", item.answer),
}
EDITED: dict[str, Callable[[str, random.Random], Fields]] = {
    "other case": lambda text, rng: (text.upper(), "", ""),
    "digits of another script": lambda text, rng: (text.translate(URDU_DIGITS), "", ""),
    "other numbers": lambda text, rng: (other_numbers(text, rng), "", ""),
    "other numbers behind a preamble": lambda text, rng: (f"Solve this. {other_numbers(text, rng)}", "", ""),
    "split over fields": lambda text, rng: (*split(text, rng), ""),
    "split, second part first": lambda text, rng: (*split(text, rng)[::-1], ""),
    "case, numbers and fields": lambda text, rng: (*split(other_numbers(text.upper(), rng), rng), ""),
}


def plant(items: list[BenchmarkText], rng: random.Random) -> list[tuple[str, Fields]]:
    """Return (kind, row) of the planted leaks; numbers are changed where there are some."""
    found = [(name, copy(one)) for name, copy in VERBATIM.items() for one in rng.sample(items, PLANTED)]
    for name, edit in EDITED.items():
        fitting = [one for one in items if "numbers" not in name or re.search(r"\d", one.prompt)]
        found += [(name, edit(one.prompt, rng)) for one in rng.sample(fitting, PLANTED)]
    return found


def check_part(items: list[BenchmarkText], rows: list[Fields]) -> tuple[list[bool], float]:
    """Return which rows give an item away, and the seconds of processor time."""
    pack, began = load_pack("ur"), time.process_time()
    index = OverlapIndex(items, pack)
    found = []
    for number, (instruction, given, output) in enumerate(rows):
        fields = tuple(filter(None, (instruction, given)))
        text = TrainingText(str(number), "\n".join((*fields, output)), fields)
        found.append(index.find_leak(text) is not None)
    return found, time.process_time() - began


def ask_peer(python: str, items: list[BenchmarkText], rows: list[Fields]) -> dict[str, Any]:
    """Return what lm-eval's Janitor finds, run by its own Python."""
    if not python:
        return {}
    texts = [f"{one.prompt}\n{one.answer}" for one in items]
    request = json.dumps({"items": texts, "rows": ["\n".join(filter(None, row)) for row in rows]})
    asked = subprocess.run(
        [python, "-I", str(PEER)], input=request, capture_output=True, text=True, check=False
    )
    if asked.returncode:
        sys.exit(f"lm-eval's Janitor failed:\n{asked.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(asked.stdout.splitlines()[-1])
    return found


def summarise(kinds: list[str], found: list[bool], seconds: float) -> dict[str, Any]:
    """Return the shares of planted leaks that were found, and of other rows."""
    hits, sizes = Counter(kind for kind, hit in zip(kinds, found, strict=True) if hit), Counter(kinds)
    shares = {kind: round(hits[kind] / size, 4) for kind, size in sizes.items() if kind}
    return {
        "seconds": round(seconds, 1),
        "verbatim_found": round(sum(shares[kind] for kind in VERBATIM) / len(VERBATIM), 4),
        "light_edits_found": round(sum(shares[kind] for kind in EDITED) / len(EDITED), 4),
        "false_alarms": round(hits[""] / sizes[""], 6),
        "found_by_kind": shares,
    }


def main() -> None:
    """Measure both and write the result."""
    parser = measure.arguments(__doc__, "decontaminate")
    parser.add_argument("--data", type=Path, required=True, help="the folder of real data")
    parser.add_argument("--peer", default="", help="the Python of an environment with lm-eval")
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    rng, items = random.Random(0), read_items(options.data)
    planted = plant(items, rng)
    natural = list(read_rows(options.data))
    rows = [("", row) for row in rng.sample(natural, options.rows - len(planted))] + planted
    rng.shuffle(rows)
    kinds, texts = [kind for kind, _ in rows], [row for _, row in rows]
    parts = [texts[start::PROCESSES] for start in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        checked = list(pool.map(check_part, [items] * PROCESSES, parts))
    found = [False] * len(rows)
    for start, (part, _) in enumerate(checked):
        found[start::PROCESSES] = part
    peer = ask_peer(options.peer, items, texts)
    measured = {
        "rows": len(rows),
        "words": sum(len(" ".join(row).split()) for row in texts),
        "items": len(items),
        "planted": len(planted),
        "processes": PROCESSES,
        **summarise(kinds, found, max(seconds for _, seconds in checked)),
        "load": round(os.getloadavg()[0], 1),
        "lm_eval": summarise(kinds, peer["found"], peer["seconds"]) if peer else None,
        "lm_eval_version": peer.get("version"),
    }
    measure.write(options.json, measure.result("decontaminate", measured, ("alif-llm", "numpy", "rapidfuzz")))
    print(json.dumps(measured, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
