"""Each shape carries a review there and back; what is none of it is an error of a known kind."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from alif.desk.review_files import BROKEN
from alif.desk.review_formats import READERS, WRITERS, ReviewedRow
from alif.records import Message
from tests.desk.conftest import HOSTILE, ROWS
from tests.desk.test_review_slots import sent

VERDICTS = [
    ("reviewer-1", sent("edit", texts={"output": f"{HOSTILE}\nدرست"}, note="۱۲ - ۵ = ۷", dwell_ms=4500)),
    ("reviewer-2", sent("reject", reasons=["fact", "grammar"], dwell_ms=0)),
    ("reviewer-3", sent("approve", dwell_ms=1)),
]


def reviewed(*verdicts: Any) -> ReviewedRow:
    row = ROWS[1].with_turns((Message(role="system", content="مختصر"),))
    return ReviewedRow(row, list(verdicts), sent("approve", name="نگران"), "adjudicated", "a guide")


@pytest.mark.parametrize("shape", READERS)
def test_a_review_comes_back_as_it_went(shape: str) -> None:
    one = reviewed(*VERDICTS)
    lines = [json.dumps(line, ensure_ascii=False) for line in WRITERS[shape](one)]
    assert not any("\n" in line for line in lines)
    back = [found for line in lines for found in READERS[shape](json.loads(line))]
    keeps_time = shape != "argilla"
    assert [(found.item_id, found.reviewer, found.sent) for found in back] == [
        (one.row.id, name, {**verdict, "dwell_ms": verdict["dwell_ms"] * keeps_time})
        for name, verdict in VERDICTS
    ]


@pytest.mark.parametrize("shape", WRITERS)
def test_no_shape_says_who_wrote_the_row_or_names_a_lead(shape: str) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) for line in WRITERS[shape](reviewed(*VERDICTS)))
    assert "secret" not in text
    assert "نگران" not in text
    assert "a guide" in text
    assert shape == "edits" or "مختصر" in text


@pytest.mark.parametrize("shape", READERS)
def test_a_row_that_nobody_has_read_is_there_to_be_read_elsewhere(shape: str) -> None:
    (line,) = WRITERS[shape](reviewed())
    assert ROWS[1].output in json.dumps(line, ensure_ascii=False)
    assert list(READERS[shape](line)) == []


def test_edits_are_pairs_of_before_and_after() -> None:
    (edit,) = WRITERS["edits"](reviewed(*VERDICTS))
    assert (edit["text"], edit["before"], edit["after"]) == (
        "output", ROWS[1].output, f"{HOSTILE}\nدرست",
    )  # fmt: skip


@pytest.mark.parametrize("shape", READERS)
@pytest.mark.parametrize(
    "line",
    [
        None, 3, [], "x", {"responses": 3}, {"responses": {"decision": [{"value": "approve"}]}},
        {"responses": {"decision": ["approve"]}}, {"annotations": [{}]}, {"annotations": 7},
        {"annotations": [{"completed_by": 1, "result": [{"from_name": "decision", "value": []}]}]},
        {"label_annotations": {"decision": "approve"}}, {"label_annotations": []},
        {"label_annotations": {"decision": {"approve": "true"}}},
        {"instance_id": "x", "user_id": "u", "label_annotations": {"decision": {"a": "true"}},
         "behavioral_data": {"time_spent": float("inf")}},
    ],
)  # fmt: skip
def test_lines_of_no_shape_are_refused_or_say_nothing(shape: str, line: Any) -> None:
    with contextlib.suppress(*BROKEN):
        assert list(READERS[shape](line)) == []
