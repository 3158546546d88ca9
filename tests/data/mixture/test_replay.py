"""Replay rows: drawn by lot, stratified by source and length, none of them translated in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    source_translated: tuple[str, ...] = ("pack",),
    **asked: Any,
) -> Counts:
    settings = Replay.model_validate({"source": source, "rows": rows} | asked)
    return run_work(
        sample_replay,
        context,
        LANGUAGE,
        Sources(folder=str(folder)),
        settings,
        Translate(rows=translated, source=source_translated),
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


def write_rows(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def test_sources_have_rows_or_shares_of_their_own(
    context: Callable[..., StepContext], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, count in (("alpaca", 200), ("orca", 200), ("rest", 50)):
        rows = (
            {"instruction": f"What is the {name} of number {n}?", "output": f"It is the answer {n}."}
            for n in range(count)
        )
        write_rows(tmp_path, name, *rows)
    step = context("replay")
    run(
        step,
        tmp_path,
        source=("*.jsonl",),
        rows=100,
        source_rows={"alpaca": 60},
        source_shares={"orca": 0.25},
    )
    found = [row["origin"]["source"].partition("#")[0] for row in rows_of(step.folder)]
    assert {name: found.count(name) for name in sorted(set(found))} == {"alpaca": 60, "orca": 25, "rest": 15}
    few = context("replay", run="few")
    counts = run(few, tmp_path, source=("*.jsonl",), rows=100, source_rows={"rest": 90, "nobody": 1})
    assert counts.kept == 100, "what one source cannot give, the others do"
    assert "no row of nobody" in capsys.readouterr().err


def test_kinds_have_shares_of_their_own(context: Callable[..., StepContext], tmp_path: Path) -> None:
    kinds = {"coding": 100, "math": 100, "chat": 100}
    rows = [
        {"instruction": f"Ask about {kind} {n}", "output": f"Answer {n}.", "category": kind}
        for kind, count in kinds.items()
        for n in range(count)
    ]
    write_rows(tmp_path, "rows", *rows)
    step = context("replay")
    run(step, tmp_path, source=("rows.jsonl",), rows=60, kind_shares={"code": 0.5, "mathematics": 0.1})
    found = [row["instruction"].split()[2] for row in rows_of(step.folder)]
    assert {kind: found.count(kind) for kind in kinds} == {"coding": 30, "math": 6, "chat": 24}


def test_a_row_that_is_translated_from_the_same_file_is_not_replayed(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    rows = ({"instruction": f"Name river number {n}.", "output": f"River {n} is long."} for n in range(40))
    write_rows(tmp_path, "rows", *rows)
    step = context("replay")
    counts = run(
        step, tmp_path, translated=15, source=("rows.jsonl",), source_translated=("rows.jsonl",), rows=40
    )
    assert (counts.kept, dict(counts.dropped)) == (25, {"translated": 15})


def test_the_same_words_are_one_row_and_a_licence_goes_with_each(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    one = {"instruction": "What is the name of the river?", "output": "It is the Indus."}
    write_rows(
        tmp_path, "rows", one, {"instruction": "WHAT is the name of the river?", "output": "it is the Indus."}
    )
    step = context("replay")
    counts = run(step, tmp_path, source=("rows.jsonl",), rows=2, licence={"rows": "CC BY 4.0"})
    assert dict(counts.dropped) == {"duplicate": 1}
    assert [row["origin"]["licence"] for row in rows_of(step.folder)] == ["CC BY 4.0"]


def test_a_share_keeps_all_for_the_blend_to_draw_from(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    write_rows(tmp_path, "rows", *({"instruction": f"Name {n}.", "output": f"It is {n}."} for n in range(30)))
    assert run(context("replay"), tmp_path, source=("rows.jsonl",), rows=0, share=0.2).kept == 30
