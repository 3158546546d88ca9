"""What the numbers say: headlines, caveats and sentences follow the verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.records import NOT_REVIEWED
from alif.report import summary
from alif.report.snapshot import read_run
from tests import made_up
from tests.report.conftest import set_in_recipe


def test_reviewed_seeds_need_no_notice(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="seeds")
    assert any(NOT_REVIEWED in notice for notice in summary.list_notices(read_run(root)))
    path = root / "seeds" / "examples.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    rows[0]["origin"]["reviewed_by"] = "a reviewer"
    store.write_rows(path, rows)
    assert not any(NOT_REVIEWED in notice for notice in summary.list_notices(read_run(root)))


def test_a_caveat_is_dropped_where_it_does_not_hold(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    before = summary.list_notices(read_run(root))
    assert any("tiny model" in notice for notice in before)
    assert any("No person has read" in notice for notice in before)
    assert not any("not finished" in notice for notice in before)
    set_in_recipe(root, "student", base="meta-llama/Llama-3.1-8B")
    set_in_recipe(root, "review", share=0.1)
    after = summary.list_notices(read_run(root))
    assert not any("tiny model" in notice or "No person has read" in notice for notice in after)


def test_headlines_and_sentences_agree_with_the_verdicts(tmp_path: Path) -> None:
    run = read_run(made_up.build(tmp_path))
    text, _, source = summary.headlines(run)
    assert (text.change, text.verdict) == ("−26.8 %", "better")
    assert (source.change, source.verdict) == ("+9.5 %", "lost")
    sentences = summary.summarise_run(run)
    assert sentences[0].startswith("A tiny model made in this run (229,952 parameters) read 88 documents")
    assert "Some English was lost, with replay: its bits per byte moved by +9.5 %." in sentences[-1]
    assert summary.stage_verdicts(run)["known_retention"] == summary.retention_rows(run)[0].verdict == "lost"


@pytest.mark.parametrize("until", ["seeds", "finetune"])
def test_what_is_not_measured_is_not_claimed(tmp_path: Path, until: str) -> None:
    run = read_run(made_up.build(tmp_path, until=until))
    assert {headline.values for headline in summary.headlines(run)} == {"not measured yet"}
    assert len(summary.summarise_run(run)) == 1
    assert summary.retention_rows(run) == []
    assert summary.stage_verdicts(run)["known_retention"] == "not measured"
