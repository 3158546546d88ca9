"""Stored replies are read again without a request: the same parser gives the same bytes, another one another folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from alif import recipe, store
from alif.data import generate, layout, seeds
from alif.data.reparse import reparse
from alif.errors import DataError
from alif.language.pack import Pack
from alif.models import reading
from alif.records import Counts
from alif.runs import Given

from .conftest import LANGUAGE, SCRIPTED, rows_of

Build = Callable[..., Given]
TABLES: dict[str, Any] = {
    "language": LANGUAGE,
    "sources": recipe.Sources(),
    "teacher": SCRIPTED,
    "generate": recipe.Generate(accepted=70, round=8, items=6),
    "pool": recipe.Pool(),
}
FILES = ("examples.jsonl", "dropped.jsonl", "requests.jsonl")


def done(given: Build, own: Pack) -> tuple[Given, Counts]:
    step = given("generate", {"seeds": seeds.of_pack(own)})
    return step, generate.expand(step, **TABLES)


def again(step: Given) -> Given:
    """Return what a second try is handed: another folder, the same run."""
    folder = step.scratch / "partial"
    folder.mkdir(parents=True, exist_ok=True)
    return Given(step.run, step.step, folder, step.scratch, step.root, step.needs, step.runtime)


def test_the_same_parser_gives_the_same_bytes_without_a_request(given: Build, own: Pack) -> None:
    step, first = done(given, own)
    second = reparse(again(step), **{**TABLES, "teacher": {}})  # without a teacher nobody can be asked
    assert second == first
    for name in FILES:
        assert (step.folder / name).read_bytes() == (step.scratch / "partial" / name).read_bytes()
    asked = rows_of(step.folder, "requests")
    assert {row["origin"]["request"] for row in rows_of(step.folder)} <= {row["request"] for row in asked}
    assert [row["round"] for row in asked] == sorted(row["round"] for row in asked)


def test_a_parser_that_reads_less_or_more_changes_rows_and_asks_nobody(
    given: Build, own: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, first = done(given, own)
    read = layout.read

    def without_the_first(*asked: Any) -> Sequence[Any]:
        return read(*asked)[1:]

    monkeypatch.setattr(layout, "read", without_the_first)
    second = reparse(again(step), **TABLES)
    assert second.kept < first.kept
    assert second.facts["rounds"] == first.facts["rounds"]
    asked = [counts.facts["funnel"]["whole"] for counts in (first, second)]
    assert asked[0]["tokens_in"] == asked[1]["tokens_in"] > 0
    assert second.cost_usd == first.cost_usd


def test_a_mended_reading_of_replies_brings_back_what_is_paid_for(
    given: Build, own: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setitem(reading.FINISHES, "stop", "eos")  # what a provider says and that alif did not know
        step, first = done(given, own)
    second = reparse(again(step), **TABLES)
    assert first.dropped["cut_off"] > second.dropped.get("cut_off", 0)
    parsed = [counts.facts["funnel"]["whole"]["parsed"] for counts in (first, second)]
    assert parsed[1] > parsed[0]
    assert second.cost_usd == first.cost_usd


def test_a_reply_that_is_not_stored_is_a_sentence(given: Build, own: Pack) -> None:
    step, _ = done(given, own)
    rows = rows_of(step.folder, "requests")
    store.write_rows(step.folder / "requests.jsonl", [*rows, rows[-1] | {"request": "f" * 64}])
    with pytest.raises(DataError, match="no reply to the request ffffffffffff"):
        reparse(again(step), **TABLES)
    step.ledger.unlink()
    with pytest.raises(DataError, match="no such ledger") as caught:
        reparse(again(step), **TABLES)
    assert "runtime.ledger" in caught.value.hint
    assert not step.ledger.exists()
