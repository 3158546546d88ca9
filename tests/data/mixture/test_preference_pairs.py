"""Pairs of answers: reviewers' edits and published files, each bad one with its reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import settings, store
from alif.data.mixture.preference_pairs import build_pairs
from alif.errors import DataError
from alif.records import Counts, Example
from alif.runs import StepContext
from tests.data.conftest import LANGUAGE, row, rows_of, run_work

ASKED = "پانی کا کیمیائی فارمولا کیا ہے؟"
GOOD, BAD = "پانی کا فارمولا H2O ہے۔", "پانی کا فارمولا CO2 ہے۔"


def edited(old: Example, **texts: str) -> Example:
    return old.edited(**texts, origin=old.origin.model_copy(update={"reviewed_by": "Amna"}))


def run(step: StepContext, *source: str, folder: Path | str = "", **benchmarks: Any) -> Counts:
    return run_work(
        build_pairs,
        step,
        language=LANGUAGE,
        sources=settings.Sources(folder=str(folder)),
        pairs=settings.Pairs(source=source, licence="CC0"),
        benchmarks=settings.Benchmarks.model_validate(benchmarks),
        decontaminated={},
    )


@pytest.fixture
def given(context: Callable[..., StepContext]) -> Callable[..., StepContext]:
    """Return a function that builds the step's context; the first row of the blend is held out."""

    def build(filtered: list[Example], reviewed: list[Example], blended: list[Example]) -> StepContext:
        step = context("pairs", {"filter": filtered, "review": reviewed, "blend": blended})
        store.write_rows(step.inputs["blend"] / "held_out.jsonl", [{"id": one.id} for one in blended[:1]])
        return step

    return build


def test_an_edited_answer_is_preferred_to_what_it_was(given: Callable[..., StepContext]) -> None:
    same, wrong, asked, held = (row("qa", f"{ASKED} {n}", f"{BAD} {n}") for n in ("ایک", "دو", "تین", "چار"))
    better, other, secret = (
        edited(wrong, output=GOOD),
        edited(asked, instruction="برف کیا ہے؟", output=GOOD),
        edited(held, output=GOOD),
    )
    step = given([same, wrong, asked, held], [same, better, other, secret], [secret, same])
    counts = run(step, "review")
    assert (counts.rows_in, counts.kept, counts.facts["reviewed"]) == (3, 1, 1)
    assert counts.dropped == {"held_out": 1, "other_prompt": 1}
    (pair,) = rows_of(step.folder)
    assert (pair["output"], pair["rejected"]) == (GOOD, wrong.output)
    assert pair["origin"]["reviewed_by"] == "Amna"
    reasons = {one["reason"]: one for one in rows_of(step.folder, "dropped")}
    assert reasons["other_prompt"]["evidence"] == f"Amna edited the prompt of {asked.id} too"
    assert reasons["other_prompt"]["rejected"] == asked.output


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": ASKED, "chosen": GOOD, "rejected": BAD},
        {"instruction": ASKED, "input": "", "output": GOOD, "rejected": BAD},
        {"question": ASKED, "chosen": GOOD, "rejected": BAD, "system": ""},
        {
            "prompt": [{"role": "user", "content": ASKED}],
            "chosen": [{"role": "assistant", "content": GOOD}],
            "rejected": [{"role": "assistant", "content": BAD}],
        },
        {
            "prompt": ASKED,
            "chosen": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": GOOD}],
            "rejected": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": BAD}],
            "messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": GOOD}],
            "score_chosen": 8.0,
        },
        {
            "conversations": [{"from": "human", "value": ASKED}],
            "chosen": {"from": "gpt", "value": GOOD},
            "rejected": {"from": "gpt", "value": BAD},
        },
    ],
)
def test_the_shapes_that_people_have_are_read(
    given: Callable[..., StepContext], tmp_path: Path, values: dict[str, Any]
) -> None:
    store.write_rows(tmp_path / "pairs.jsonl", [values])
    step = given([], [], [])
    assert run(step, "pairs.jsonl", folder=tmp_path).kept == 1
    (pair,) = rows_of(step.folder)
    assert (pair["instruction"], pair["output"], pair["rejected"]) == (ASKED, GOOD, BAD)
    assert (pair["language"], pair["origin"]["licence"]) == ("ur", "CC0")


