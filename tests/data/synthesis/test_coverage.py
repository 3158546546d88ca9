"""Coverage: every row has one place on every axis, and gaps are named."""

from __future__ import annotations

from alif.data.synthesis.coverage import Coverage
from alif.facts.data_facts import CoverageFacts
from alif.language.pack import Pack
from alif.records import Example
from tests.data.conftest import row


def covered(own: Pack, rows: list[Example]) -> CoverageFacts:
    coverage = Coverage(own)
    for one in rows:
        coverage.add(one)
    return coverage.facts()


def test_every_row_has_one_place_on_every_axis_and_gaps_are_named(own: Pack) -> None:
    rows = [row("qa", f"کسان کھیت میں گندم کا بیج کب ڈالے؟ {n}", "اکتوبر میں۔") for n in range(30)]
    rows += [
        row("ethics", f"عدالت میں وکیل کو کیا کرنا چاہیے، بتائیے؟ {n}", "سچ بولنا چاہیے۔") for n in range(30)
    ]
    found = covered(own, rows)
    for axis in (found.topics, found.difficulties, found.registers):
        assert sum(sum(counts.values()) for counts in axis.values()) == len(rows)
    assert (found.topics["qa"]["farming"], found.topics["ethics"]["law"]) == (30, 30)
    assert found.registers["ethics"]["polite"] == 30
    assert {(gap.task, gap.topic) for gap in found.gaps} == {("qa", "law"), ("ethics", "farming")}
    assert found.cells - found.empty == 2


def test_a_language_typed_in_another_script_has_topics_too(own: Pack) -> None:
    rows = [
        row("roman", "Yaar fasal mein khaad kab dalni chahiye, batao", "Beej ugne ke baad.") for _ in range(2)
    ]
    found = covered(own, rows)
    assert (found.topics["roman"]["farming"], found.registers["roman"]["familiar"]) == (2, 2)


def test_nothing_is_covered_by_nothing(own: Pack) -> None:
    found = covered(own, [])
    assert (found.rows, found.gaps) == (0, ())
    assert found.empty == found.cells


def test_a_phrase_counts_as_a_whole_and_not_across_instruction_and_input(own: Pack) -> None:
    rows = [row("qa", "ای میل کیسے کھلے گی", "ایسے۔"), row("qa", "میل بہت ہے", "صابن لگائیں۔")]
    assert covered(own, rows).topics["qa"]["computers"] == 1
    parted = row("qa", "یہ ہے ای", "ایسے۔").model_copy(update={"input": "میل"})
    assert covered(own, [parted]).topics["qa"]["computers"] == 0
