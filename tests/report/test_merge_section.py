"""The page's part on merging: there only where merged models were measured, and it says what each gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.facts.training_facts import MergeFacts
from alif.report import page as report
from alif.report.merge_section import merge_section
from alif.report.snapshot import read_run
from tests import made_up


def test_a_run_without_merged_models_has_no_such_part(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, "one")
    assert merge_section(read_run(run)) is None
    assert 'id="merge"' not in report.write_report([run]).read_text(encoding="utf-8")


def test_a_run_that_merged_and_has_not_measured_has_none_either(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, "one", until="finetune")
    made_up.write_step(run, "merge", MergeFacts(weights={"merge-0.6": (0.6, 0.0)}))
    assert merge_section(read_run(run)) is None


def test_each_model_stands_between_its_ends_with_what_it_gained_and_kept(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, "one", weights=(0.8, 0.4))
    found = merge_section(read_run(run))
    assert found is not None
    assert list(found.weights) == ["base", "merge-0.4", "merge-0.8", "finetune"]
    assert found.columns == [
        ("bits_per_byte", "ur", "heldout"), ("answer_bits_per_byte", "ur", "answers"),
        ("accuracy", "en", "arc_easy"), ("bits_per_byte", "en", "heldout"),
    ]  # fmt: skip
    assert "Held-out text, 0.4: +0.384 and -0.080" in found.figure
    assert "Held-out text, stage 2: +0.780 and -0.200" in found.figure
    page = report.write_report([run]).read_text(encoding="utf-8")
    part = page[page.index('id="merge"') : page.index('id="training"')]
    assert part.count("<tr>") == 5
    assert "2.636" in part  # Urdu text at 0.4
    assert "not measurable" in part


@pytest.mark.parametrize("until", ["evaluate", "export"])
def test_the_sibling_is_named(until: str, tmp_path: Path) -> None:
    run = made_up.build(tmp_path, "one", weights=(0.4,), until=until)
    facts = MergeFacts(instruct="o/instruct", instruct_digest="ab", weights={"merge-0.4": (0.4, 0.6)})
    made_up.write_step(run, "merge", facts)
    page = report.write_report([run]).read_text(encoding="utf-8")
    assert "w2 · (o/instruct − base)" in page
