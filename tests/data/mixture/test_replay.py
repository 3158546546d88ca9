"""Replay rows: drawn by lot, stratified by source and length, none of them translated in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alif.data.demo.demo_files import translated_ids
from alif.data.mixture.replay import sample_replay
from alif.language.pack import Pack
from alif.records import Counts
from alif.runs import StepContext
from alif.settings import Replay, Sources, Translate
from tests.data.conftest import LANGUAGE, rows_of, run_work


def run(
    context: StepContext,
    folder: Path | str = "",
    translated: int = 0,
    source: tuple[str, ...] = ("pack",),
    rows: int = 60,
) -> Counts:
    settings = Replay(source=source, rows=rows)
    return run_work(
        sample_replay, context, LANGUAGE, Sources(folder=str(folder)), settings, Translate(rows=translated)
    )


def test_what_is_translated_is_not_replayed(
    context: Callable[..., StepContext], own: Pack, known: Pack
) -> None:
    step = context("replay")
    counts = run(step, translated=70, rows=1000)
    originals = {values["id"]: values["instruction"] for values in rows_of(known.folder / "demo", "rows")}
    used = {originals[name] for name in translated_ids(own)}
    assert len(used) >= 60
    assert counts.kept == len(originals) - len(used)
    assert not used & {found["instruction"] for found in rows_of(step.folder)}
    assert {(found["language"], found["origin"]["kind"]) for found in rows_of(step.folder)} == {
        ("en", "replay")
    }
    assert run(context("replay", run="all"), rows=1000).kept == len(originals)


def test_rows_that_are_not_sampled_are_counted_and_named(context: Callable[..., StepContext]) -> None:
    step = context("replay")
    counts = run(step, rows=20)
    assert (counts.kept, counts.rows_in - counts.kept) == (20, counts.not_sampled)
    assert len(rows_of(step.folder, "not_sampled")) == counts.not_sampled > 100


def test_no_rows_are_no_rows(context: Callable[..., StepContext]) -> None:
    assert run(context("replay"), rows=0).rows_in == 0


def test_sources_and_lengths_are_represented(context: Callable[..., StepContext], tmp_path: Path) -> None:
    for name, count in (("big", 300), ("small", 100)):
        lines = [json.dumps({"instruction": f"{name} {n}", "output": "x" * (n + 1)}) for n in range(count)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join([*lines, lines[0], "[]"]), encoding="utf-8")
    step = context("replay")
    counts = run(step, tmp_path, source=("*.jsonl",), rows=80)
    assert (counts.kept, dict(counts.dropped)) == (80, {"duplicate": 2, "unparsable": 2})
    found = rows_of(step.folder)
    assert sum(row["origin"]["source"].startswith("big#") for row in found) == 60
    for name, count in (("big", 300), ("small", 100)):
        lengths = [len(row["output"]) for row in found if row["origin"]["source"].startswith(f"{name}#")]
        quarters = [
            sum(q * count / 4 < length <= (q + 1) * count / 4 for length in lengths) for q in range(4)
        ]
        assert quarters == [len(lengths) // 4] * 4
    assert found == sorted(
        found, key=lambda row: (row["origin"]["source"][0], int(row["instruction"].rpartition(" ")[2]))
    )


@pytest.mark.shared
def test_real_rows_of_three_formats_are_read(context: Callable[..., StepContext], shared_data: Path) -> None:
    source = (
        "instruct/dolly_short_noctx.en.jsonl.gz",
        "instruct/llms_from_scratch.en.jsonl.gz",
        "instruct/self_instruct_seed_tasks.en.jsonl.gz",
    )
    step = context("replay")
    counts = run(step, shared_data, source=source, rows=500)
    assert counts.kept == 500
    assert len({row["origin"]["source"].partition("#")[0] for row in rows_of(step.folder)}) == 3
