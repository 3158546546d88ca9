"""Fuzz the readers: mutated files and replies must give rows or an error message, no traceback and no hang.

    python benchmarks/fuzz.py [--files 10000] [--replies 10000] [--seed 3407]

A file is JSON Lines, CSV, TSV or text, compressed or not, with flipped bits, missing ends, other encodings,
odd line ends, deep nesting, huge cells and control characters. Each is read as rows, examples, documents and
sentence pairs: a reader yields rows and `Dropped` rows with a reason, and raises `AlifError` for a file that
it cannot read at all. A reply is a list of items in the requested format, as JSON, or in formats that other
models use, mutated in the same way. `hangs` counts inputs that took longer than 5 seconds.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import measure

from alif import sources
from alif.errors import AlifError
from alif.language.pack import load_pack
from alif.language.replies import item_format

HANG_S = 5
ROWS: list[dict[str, Any]] = [
    {"instruction": "پاکستان کا دارالحکومت کیا ہے؟", "input": "", "output": "اسلام آباد"},
    {
        "instruction": "Name two uses of a rope.",
        "input": "None",
        "output": "Tie a boat.",
        "text": "### Instruction:",
    },
    {"text": "لاہور میں آج موسم خوشگوار رہا۔ شام کو ہلکی بارش ہوئی۔", "title": "موسم"},
    {"en": "The bridge is closed.", "ur": "پل بند ہے۔"},
    {"messages": [{"role": "user", "content": "سلام"}, {"role": "assistant", "content": "وعلیکم السلام"}]},
    {"conversations": [{"from": "human", "value": "hello"}, {"from": "gpt", "value": "hi"}]},
]
REPLIES = [
    "Instruction: {i}\nInput: <noinput>\nOutput: {o}\n###\nInstruction: {i}\nInput: {i}\nOutput: {o}\n",
    "<think>first I plan</think>\n**Instruction:** {i}\n**Input:** None\n**Output:** {o}\n\n---\n",
    '```json\n[{{"instruction": "{i}", "input": "", "output": "{o}"}}]\n```',
    "1. Instruction: {i}\n1. Input:\n<noinput>\n1. Output:\n{o}\n##\n2. Instruction: {i}",
    "Here are the tasks:\n\nسوال: {i}\nجواب: {o}\n\nLet me know if you need more!",
]
NASTY = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\r\n", "\u2028".encode(), "\u202e".encode(), b"\x1b[31m",
    b'"', b"{", b"}" * 50, b"[" * 100_000, b"a" * 200_000, "ﷺ".encode(), "\u200d".encode() * 500, b"\t",
    b",", b"1" * 5_000, b"<|im_end|>", b"\x85", "\U0001f468\u200d\U0001f469".encode(), b"\\u0000", b"\\ud800",
    b"1e999",
)  # fmt: skip


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return `data` with one to four random faults."""
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0 if data:
                place = min(place, len(data) - 1)
                data = data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]
            case 1:
                data = data[:place]
            case 2:
                data = data[:place] + rng.choice(NASTY) + data[place:]
            case 3:
                end = min(len(data), place + rng.randint(1, 40))
                data = data[:place] + data[end:]
            case 4:
                end = min(len(data), place + rng.randint(1, 200))
                data = data[:end] + data[place:end] * rng.randint(1, 20) + data[end:]
            case _:
                data = data.replace(
                    b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", "\u2028".encode())), rng.randint(1, 3)
                )
    return data


def make_file(folder: Path, rng: random.Random) -> Path:
    """Write a small file of a random kind, mutated, and return its path."""
    rows = rng.choices(ROWS, k=rng.randint(1, 6))
    kind = rng.choice(("jsonl", "jsonl", "csv", "tsv", "txt", "json", "parquet", "md"))
    if kind in ("csv", "tsv"):
        separator, columns = "," if kind == "csv" else "\t", ("instruction", "input", "output")
        lines = [separator.join(columns)]
        lines += [separator.join(str(row.get(column, "")) for column in columns) for row in rows]
    elif kind == "txt":
        lines = [str(row.get("text", row.get("instruction", ""))) for row in rows]
    else:
        lines = [json.dumps(row, ensure_ascii=rng.random() < 0.3) for row in rows]
    encoding = rng.choice(("utf-8",) * 6 + ("utf-16", "utf-8-sig", "cp1256"))
    data = "\n".join(lines).encode(encoding, "replace")
    compressed = rng.random() < 0.25
    if not compressed or rng.random() < 0.5:
        data = mutate(data, rng)
    if compressed:
        data = gzip.compress(data)
        if rng.random() < 0.5:
            data = mutate(data, rng)
    path = folder / f"file.{kind}{'.gz' if compressed else ''}"
    path.write_bytes(data)
    return path


def read_file(path: Path) -> None:
    """Read a file with each reader that the steps use."""
    name, folder = (path.name,), str(path.parent)
    readers: tuple[Callable[[], Iterator[Any]], ...] = (
        lambda: sources.read_rows(name, folder),
        lambda: sources.read_examples(name, folder, language="ur", task="", kind="source"),
        lambda: sources.read_documents(name, folder, language="ur"),
        lambda: sources.read_pairs(name, folder, "en", "ur"),
    )
    for read in readers:
        with contextlib.suppress(AlifError):
            for _ in read():
                pass


class Hang(Exception):
    """An input took longer than HANG_S."""


@contextlib.contextmanager
def count_faults(found: Counter[str], faults: list[str], what: str) -> Iterator[None]:
    """Count a traceback or a hang of the block in `found`, and describe it in `faults`."""

    def raise_hang(number: int, frame: object) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, raise_hang)
    signal.alarm(HANG_S)
    try:
        yield
    except Hang:
        found["hangs"] += 1
        faults.append(f"{what}: hang")
    except Exception:
        found["tracebacks"] += 1
        faults.append(f"{what}: {traceback.format_exc()[-600:]}")
    finally:
        signal.alarm(0)


def main() -> None:
    """Run the fuzzer and write its result."""
    parser = measure.arguments(__doc__, "fuzz")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--replies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=3407)
    options = parser.parse_args()
    rng, pack = random.Random(options.seed), load_pack("ur")
    found: Counter[str] = Counter()
    faults: list[str] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.files):
            path = make_file(Path(folder), rng)
            with count_faults(found, faults, f"file {number} ({path.suffix})"):
                read_file(path)
            path.unlink()
    for number in range(options.replies):
        row = rng.choice(ROWS)
        reply = rng.choice(REPLIES).format(i=row.get("instruction", "سوال"), o=row.get("output", "جواب"))
        text = mutate(reply.encode(), rng).decode("utf-8", "replace")
        with count_faults(found, faults, f"reply {number}"):
            item_format.read_items(text, rng.choice(("stop", "length")), pack)
    result = {
        "files": options.files,
        "replies": options.replies,
        "tracebacks": found["tracebacks"],
        "hangs": found["hangs"],
        "seed": options.seed,
        "seconds": round(time.monotonic() - began, 1),
    }
    measure.write(options.json, measure.result("fuzz", result, ("alif-llm",)))
    print(json.dumps(result), *faults[:20], sep="\n")


if __name__ == "__main__":
    main()
