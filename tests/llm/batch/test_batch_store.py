from __future__ import annotations

from pathlib import Path

from alif.llm.batch.batch_store import BatchStore
from alif.llm.ledger import Ledger, LedgerRequest
from tests.llm.batch.test_batch_client import (
    Build,
)  # fmt: skip
from tests.llm.conftest import ask


def test_what_is_in_a_batch_under_way_is_not_released(context: Build) -> None:
    step = context()
    ledger = Ledger(step.ledger)
    request = LedgerRequest.of("gpt", "scripted", "m", ask("x"), {}, draw=0)
    batch = BatchStore(ledger).write_batch([(request, 1.0)], "run", "generate", "gpt", "scripted")
    ledger.record_sent(request, "run", "generate", 2.0)
    assert ledger.release("run") == (1, 2.0)
    BatchStore(ledger).mark_over(batch, "gone")
    assert ledger.release("run") == (1, 1.0)
    ledger.close()


def test_a_ledger_of_format_1_is_opened_and_gets_its_page_of_batches(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    with sqlite3.connect(path) as db:
        db.executescript(
            "DROP TABLE batches; DROP TABLE batched; ALTER TABLE attempts DROP COLUMN role;"
            "PRAGMA user_version = 1;"
        )
    db.close()
    ledger = Ledger(path)
    assert BatchStore(ledger).under_way() == []
    ledger.close()
