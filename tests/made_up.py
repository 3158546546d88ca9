"""A made-up run folder with real texts of the packs, as the pipeline would leave it: for tests that only read runs."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alif import recipe as recipes
from alif import store
from alif.data.synthesis.funnel import Funnel
from alif.language import pack as packs
from alif.llm import Reply
from alif.records import Document, Dropped, Example, Neighbour, Origin, Score

STAGES = ("base", "pretrain", "finetune")
SECONDS = {"generate": 21.4, "base": 38.2, "pretrain": 41.9, "finetune": 44.5, "evaluate": 61.0}


def build(
    folder: Path, name: str = "demo", *, english_after: float = 2.31, until: str = "export", replay: int = 60
) -> Path:
    """Write a run under `folder` and return it; steps after `until` are missing."""
    root = folder / name
    root.mkdir(parents=True)
    recipe = recipes.load_recipe(
        recipes.shipped_recipes()["demo"], [f'name="{name}"', f"replay.rows={replay}"]
    )
    store.write_text(root / "recipe.toml", recipes.dump_recipe(recipe))
    packages = {
        "numpy": "2.4.6",
        "torch": "2.13.0",
        "transformers": "5.23.0",
        "peft": "0.21.2",
        "zipp": "3.1",
    }
    store.write_json(
        root / "lock.json",
        {"format": 1, "machine": "Linux", "python": "3.11.2", "commit": "5b31c18", "packages": packages},
    )
    steps = (
        "seeds",
        "generate",
        "translate",
        "filter",
        "review",
        "replay",
        "corpus",
        "blend",
        *STAGES,
        "evaluate",
        "export",
    )
    for step in steps[: steps.index(until) + 1]:
        _WRITERS.get(step, _rowless)(root, step)
    if (root / "evaluate").is_dir():
        _scores(root, english_after)
    return root


def step(root: Path, name: str, kept: int = 0, dropped: dict[str, int] | None = None, **facts: Any) -> None:
    counts = {
        "rows_in": kept + sum((dropped or {}).values()),
        "kept": kept,
        "dropped": dropped or {},
        "facts": facts,
    }
    record = {
        "format": 1,
        "step": name,
        "state": "done",
        "fingerprint": name,
        "identity": {"finetune.prompt_template": "auto"},
    }
    store.write_json(
        root / name / "step.json",
        record | {"counts": counts, "cost_usd": 0.0, "seconds": SECONDS.get(name, 0.8)},
    )


def _triples(folder: Path, pattern: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for path in sorted(folder.glob(pattern)):
        for _, row in store.read_rows(path):
            yield path.stem, row


def _example(task: str, row: dict[str, Any], kind: str, language: str = "ur", **origin: Any) -> Example:
    origin = {"source": f"{language}/{task}", "licence": "MIT", "author": row.get("author", ""), **origin}
    return Example.make(
        language, task, row["instruction"], row.get("input", ""), row["output"], Origin(kind=kind, **origin)
    )


def _seeds(root: Path, name: str) -> None:
    rows = [
        _example(task, row, "seed") for task, row in _triples(packs.load_pack("ur").folder, "seeds/*.jsonl")
    ]
    store.write_rows(root / name / "examples.jsonl", rows)
    step(root, name, len(rows), reviewed=0)


def _generate(root: Path, name: str) -> None:
    found = list(_triples(packs.load_pack("ur").folder, "demo/candidates/*.jsonl"))
    rows = [_example(task, row, "teacher", teacher="scripted", model="scripted") for task, row in found]
    kept = [row for index, row in enumerate(rows) if index % 4]
    first = kept[0]
    neighbour = Neighbour(id=first.id, text=first.instruction, similarity=0.8125)
    reasons = ("near_duplicate", "target_reached", "wrong_language", "missing_field", "refusal", "too_long")
    dropped = [
        Dropped(row=row, reason=reasons[index % 6], nearest=neighbour if index % 6 == 0 else None)
        for index, row in enumerate(rows[::4])
    ]
    dropped += [
        Dropped(
            raw="### Instruction: ایک کہانی لکھیں 2024-05-01 کو\nOutput",
            reason="truncated",
            evidence="finish: length",
        )
    ] * 3
    store.write_rows(root / name / "examples.jsonl", kept)
    store.write_rows(root / name / "dropped.jsonl", (row.record() for row in dropped))
    counts: dict[str, int] = {}
    for row in dropped:
        counts[row.reason] = counts.get(row.reason, 0) + 1
    step(root, name, len(kept), dict(sorted(counts.items())), requests=61, rounds=9, **_told(kept, dropped))


def _told(kept: list[Example], dropped: list[Dropped]) -> dict[str, Any]:
    """Return the facts of `generate`: the cut-off pieces are of the first task, every other task is the dear teacher's."""
    tasks, funnel = list(dict.fromkeys(row.task for row in kept)), Funnel()
    for index, task in enumerate(tasks):
        reasons = [
            one.reason
            for one in dropped
            if (one.row.task if isinstance(one.row, Example) else tasks[0]) == task
        ]
        outcomes = ["" for row in kept if row.task == task] + reasons
        usd = 0.5 if index % 2 else 0.0
        reply = Reply(
            text="", finish="stop", model="m", request="r", tokens_in=900, tokens_out=400, cost_usd=usd
        )
        key = (task, "dear" if index % 2 else "scripted", "reverse" if index == 3 else "plain")
        funnel.add(key, reply, len(outcomes) - reasons.count("truncated"), outcomes)
    topics = {task: {"health": 3, "law": 0 if task == "qa" else 4, "other": 9} for task in tasks}
    coverage = {
        "topic": topics,
        "difficulty": {task: {"short": 10, "middle": 6, "long": 0} for task in tasks},
        "register": {task: {"polite": 12, "other": 4} for task in tasks},
        "rows": len(kept), "cells": 96, "empty": 70,
        "holes": [{"task": "qa", "topic": "law", "rows": 0, "expected": 4.4}],
    }  # fmt: skip
    pair = {
        "likeness": 0.81,
        "id": [row.id for row in kept[:2]],
        "instruction": [row.instruction for row in kept[:2]],
    }
    near = {
        "method": "cosine",
        "rows": 99,
        "alike": 0.75,
        "with_a_near_copy": 2,
        "pairs": 1,
        "nearest": [pair],
    }
    wording = {"words": "انگریزی میں ترجمہ کریں", "rows": 61, "of": 90}
    said = {"carriers": {"translation": [wording]}, "near_copies": near, "coverage": coverage}
    return said | {"funnel": funnel.facts(tasks), "tolerances": {"bold_keys": 5}}


