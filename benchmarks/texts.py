"""Measure a pack's seeds as a set: rows a task, spread of the answers' lengths, inputs, empty cells.

    python benchmarks/texts.py [--pack ur] [--json benchmarks/results/texts.json]

`length_cv` is the coefficient of variation (standard deviation / mean) of the answers' lengths in words,
`share_with_input` the share of seeds with an input, `empty_cells` the cells of task × topic × length ×
register without a row among seeds and demo candidates. `slots` says what the draw of slots fills: the cells
that a slot can name (`askable`), and how many of them are empty among the seeds and, beside them, the rows
that the demo keeps, asked with slots and without. `before` holds the numbers of the Urdu pack at commit
8325e89, measured with this script and the word lists of today's pack. Self-instruct's 175 seeds have a
`length_cv` of 1.52.
"""

from __future__ import annotations

import collections
import itertools
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measure

from alif import settings, store
from alif.data.demo import demo_teacher
from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis.coverage import Coverage
from alif.data.synthesis.generate import ROUNDS_IN_FLIGHT
from alif.data.synthesis.passages import read_passages
from alif.data.synthesis.seeds import read_seeds
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.llm import Reply, ReplyFunction
from alif.records import Example, Origin

TEACHER = {"scripted": settings.Teacher(model="scripted", base_url="scripted")}
BEFORE = {
    "commit": "8325e89",
    "seeds_per_task": {
        "generation": 24,
        "reasoning": 24,
        "ethics": 24,
        "qa": 24,
        "translation": 24,
        "classification": 24,
        "sentiment": 24,
        "roman": 44,
    },
    "length_cv": 0.66,
    "length_cv_by_task": {
        "generation": 0.15,
        "reasoning": 0.4,
        "ethics": 0.03,
        "qa": 0.2,
        "translation": 0.21,
        "classification": 1.33,
        "sentiment": 0.11,
        "roman": 0.35,
    },
    "share_with_input": 0.377,
    "cells": 1728,
    "empty_cells": 1317,
}


def read_texts(folder: Path, pack: Pack, part: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of seeds/ or demo/candidates/ in a pack's folder, by task."""
    paths = {name: folder / part / f"{name}.jsonl" for name in pack.tasks}
    return {
        name: [row for _, row in store.read_rows(path)] if path.is_file() else []
        for name, path in paths.items()
    }


def length_cv(rows: Sequence[dict[str, Any]], pack: Pack) -> float:
    """Return the coefficient of variation of the answers' lengths in words."""
    lengths = [len(text.split_words(str(row["output"]), pack)) for row in rows]
    return round(statistics.pstdev(lengths) / statistics.mean(lengths), 2)


def measure_texts(folder: Path, pack: Pack) -> dict[str, Any]:
    """Return the numbers of a pack's folder, read with the word lists of `pack`."""
    seeds, candidates = read_texts(folder, pack, "seeds"), read_texts(folder, pack, "demo/candidates")
    every = [row for rows in seeds.values() for row in rows]
    coverage = Coverage(pack)
    for part in (seeds, candidates):
        for task, rows in part.items():
            for row in rows:
                texts = (str(row["instruction"]), str(row.get("input") or ""), str(row["output"]))
                coverage.add(Example.make(pack.code, task, *texts, Origin(kind="seed")))
    grid = coverage.facts()
    return {
        "seeds_per_task": {name: len(rows) for name, rows in seeds.items()},
        "length_cv": length_cv(every, pack),
        "length_cv_by_task": {name: length_cv(rows, pack) for name, rows in seeds.items()},
        "share_with_input": round(sum(bool(row.get("input")) for row in every) / len(every), 3),
        "cells": grid.cells,
        "empty_cells": grid.empty,
    }


def measure_slots(pack: Pack) -> dict[str, int]:
    """Return the cells that a slot can name, and how many are empty before and after the demo's rows."""
    assert pack.slots
    rooms = (pack.topics, pack.registers)
    askable = {
        (name, topic, length, register)
        for name, task in pack.tasks.items()
        for length in task.forms
        for topic, register in itertools.product(*rooms)
    }
    found = {"askable": len(askable)}
    for key, slots, rows in (("seeds", True, 0), ("demo_without_slots", False, 350), ("demo", True, 350)):
        generate = settings.Generate(target_rows=rows, requests_per_round=8, slots=slots)
        growing, covered = run_demo(pack, generate), Coverage(pack)
        for row in (*itertools.chain.from_iterable(growing.seeds.values()), *growing.accepted):
            covered.add(row)
        found[f"empty_{key}"] = len(askable - covered.cells.keys())
    return found


def run_demo(pack: Pack, generate: settings.Generate) -> SelfInstruct:
    """Let the scripted teacher answer rounds as the step generate asks them, four in flight."""
    known, texts = packs.load_pack("en"), load_prompt_texts()
    answers = demo_teacher.load_demo_answers(pack, known, (), "")
    answer: ReplyFunction = demo_teacher.demo_reply(pack, known, texts, answers)
    seeds, passages = list(read_seeds(pack)), read_passages(generate, pack, "")
    growing = SelfInstruct(pack, known, generate, settings.Pool(), texts, seeds, passages)
    ahead: list[list[TeacherRequest]] = []
    while True:
        while len(ahead) < ROUNDS_IN_FLIGHT and (asked := growing.plan_round(TEACHER, ahead)):
            ahead.append(asked)
        if not ahead:
            return growing
        requests = ahead.pop(0)
        said = [answer(one.messages, one.draw) for one in requests]
        replies = [
            Reply(
                text=one.text,
                finish=one.finish,
                model="scripted",
                request=str(place),
                tokens_in=0,
                tokens_out=0,
                cost_usd=0.0,
            )
            for place, one in enumerate(said)
        ]
        collections.deque(growing.accept_replies(requests, replies), maxlen=0)


def main() -> None:
    """Measure the pack as it is and write it beside what it was."""
    parser = measure.arguments(__doc__, "texts")
    parser.add_argument("--pack", default="ur")
    parser.add_argument(
        "--folder", type=Path, help="another state of the pack: print its numbers, write nothing"
    )
    options = parser.parse_args()
    pack = packs.load_pack(options.pack)
    if options.folder:
        json.dump(measure_texts(options.folder, pack), sys.stdout, indent=4)
        return
    measured = {
        "before": BEFORE,
        "after": measure_texts(pack.folder, pack),
        "slots": measure_slots(pack) if pack.slots else {},
    }
    measure.write(options.json, measure.result("texts", measured, ("alif-llm",)))


if __name__ == "__main__":
    main()
