"""What the report says of the accepted rows: wordings that saturate, near copies, topics and holes."""

from __future__ import annotations

from typing import Any

from alif.data.synthesis import seeds
from alif.data.synthesis.coverage import Coverage
from alif.data.synthesis.repeated_phrases import find_repeated_phrases
from alif.dedup.near_duplicates import find_near_duplicates
from alif.language.pack import Pack
from alif.records import Example
from tests.data.conftest import row


def test_wordings_that_most_refused_rows_share_are_named_whole_and_each_row_counts_once() -> None:
    refused = [
        f"translate this sentence into urdu {word} {word}s".split() for word in ("sun", "moon", "star", "sky")
    ]
    refused += [f"write a short essay about {word}".split() for word in ("rain", "snow", "hail")]
    found = find_repeated_phrases([*refused, ["a", "b"], []])
    assert [(one.words, one.rows) for one in found] == [
        ("translate this sentence into urdu", 4),
        ("write a short essay about", 3),
    ]


def test_two_rows_are_no_wording() -> None:
    assert find_repeated_phrases([["a", "b", "c", "d"]] * 2) == []
    assert find_repeated_phrases([]) == []


def test_the_same_task_in_another_order_is_a_near_copy_and_another_task_is_none(own: Pack) -> None:
    texts = [
        "کراچی میں رہنے والے ایک کسان نے اپنی فصل بازار میں کتنے روپے میں فروخت کی؟",
        "ایک کسان نے، جو کراچی میں رہنے والا ہے، اپنی فصل کتنے روپے میں بازار میں فروخت کی؟",
        "سورج گرہن کیوں ہوتا ہے؟",
        "بچوں کے لیے دریا پر ایک نظم لکھیں۔",
    ]
    rows = [row("qa", text, "جواب") for text in texts] + list(seeds.read_seeds(own))
    found = find_near_duplicates(rows, own, seed=1)
    assert (found["rows"], found["pairs"], found["with_a_near_copy"]) == (len(rows), 1, 2)
    assert set(found["nearest"][0]["instruction"]) == set(texts[:2])
    assert find_near_duplicates([], own, seed=1)["pairs"] == 0


def covered(own: Pack, rows: list[Example]) -> dict[str, Any]:
    coverage = Coverage(own)
    for one in rows:
        coverage.add(one)
    return coverage.facts()


def test_every_row_has_one_place_on_every_axis_and_holes_are_named(own: Pack) -> None:
    rows = [row("qa", f"کسان کھیت میں گندم کا بیج کب ڈالے؟ {n}", "اکتوبر میں۔") for n in range(30)]
    rows += [
        row("ethics", f"عدالت میں وکیل کو کیا کرنا چاہیے، بتائیے؟ {n}", "سچ بولنا چاہیے۔") for n in range(30)
    ]
    found = covered(own, rows)
    for axis in ("topic", "difficulty", "register"):
        assert sum(sum(counts.values()) for counts in found[axis].values()) == len(rows)
    assert (found["topic"]["qa"]["farming"], found["topic"]["ethics"]["law"]) == (30, 30)
    assert found["register"]["ethics"]["polite"] == 30
    assert {(hole["task"], hole["topic"]) for hole in found["holes"]} == {
        ("qa", "law"),
        ("ethics", "farming"),
    }
    assert found["cells"] - found["empty"] == 2


def test_a_language_typed_in_another_script_has_topics_too(own: Pack) -> None:
    rows = [
        row("roman", "Yaar fasal mein khaad kab dalni chahiye, batao", "Beej ugne ke baad.") for _ in range(2)
    ]
    found = covered(own, rows)
    assert (found["topic"]["roman"]["farming"], found["register"]["roman"]["familiar"]) == (2, 2)


def test_nothing_is_covered_by_nothing(own: Pack) -> None:
    found = covered(own, [])
    assert (found["rows"], found["holes"]) == (0, [])
    assert found["empty"] == found["cells"]