def _replay(root: Path, name: str) -> None:
    rows = [
        _example("replay", row, "replay", "en")
        for _, row in _triples(packs.load_pack("en").folder, "demo/rows.jsonl")
    ][:60]
    store.write_rows(root / name / "examples.jsonl", rows)
    step(root, name, len(rows), asked=60, there=len(rows))


def _blend(root: Path, name: str) -> None:
    part = {"asked": 0, "there": 199, "dropped": 2, "drawn": 197}
    parts = {
        "generate": part,
        "translate": part | {"there": 66, "drawn": 64},
        "replay": part | {"there": 60, "drawn": 60, "dropped": 0},
    }
    mixed = [
        row for part in ("generate", "replay") for _, row in store.read_rows(root / part / "examples.jsonl")
    ]
    store.write_rows(root / name / "examples.jsonl", mixed)
    step(root, name, 321, {"in_test_set": 4}, parts=parts, held_out=47, questions=84)


def _corpus(root: Path, name: str) -> None:
    articles = [
        Document.make(code, row["text"], title=row["title"], source=f"{code}/demo/articles", licence="MIT")
        for code in ("ur", "en")
        for _, row in _triples(packs.load_pack(code).folder, "demo/articles.jsonl")
    ]
    store.write_rows(root / name / "examples.jsonl", articles)
    source = {"documents": 51, "bytes": 121_345, "held_out": 8}
    step(
        root,
        name,
        104,
        {"duplicate": 2},
        held_out=16,
        sources={"ur/demo/articles": source, "en/demo/articles": source},
    )


def _rowless(root: Path, name: str) -> None:
    step(root, name, {"pretrain": 88, "finetune": 274}.get(name, 0))
    if name == "base":
        base = {"base": "tiny", "revision": "", "parameters": 229_952, "digest": "9b1e0c"}
        store.write_json(root / name / "base.json", base)
        step(root, name, 0, **base)
    if name in STAGES:
        random.seed(name)
        curve: list[dict[str, Any]] = [
            {"step": n, "loss": 2.2 + 4.7 * math.exp(-n / 40) + random.uniform(-0.2, 0.2), "lr": 1e-3}
            for n in range(1, 181)
        ]
        for row in curve:
            n = int(row["step"])
            row |= {"tokens": 1020 * n, "tokens_per_s": 9000 - 40 * (n % 7), "gradient_norm": 0.2 + 2 / n}
        if name != "base":
            text = next(
                row["text"] for _, row in _triples(packs.load_pack("ur").folder, "demo/articles.jsonl")
            )
            for look, row in enumerate(curve[59::60], 1):
                sample = {"prompt": text[:40], "text": text[40 : 60 + 40 * look]}
                row |= {
                    "bits_per_byte": {"ur": 3.1 - 0.3 * look, "en": 2.1 + 0.05 * look},
                    "samples": [sample],
                }
        store.write_rows(root / "runtime" / name / "curve.jsonl", curve)


