"""The pack's seeds are all accepted; anything that is no seed is refused with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import settings
from alif.data.synthesis import seeds
from alif.errors import DataError
from alif.language.pack import Pack
from alif.records import Counts
from alif.runs import StepContext
from tests.data.conftest import LANGUAGE, rows_of, run_work


def load(context: StepContext, folder: Path | str, *source: str) -> Counts:
    return run_work(
        seeds.load_seeds,
        context,
        LANGUAGE,
        settings.Sources(folder=str(folder)),
        settings.Seeds(source=source),
        settings.Pool(),
    )


def test_every_seed_of_the_pack_is_accepted_in_order(context: Callable[..., StepContext], own: Pack) -> None:
    step = context("seeds")
    counts = load(step, "", "pack")
    assert counts.dropped == {}
    assert counts.kept >= 98
    assert min(counts.facts["tasks"].values()) >= 14
    rows = rows_of(step.folder)
    assert [row["task"] for row in rows] == sorted((row["task"] for row in rows), key=list(own.tasks).index)
    assert {row["origin"]["kind"] for row in rows} == {"seed"}
    assert rows[0]["origin"]["source"] == "ur/seeds/generation#1"
    assert all(row["origin"]["author"] for row in rows)


def write(path: Path, *rows: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


GOOD = {"task": "qa", "instruction": "پاکستان کا قومی پھول کون سا ہے؟", "output": "چنبیلی"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GOOD | {"output": ""}, r"seeds\.jsonl:2.*instruction and output"),
        (GOOD | {"output": " \n"}, r'seeds\.jsonl:2: "output" is empty'),
        (GOOD | {"instruction": "؟!"}, r'seeds\.jsonl:2: "instruction" is empty'),
        (GOOD | {"task": "cooking"}, r"seeds\.jsonl:2: 'cooking' is no task"),
        ({"task": "qa", "output": "x"}, r"seeds\.jsonl:2.*instruction and output"),
    ],
)
def test_what_is_no_seed_is_refused_with_its_line(
    context: Callable[..., StepContext], tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    write(tmp_path / "seeds.jsonl", GOOD, row)
    with pytest.raises(DataError, match=message):
        load(context("seeds"), tmp_path, "seeds.jsonl")


def test_a_file_without_a_seed_is_refused(context: Callable[..., StepContext], tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"seeds\.source: no seed in none\.jsonl"):
        load(context("seeds"), tmp_path, "none.jsonl")


def test_half_a_line_is_refused_with_its_line(context: Callable[..., StepContext], tmp_path: Path) -> None:
    (tmp_path / "seeds.jsonl").write_text(json.dumps(GOOD) + '\n{"task": "qa"', encoding="utf-8")
    with pytest.raises(DataError, match=r"seeds\.jsonl:2: not JSON"):
        load(context("seeds"), tmp_path, "seeds.jsonl")


def test_a_seed_typed_with_other_letters_is_too_near_to_itself(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    arabic = GOOD["instruction"].replace("ی", "ي").replace("ک", "ك").replace("ہ", "ه")
    write(tmp_path / "seeds.jsonl", GOOD, GOOD | {"instruction": arabic})
    step = context("seeds")
    assert load(step, tmp_path, "seeds.jsonl").dropped == {"near_duplicate": 1}
    (dropped,) = rows_of(step.folder, "dropped")
    assert dropped["nearest"]["text"] == GOOD["instruction"]
    assert dropped["nearest"]["similarity"] == 1.0


@pytest.mark.shared
def test_the_original_s_public_seeds_are_read_in_their_own_format(
    context: Callable[..., StepContext], shared_data: Path, own: Pack
) -> None:
    step = context("seeds")
    counts = load(step, shared_data, "instruct/alif_seed_tasks.ur.jsonl.gz")
    assert counts.rows_in == 102
    assert set(counts.dropped) <= {"near_duplicate"}
    assert counts.kept >= 90
    assert all(counts.facts["tasks"][name] >= 10 for name, task in own.tasks.items() if task.weight)