def test_parquet_is_read_too(given: Callable[..., StepContext], tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    parquet = pytest.importorskip("pyarrow.parquet")
    turns = [
        [{"role": "user", "content": ASKED}, {"role": "assistant", "content": text}] for text in (GOOD, BAD)
    ]
    table = pyarrow.table({"prompt": [ASKED], "chosen": turns[:1], "rejected": turns[1:]})
    parquet.write_table(table, tmp_path / "pairs.parquet")
    step = given([], [], [])
    assert run(step, "pairs.parquet", folder=tmp_path).kept == 1


GOES = {"prompt": ASKED, "chosen": GOOD, "rejected": BAD}
HINDI = "पानी का रासायनिक सूत्र क्या है और यह कैसे बनता है?"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({**GOES, "rejected": GOOD}, "equal_answers"),
        ({**GOES, "rejected": f" {GOOD}\u200f "}, "equal_answers"),
        ({**GOES, "rejected": ""}, "empty"),
        ({**GOES, "rejected": " \n"}, "empty"),
        ({**GOES, "chosen": ""}, "missing_field"),
        ({**GOES, "chosen": "<noinput>"}, "empty"),
        ({**GOES, "rejected": None}, "missing_field"),
        ({**GOES, "rejected": 7}, "missing_field"),
        ({**GOES, "rejected": []}, "missing_field"),
        ({**GOES, "prompt": ""}, "missing_field"),
        ({"chosen": GOOD, "rejected": BAD}, "missing_field"),
        ({**GOES, "prompt": HINDI, "chosen": HINDI}, "wrong_language"),
        ({"chosen": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": GOOD}],
          "rejected": [{"role": "user", "content": "؟"}, {"role": "assistant", "content": BAD}]},
         "missing_field"),
        ({**GOES, "chosen": [{"role": "assistant"}]}, "missing_field"),
        ({"prompt": [{"role": "user", "content": ASKED}], "chosen": [{"role": "user", "content": GOOD}],
          "rejected": BAD}, "missing_field"),
    ],
)  # fmt: skip
def test_a_bad_pair_is_dropped_with_its_reason_and_place(
    given: Callable[..., StepContext], tmp_path: Path, values: dict[str, Any], reason: str
) -> None:
    store.write_rows(tmp_path / "pairs.jsonl", [GOES, values])
    step = given([], [], [])
    counts = run(step, "pairs.jsonl", folder=tmp_path)
    assert (counts.rows_in, counts.kept, counts.dropped) == (2, 1, {reason: 1})
    (dropped,) = rows_of(step.folder, "dropped")
    assert f"{tmp_path / 'pairs.jsonl'}:2: " in dropped["evidence"]


def test_a_rejected_answer_may_be_in_another_language(
    given: Callable[..., StepContext], tmp_path: Path
) -> None:
    store.write_rows(tmp_path / "pairs.jsonl", [{**GOES, "rejected": "The formula of water is H2O."}])
    assert run(given([], [], []), "pairs.jsonl", folder=tmp_path).kept == 1


def test_what_is_measured_is_not_learned_and_a_pair_is_there_once(
    given: Callable[..., StepContext], tmp_path: Path
) -> None:
    test = {"task": "qa", "instruction": "سمندر کا پانی نمکین کیوں ہے؟", "output": "نمکیات کی وجہ سے"}
    store.write_rows(tmp_path / "test.jsonl", [test])
    asked = {"prompt": test["instruction"], "chosen": "نمک کی وجہ سے۔", "rejected": BAD}
    held = {"prompt": "برف کیا ہے؟", "chosen": "جما ہوا پانی۔", "rejected": BAD}
    three = {**GOES, "rejected": "معلوم نہیں۔"}
    store.write_rows(tmp_path / "pairs.jsonl", [GOES, asked, held, GOES, three])
    step = given([], [], [row("qa", "برف کیا ہے؟", "پانی۔")])
    counts = run(step, "pairs.jsonl", folder=tmp_path, test="test.jsonl")
    assert counts.kept == 2
    assert counts.dropped == {"contaminated": 1, "duplicate": 1, "held_out": 1}


def test_no_pair_at_all_is_told(given: Callable[..., StepContext], tmp_path: Path) -> None:
    store.write_rows(tmp_path / "pairs.jsonl", [{**GOES, "rejected": ""}])
    with pytest.raises(
        DataError, match=r"pairs.source: none of 1 rows can be kept: 1 empty; the first: .*:1:"
    ):
        run(given([], [], []), "pairs.jsonl", folder=tmp_path)
    with pytest.raises(DataError, match=r"pairs\.source: it holds no row"):
        run(given([], [], []), "review")