def _scores(root: Path, english_after: float) -> None:
    stages = {
        "base": (3.02, 2.11, 3.61, 0.02),
        "pretrain": (2.21, 2.29, 2.71, 0.04),
        "finetune": (2.24, english_after, 2.05, 0.13),
    }
    found: list[Score] = []
    for stage, (urdu, english, answers, right) in stages.items():
        rows = [
            ("heldout", "bits_per_byte", "ur", urdu, 0.06, 8),
            ("heldout/ur/demo/articles", "bits_per_byte", "ur", urdu, 0.06, 8),
            (
                "heldout/radio_talks_of_a_very_long_name_indeed.jsonl",
                "bits_per_byte",
                "ur",
                urdu + 0.4,
                0.11,
                5,
            ),
            ("heldout", "bits_per_byte", "en", english, 0.05, 8),
            ("heldout/en/demo/articles", "bits_per_byte", "en", english, 0.05, 8),
            ("answers", "answer_bits_per_byte", "ur", answers, 0.2, 40),
            ("answers", "answer_bits_per_byte", "en", answers - 0.9, 0.2, 9),
            ("test", "chrf++", "ur", 100 * right, 2.0, 84),
            ("test/sentiment", "exact_match", "ur", right, 0.02, 12),
            ("fidelity", "lookalike_letters", "ur", 0.3 - right, 0.08, 84),
            ("arc_easy", "accuracy", "en", 0.27, 0.07, 150),
        ]
        found += [
            Score(
                stage=stage,
                benchmark=b,
                metric=m,
                language=c,
                value=v,
                low=v - h,
                high=v + h,
                n=n,
                signature=f"{m}|bootstrap 1000",
            )
            for b, m, c, v, h, n in rows
        ]
    store.write_rows(root / "evaluate" / "scores.jsonl", found)
    store.write_rows(root / "evaluate" / "differences.jsonl", _differences(found))
    _answers(root)


def _differences(found: list[Score]) -> list[dict[str, Any]]:
    base = {(s.benchmark, s.metric, s.language): s for s in found if s.stage == "base"}
    rows = []
    for score in (s for s in found if s.stage != "base"):
        change = score.value - base[score.benchmark, score.metric, score.language].value
        known = score.language == "en" and score.benchmark == "heldout"
        verdict = (
            ("lost" if change > 0.1 else "cannot tell")
            if known
            else "better"
            if abs(change) > 0.1
            else "cannot tell"
        )
        verdict = "not measurable" if score.metric == "accuracy" else verdict
        key = {name: getattr(score, name) for name in ("stage", "benchmark", "metric", "language", "n")}
        interval = {
            "difference": change,
            "low": change - 0.04,
            "high": change + 0.04,
            "p": 0.001,
            "p_holm": 0.004,
            "detectable": 0.05,
        }
        rows.append(
            key
            | interval
            | {
                "against": "base",
                "margin": 0.0422 if known else 0.01 if score.metric == "accuracy" else None,
                "verdict": verdict,
            }
        )
    return rows


def _answers(root: Path) -> None:
    said = {"base": "the the of and to the river 1350 the", "pretrain": "کتاب 120 - 45 = 75 کی کی ہے۔ اور"}
    tests = list(_triples(packs.load_pack("ur").folder, "test.jsonl"))
    rows = []
    for index, (_, row) in enumerate(tests[::14]):
        answers = {**said, "finetune": row["output"][:120]}
        marks = {
            stage: {"exact_match": False, "chrf++": 4.25, "faults": ["repetition"], "finished": True}
            for stage in answers
        }
        texts = {key: row[key] for key in ("task", "instruction", "input")} | {"reference": row["output"]}
        rows.append(
            {
                "id": f"t{index}",
                "language": "ur",
                **texts,
                "sample": index < 6,
                "answers": answers,
                "marks": marks,
            }
        )
    store.write_rows(root / "evaluate" / "answers.jsonl", rows)


_WRITERS = {
    "seeds": _seeds, "generate": _generate, "replay": _replay, "blend": _blend, "corpus": _corpus,
    **dict.fromkeys(("translate", "filter", "review"), lambda root, name: step(root, name, 264, {"false_sum": 3})),
}  # fmt: skip
