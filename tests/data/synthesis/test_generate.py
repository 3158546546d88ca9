"""The step `generate`: targets are reached, concurrency changes nothing, a kill changes nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import recipe, store
from alif.data.synthesis import generate, seeds
from alif.data.synthesis.self_instruct import target_rows
from alif.errors import DataError, RecipeError
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.runs import StepContext
from alif.settings import Generate, Pool, Sources
from tests.data.conftest import LANGUAGE, SCRIPTED, rows_of, run_work, triples

SMALL = Generate(target_rows=70, requests_per_round=8, rows_per_request=6)


def test_a_task_without_seeds_is_refused(context: Callable[..., StepContext], own: Pack) -> None:
    rows = [seed for seed in seeds.read_seeds(own) if seed.task != "qa"]
    with pytest.raises(DataError, match="qa has no seeds"):
        expand(context("generate", {"seeds": rows}))


def test_a_recipe_without_a_teacher_is_refused(context: Callable[..., StepContext], own: Pack) -> None:
    with pytest.raises(RecipeError, match="teacher"):
        expand(context("generate", {"seeds": seeds.read_seeds(own)}), teacher={})


def test_nothing_asked_for_needs_no_teacher(context: Callable[..., StepContext], own: Pack) -> None:
    counts = expand(
        context("generate", {"seeds": seeds.read_seeds(own)}), teacher={}, settings=Generate(target_rows=0)
    )
    assert counts.rows_in == counts.kept == 0


def expand(context: StepContext, teacher: Any = SCRIPTED, settings: Generate = SMALL) -> Any:
    return run_work(
        generate.generate,
        context,
        language=LANGUAGE,
        sources=Sources(),
        teacher=teacher,
        generate=settings,
        pool=Pool(),
    )


def test_the_demo_reaches_its_target_and_shows_every_fault(
    context: Callable[..., StepContext], own: Pack
) -> None:
    """The teacher of the shipped demo commits the faults of real teachers, and each is found."""
    demo = recipe.load_recipe(recipe.shipped_recipes()["demo"])
    step = context("generate", {"seeds": seeds.read_seeds(own)})
    counts = expand(step, settings=demo.generate)
    assert counts.kept == demo.generate.target_rows == len(rows_of(step.folder))
    assert counts.rows_in == counts.kept + sum(counts.dropped.values())
    assert {
        "truncated",
        "missing_field",
        "target_reached",
        "near_duplicate",
        "refusal",
        "wrong_language",
    } <= counts.dropped.keys()
    assert {"bold_keys", "code_fence", "missing_separator", "numbering"} <= counts.facts[
        "format_deviations"
    ].keys()
    assert {name: one["accepted"] for name, one in counts.facts["funnel"]["tasks"].items()} == counts.facts[
        "targets"
    ]
    assert counts.facts["targets"] == target_rows(own, demo.generate.target_rows)
    assert not {"tasks", "tokens_in", "tokens_out"} & counts.facts.keys(), "the funnel alone counts"
    whole = counts.facts["funnel"]["whole"]
    assert (whole["requests"], whole["pieces"]) == (len(rows_of(step.folder, "requests")), counts.rows_in)
    assert (whole["accepted"], whole["dropped"]) == (counts.kept, counts.dropped)
    unread = sum(counts.dropped.get(reason, 0) for reason in ("truncated", "missing_field", "refusal"))
    assert whole["parsed"] == whole["pieces"] - unread
    written = {
        text.normalise_text(one["instruction"], own).strip(): name
        for name, one in triples(own, "demo/candidates/*.jsonl")
    }
    told = [
        (one["task"], written[one["instruction"]])
        for one in rows_of(step.folder)
        if one["instruction"] in written
    ]
    assert len(told) > 300
    assert all(task == name for task, name in told), "a reply is read as the one to its own request"
    assert all(one["nearest"] for one in rows_of(step.folder, "dropped") if one["reason"] == "near_duplicate")
    assert all(one["raw"] for one in rows_of(step.folder, "dropped") if "instruction" not in one)


def test_workers_change_nothing(context: Callable[..., StepContext], own: Pack) -> None:
    rows = list(seeds.read_seeds(own))
    steps = [
        context("generate", {"seeds": rows}, run=f"run{workers}", max_concurrency=workers)
        for workers in (1, 16)
    ]
    for step in steps:
        expand(step)
    for name in ("examples.jsonl", "dropped.jsonl"):
        assert (steps[0].folder / name).read_bytes() == (steps[1].folder / name).read_bytes()


def _killed_after(step: StepContext, replies: int) -> None:
    """Do the step in this process, and die as by a power cut once the ledger has so many replies."""

    def watch() -> None:
        while True:
            time.sleep(0.001)
            if _replies(step.ledger) >= replies:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    expand(step)


def _replies(ledger: Path) -> int:
    try:
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM replies").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_killed_and_repeated_it_is_the_same_to_the_byte(
    context: Callable[..., StepContext], own: Pack
) -> None:
    rows = list(seeds.read_seeds(own))
    whole, broken = (
        context("generate", {"seeds": rows}, run=name, max_concurrency=2) for name in ("whole", "broken")
    )
    expand(whole)
    context = multiprocessing.get_context("spawn")
    for replies in (2, 9, 15):
        process = context.Process(target=_killed_after, args=(broken, replies))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
    expand(broken)
    for name in ("examples.jsonl", "dropped.jsonl"):
        assert (broken.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert _replies(broken.ledger) == _replies(whole.ledger)


def test_rows_on_the_disk_are_examples(context: Callable[..., StepContext], own: Pack) -> None:
    step = context("generate", {"seeds": seeds.read_seeds(own)})
    expand(step)
    rows = list(store.read_models(step.folder / "examples.jsonl", Example))
    assert len({one.id for one in rows}) == len(rows) == 70
    assert all(
        one == Example.make("ur", one.task, one.instruction, one.input, one.output, one.origin)
        for one in rows
    )
    assert not [one for one in rows if isinstance(one, Dropped)]
