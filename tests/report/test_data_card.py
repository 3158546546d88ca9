"""The data card holds what a user of the rows must know, from the run's own records."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.facts.data_facts import GenerateFacts
from alif.formatting import format_usd
from alif.records import NOT_REVIEWED
from alif.report.data_card import data_card
from alif.report.snapshot import read_run
from tests import made_up
from tests.report.conftest import set_in_recipe


def test_the_data_card_holds_everything_that_a_user_of_the_rows_must_know(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    facts = read_run(root).facts("generate", GenerateFacts)
    assert facts is not None
    prompts = {"qa": ("0123456789abcdef", "0f1e2d3c4b5a6978"), "reverse": ("fedcba9876543210",)}
    changed = facts.model_copy(update={"prompts": prompts, "saturated": ("qa",)})
    counts = read_run(root).steps["generate"].counts
    made_up.write_step(root, "generate", changed, counts.kept, counts.dropped)
    text = data_card(read_run(root))
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Licence", "## Seeds", "## Teachers and their terms", "## Prompts", "## From replies to rows",
        "## Origins and licences", "## Cost", "## Known limits",
    ]  # fmt: skip
    dear, whole = facts.funnel.teachers["dear"], facts.funnel.whole
    for part in (
        "written in Arabic script, right to left",
        "ur-Latn",
        "The texts of the pack ur are MIT",
        "| ur | MIT | a language model | by nobody | 658 |",
        "| scripted | scripted | in this process | ",
        "| qa | 0123456789abcdef, 0f1e2d3c4b5a6978 |",
        "| reverse | fedcba9876543210 |",
        f"| dear | {dear.requests} | {dear.pieces} | {dear.parsed} | {dear.accepted} | ",
        f"{format_usd(dear.usd_per_accepted or 0)} |",
        f"A generated row that was accepted cost {format_usd(whole.usd_per_accepted or 0)}",
        "Hardly anything on qa · law (0 rows)",
        "1 pairs of near-duplicates in a sample of 99 rows",
        "nothing new: qa.",
        NOT_REVIEWED,
    ):
        assert part in text, part


@pytest.mark.parametrize("until", ["seeds", "corpus"])
def test_a_card_can_be_written_at_any_time(tmp_path: Path, until: str) -> None:
    text = data_card(read_run(made_up.build(tmp_path, until=until)))
    assert "None was sent." in text
    assert ("| corpus |" in text) == (until == "corpus")


def test_rows_that_people_read_are_not_said_to_be_read_by_nobody(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    assert "nobody checked the facts" in data_card(read_run(root))
    set_in_recipe(root, "review", share=0.1)
    assert "reviewers alone checked the facts" in data_card(read_run(root))


def test_no_person_is_named(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    path = root / "seeds" / "examples.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    rows[0]["origin"] |= {"author": "Ayesha Khan", "reviewed_by": "Bilal Ahmed"}
    store.write_rows(path, rows)
    text = data_card(read_run(root))
    for word in ("Ayesha", "Bilal", "ledger"):
        assert word not in text
