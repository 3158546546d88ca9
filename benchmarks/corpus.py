"""Stage-1 text: speed, memory, growth and quality rules of the step `corpus`, beside datatrove.

    python benchmarks/corpus.py --shared DATA --peer-python VENV/bin/python [--megabytes 8 32 128]

Documents are real paragraphs of DATA (`ur_raw`), drawn and joined by a seed until the size is reached.
Cases, each in a process of its own on one core:

    rows    JSON Lines → repair, language, quality rules, near-duplicates, personal data → rows on disk
    peer    the same file through datatrove's stock rules: Gopher repetition and quality, MinHash; no language
            identification (its model is a download), no repair, no personal data
    dump    the same texts in wikitext, as pages-articles.xml.bz2, through the whole step
    parser  the dump through mwparserfromhell's own `strip_code` alone: no cleaning at all

Quality: paragraphs of DATA, which should pass, and junk of ten kinds made from their words, which should not.
"""

from __future__ import annotations

import argparse
import bz2
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import measure

from alif import settings, sources
from alif.data.corpus.build_corpus import build_corpus
from alif.data.corpus.quality import find_quality_fault
from alif.language import pack as packs
from alif.language import text
from alif.runs import Run, make_context

HERE = Path(__file__).parent
SEED = "corpus"
LETTERS = "ابپتٹثجچحخدڈذرڑزسشصضطظعغفقکگلمنوہءیے"


def read_paragraphs(shared: Path) -> list[str]:
    """Return every paragraph of 20 words and more, and every poem, of the real Urdu text."""
    rows = sources.read_rows(("ur_raw/*.gz",), str(shared))
    texts = [str(row.values["text"]) for row in rows if isinstance(row, sources.Row)]
    lines = [line for one in texts for line in ([one] if len(one) < 2_000 else one.split("\n"))]
    return [line for line in lines if len(line.split()) >= 20]


def make_documents(paragraphs: list[str], size: int) -> Iterator[str]:
    """Yield documents of two to eight paragraphs until their UTF-8 bytes reach `size`."""
    rng = random.Random(SEED)
    while size > 0:
        words = [word for one in rng.sample(paragraphs, rng.randint(2, 8)) for word in one.split(" ")]
        start = rng.randrange(len(words) // 2)
        text = " ".join(words[start:])
        size -= len(text.encode())
        yield text


def to_page(number: int, text: str) -> str:
    """Return a document as a page of a dump: a box, links, a reference, a table, a category."""
    words = text.split(" ")
    words[3] = f"[[{words[3]}]]"
    words[7] = (
        f"[[{words[7]}|'''{words[7]}''']]<ref>{{{{cite web|url=http://example.com|title={words[5]}}}}}</ref>"
    )
    box = (
        "{{Infobox\n"
        + "".join(f"| {key} = {value}\n" for key, value in zip(words, words[9:19], strict=False))
        + "}}"
    )
    table = '{| class="wikitable"\n! سال !! تعداد\n|-\n| 1998 || 5\n|}'
    source = f"{box}\n{' '.join(words)}\n== جدول ==\n{table}\n[[زمرہ:نمونہ]]"
    return (
        f"<page><title>صفحہ {number}</title><ns>0</ns><id>{number}</id><revision><id>{number}</id>"
        f"<text>{escape(source)}</text></revision></page>\n"
    )


def write_files(folder: Path, paragraphs: list[str], megabytes: float) -> None:
    """Write the documents as rows.jsonl and as dump.xml.bz2."""
    texts = [*make_documents(paragraphs, int(megabytes * 1e6))]
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(
            json.dumps({"id": str(n), "text": text}, ensure_ascii=False) + "\n"
            for n, text in enumerate(texts)
        )
    with bz2.open(folder / "dump.xml.bz2", "wt", encoding="utf-8") as file:
        file.write(
            '<mediawiki><siteinfo><namespaces><namespace key="14">زمرہ</namespace></namespaces></siteinfo>\n'
        )
        file.writelines(to_page(number, text) for number, text in enumerate(texts))
        file.write("</mediawiki>\n")


def run_step(path: Path) -> dict[str, Any]:
    """Run the step on a file in this process; return what it kept."""
    context = make_context(Run(path.parent / f"run-{path.name}"), "corpus", settings.Runtime())
    corpus = settings.Corpus(source=(path.name,), source_language_files=())
    with context.output:
        facts = build_corpus(
            context,
            settings.Language(pack="ur", source="en"),
            settings.Sources(folder=str(path.parent)),
            corpus,
        )
    counts = context.output.count(facts)
    return {"documents": counts.rows_in, "kept": counts.kept, "dropped": dict(counts.dropped)}


def strip_dump(path: Path) -> dict[str, Any]:
    """Read a dump by mwparserfromhell's own `strip_code`."""
    from xml.etree import ElementTree

    import mwparserfromhell

    count = 0
    with bz2.open(path) as file:
        for _, element in ElementTree.iterparse(file):
            if element.tag == "text":
                mwparserfromhell.parse(element.text).strip_code()
                count += 1
            elif element.tag == "page":
                element.clear()
    return {"documents": count}


CASES = {
    "rows": ("rows.jsonl", run_step),
    "dump": ("dump.xml.bz2", run_step),
    "parser": ("dump.xml.bz2", strip_dump),
}


def run_case(name: str, folder: Path, peer_python: str, megabytes: float) -> dict[str, Any]:
    """Run a case in a process of its own; return its output with CPU seconds and peak memory."""
    script = (
        [peer_python, str(HERE / "corpus_datatrove.py")]
        if name == "peer"
        else [sys.executable, __file__, "--case", name]
    )
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [*script, str(folder)], stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        **found,
        "megabytes": megabytes,
        "cpu_s": round(cpu, 2),
        "wall_s": round(time.monotonic() - began, 2),
        "mb_per_s_per_core": round(megabytes / cpu, 3),
    }


