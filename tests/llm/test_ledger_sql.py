from __future__ import annotations

from pathlib import Path

from alif.llm.ledger import Ledger
from tests.llm.test_ledger import request


def test_a_ledger_of_format_2_is_migrated_and_its_attempts_get_roles(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path)
    for step in ("generate", "translate"):
        ledger.record_sent(request(), "run", step, 1.0)
    ledger.db.executescript("ALTER TABLE attempts DROP COLUMN role; PRAGMA user_version = 2;")
    ledger.close()
    for _ in range(2):
        ledger = Ledger(path)
        assert ledger.cost_by_role("run") == {"teacher": 1.0, "translator": 1.0}
        ledger.close()
