from __future__ import annotations

from pathlib import Path

import pytest

from alif.errors import DataError
from alif.llm.sent_count import NOTED_EACH, SentCount


def test_a_ledger_that_knows_of_less_than_was_noted_is_refused(tmp_path: Path) -> None:
    ledger, runtime = Path("runs/t/ledger.sqlite"), tmp_path / "runtime"
    count = SentCount(runtime, ledger, 0)
    count.write()
    assert not runtime.exists(), "nothing was sent"
    count.add(NOTED_EACH - 1)
    assert not runtime.exists()
    count.add()
    SentCount(runtime, ledger, NOTED_EACH)
    with pytest.raises(DataError, match="has sent 8 requests, and the ledger knows of 7") as caught:
        SentCount(runtime, ledger, NOTED_EACH - 1)
    assert "ledger.sqlite-wal" in caught.value.hint
    (runtime / "sent.json").write_text("{")
    SentCount(runtime, ledger, 0)
