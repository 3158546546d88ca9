"""Near-duplicates that differ in word order are found; other tasks are none."""

from __future__ import annotations

from alif.data.synthesis import seeds
from alif.dedup.near_duplicates import find_near_duplicates
from alif.language.pack import load_pack
from tests.data.conftest import row


def test_the_same_task_in_another_order_is_a_near_duplicate_and_another_task_is_none() -> None:
    own = load_pack("ur")
    texts = [
        "کراچی میں رہنے والے ایک کسان نے اپنی فصل بازار میں کتنے روپے میں فروخت کی؟",
        "ایک کسان نے، جو کراچی میں رہنے والا ہے، اپنی فصل کتنے روپے میں بازار میں فروخت کی؟",
        "سورج گرہن کیوں ہوتا ہے؟",
        "بچوں کے لیے دریا پر ایک نظم لکھیں۔",
    ]
    rows = [row("qa", text, "جواب") for text in texts] + list(seeds.read_seeds(own))
    found = find_near_duplicates(rows, own, seed=1)
    assert (found.rows, found.pairs, found.rows_with_a_near_duplicate) == (len(rows), 1, 2)
    assert set(found.nearest[0].instructions) == set(texts[:2])
    assert find_near_duplicates([], own, seed=1).pairs == 0
