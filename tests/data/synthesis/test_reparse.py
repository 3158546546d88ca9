"""Stored replies are parsed again without a request: the same parser gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from alif import settings, store
from alif.data.synthesis import generate, seeds
from alif.data.synthesis.reparse import reparse_replies
from alif.errors import DataError
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import parse
from alif.records import Counts
from alif.runs import StepContext, StepOutput
from tests.data.conftest import LANGUAGE, SCRIPTED, rows_of, run_work

Build = Callable[..., StepContext]
TABLES: dict[str, Any] = {
    "language": LANGUAGE,
    "sources": settings.Sources(),
    "teacher": SCRIPTED,
    "generate": settings.Generate(target_rows=70, requests_per_round=8, rows_per_request=6),
    "pool": settings.Pool(),
}
FILES = ("examples.jsonl", "dropped.jsonl", "requests.jsonl")


def done(context: Build, own: Pack) -> tuple[StepContext, Counts]:
    step = context("generate", {"seeds": seeds.read_seeds(own)})
    return step, run_work(generate.generate, step, **TABLES)


def again(step: StepContext) -> StepContext:
    """Return what a second try is handed: another folder, the same run."""
    folder = step.scratch / "partial"
    folder.mkdir(parents=True, exist_ok=True)
    return replace(
        step, folder=folder, output=StepOutput(folder), inputs={**step.inputs, "generate": step.folder}
    )


def test_the_same_parser_gives_the_same_bytes_without_a_request(context: Build, own: Pack) -> None:
    step, first = done(context, own)
    second = run_work(
        reparse_replies, again(step), **{**TABLES, "teacher": {}}
    )  # without a teacher nobody can be asked
    assert second == first
    for name in FILES:
        assert (step.folder / name).read_bytes() == (step.scratch / "partial" / name).read_bytes()
    asked = rows_of(step.folder, "requests")
    assert {row["origin"]["request"] for row in rows_of(step.folder)} <= {row["request"] for row in asked}
    assert [row["round"] for row in asked] == sorted(row["round"] for row in asked)


def test_a_parser_that_reads_less_or_more_changes_rows_and_asks_nobody(
    context: Build, own: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, first = done(context, own)
    read = item_format.read_items

    def without_the_first(*asked: Any) -> Sequence[Any]:
        return read(*asked)[3:]

    monkeypatch.setattr(item_format, "read_items", without_the_first)
    second = run_work(reparse_replies, again(step), **TABLES)
    assert second.kept < first.kept
    assert second.facts["rounds"] == first.facts["rounds"]
    asked = [counts.facts["funnel"]["whole"] for counts in (first, second)]
    assert asked[0]["tokens_in"] == asked[1]["tokens_in"] > 0
    assert second.cost_usd == first.cost_usd


def test_a_mended_reading_of_replies_brings_back_what_is_paid_for(
    context: Build, own: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setitem(parse.FINISHES, "stop", "eos")  # what a provider says and that alif did not know
        step, first = done(context, own)
    second = run_work(reparse_replies, again(step), **TABLES)
    assert first.dropped["truncated"] > second.dropped.get("truncated", 0)
    parsed = [counts.facts["funnel"]["whole"]["parsed"] for counts in (first, second)]
    assert parsed[1] > parsed[0]
    assert second.cost_usd == first.cost_usd


def test_a_reply_that_is_not_stored_is_a_sentence(context: Build, own: Pack) -> None:
    step, _ = done(context, own)
    rows = rows_of(step.folder, "requests")
    store.write_rows(step.folder / "requests.jsonl", [*rows, rows[-1] | {"request": "f" * 64}])
    with pytest.raises(DataError, match="no reply to the request ffffffffffff"):
        run_work(reparse_replies, again(step), **TABLES)
    step.ledger.unlink()
    with pytest.raises(DataError, match="no such ledger") as caught:
        run_work(reparse_replies, again(step), **TABLES)
    assert "runtime.ledger" in caught.value.hint
    assert not step.ledger.exists()
