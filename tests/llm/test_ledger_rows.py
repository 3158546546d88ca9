from __future__ import annotations

from alif.llm.ledger_rows import LedgerRequest
from tests.llm.conftest import ask


def test_the_order_of_the_settings_and_the_teachers_name_do_not_count() -> None:
    one = LedgerRequest.of("gpt", "https://x.org", "m", ask("شہر"), {"a": 1.0, "b": "c"}, draw=2)
    same = LedgerRequest.of("other", "https://x.org", "m", ask("شہر"), {"b": "c", "a": 1.0}, draw=2)
    assert (one.hash, one.payload, one.draw) == (same.hash, same.payload, 2)
    assert "شہر" in one.payload