def make_junk(paragraphs: list[str]) -> dict[str, list[str]]:
    """Return a hundred texts of each kind of junk, from the words of real paragraphs."""
    rng = random.Random(SEED)
    pack = packs.load_pack("ur")
    words = [word for one in rng.sample(paragraphs, 500) for word in text.split_words(one, pack)]
    function = set(pack.script.function_words)
    content = [word for word in words if word not in function]

    def times(make: Any) -> list[str]:
        return [make() for _ in range(100)]

    def phrase(least: int, most: int) -> str:
        return " ".join(rng.choices(words, k=rng.randint(least, most)))

    return {
        "loop without spaces": times(lambda: rng.choice(content) * rng.randint(30, 90)),
        "sentence again and again": times(lambda: f"{phrase(5, 9)}۔ " * rng.randint(8, 20)),
        "words without grammar": times(lambda: " ".join(rng.choices(content, k=rng.randint(40, 90)))),
        "random letters": times(lambda: " ".join("".join(rng.choices(LETTERS, k=5)) for _ in range(60))),
        "numbers": times(lambda: " ".join(f"{rng.randint(1, 9999)}" for _ in range(60)) + phrase(2, 5)),
        "menu": times(lambda: "\n".join(phrase(1, 3) for _ in range(rng.randint(8, 20)))),
        "teasers": times(lambda: "\n".join(f"{phrase(6, 10)} …" for _ in range(8))),
        "list of links": times(lambda: "\n".join(f"• {phrase(6, 9)}" for _ in range(12))),
        "code": times(lambda: f"if (x[{rng.randint(1, 99)}] <= 3) {{ y = {{a: 1}}; }} " * 4 + phrase(5, 12)),
        "hashtags": times(lambda: " ".join(f"#{word}" for word in rng.choices(words, k=40))),
    }


def measure_quality(paragraphs: list[str]) -> dict[str, Any]:
    """Return the share of real paragraphs that pass, and of junk that is dropped, by kind."""
    pack = packs.load_pack("ur")
    faults = Counter(fault[0] for one in paragraphs if (fault := find_quality_fault(one, pack)))
    junk = {
        kind: sum(find_quality_fault(one, pack) is not None for one in texts) / len(texts)
        for kind, texts in make_junk(paragraphs).items()
    }
    return {
        "paragraphs": len(paragraphs),
        "kept_share": round(1 - sum(faults.values()) / len(paragraphs), 4),
        "dropped_for": dict(faults),
        "junk_dropped_share": round(sum(junk.values()) / len(junk), 4),
        "junk": junk,
    }


def main() -> None:
    """Run every case at every size."""
    parser = measure.arguments(__doc__, "corpus")
    parser.add_argument("--shared", type=Path, help="the folder that holds ur_raw")
    parser.add_argument(
        "--peer-python", default="", help="a Python with datatrove[processing,io], indic-nlp-library, spacy"
    )
    parser.add_argument("--megabytes", type=float, nargs="+", default=[8, 32, 128])
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("folder", type=Path, nargs="?", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        name, work = CASES[options.case]
        found = work(options.folder / name)
        print(
            json.dumps({**found, "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)})
        )
        return
    paragraphs = read_paragraphs(options.shared)
    cases: dict[str, list[dict[str, Any]]] = {}
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory() as folder:
            write_files(Path(folder), paragraphs, megabytes)
            for name in ("rows", "peer", "dump", "parser"):
                if name != "peer" or options.peer_python:
                    case = run_case(name, Path(folder), options.peer_python, megabytes)
                    cases.setdefault(name, []).append(case)
                    print(name, case, flush=True)
    first, last = cases["rows"][0], cases["rows"][-1]
    growth = math.log(last["cpu_s"] / first["cpu_s"]) / math.log(last["megabytes"] / first["megabytes"])
    measured = {
        "mb_per_s_per_core": last["mb_per_s_per_core"],
        "datatrove_mb_per_s_per_core": cases["peer"][-1]["mb_per_s_per_core"] if "peer" in cases else None,
        "dump_mb_per_s_per_core": cases["dump"][-1]["mb_per_s_per_core"],
        "parser_mb_per_s_per_core": cases["parser"][-1]["mb_per_s_per_core"],
        "peak_mb": max(case["peak_mb"] for name in ("rows", "dump") for case in cases[name]),
        "growth_exponent": round(growth, 3),
        "quality": measure_quality(paragraphs),
        "cases": cases,
    }
    packages = ("alif-llm", "numpy", "regex", "mwparserfromhell")
    measure.write(options.json, measure.result("corpus", measured, packages))


if __name__ == "__main__":
    main()
