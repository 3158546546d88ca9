"""What is said of a lot."""

from __future__ import annotations

from alif.facts.review_facts import LotFacts, ReviewFacts


def test_a_lot_is_told_by_rows_share_and_interval() -> None:
    lot = LotFacts(
        name="gpt, qa, batch 1", rows=400, drawn=80, faulty=1, low=0.0022, high=0.0675, decision="accepted"
    )
    assert lot.describe() == "80 read, 1.2% faulty, 0.2% to 6.8%"


def test_a_review_without_lots_has_the_facts_that_it_had() -> None:
    facts = ReviewFacts(read=0, unread=3, approve=0, edit=0, reject=0)
    assert "lots" not in facts.model_dump()
