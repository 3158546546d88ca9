"""How many attempts of a run its ledger holds, noted outside of the ledger.

    runs/t/runtime/sent.json   {"attempts": 61}

A ledger that is gone, or was copied without its -wal file, opens as an older one: every reply that it lacks
would be asked and paid again without a word.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from alif import store
from alif.errors import DataError

__all__ = ["SentCount"]

NOTED_EACH = 8
"""Attempts from one note to the next: so many may be missing unseen."""


class SentCount:
    """The note of one run, while a session is open."""

    def __init__(self, runtime: Path, ledger: Path, attempts: int) -> None:
        """Compare the note in `runtime`, the run's folder of that name, with the attempts in its ledger.

        Raises:
            DataError: the ledger has lost attempts.
        """
        self._path, self._attempts, self._noted = runtime / "sent.json", attempts, attempts
        found: object = None
        with contextlib.suppress(DataError):  # half written by a kill
            found = store.read_json(self._path) if self._path.is_file() else None
        noted = found.get("attempts") if isinstance(found, dict) else None
        if isinstance(noted, int) and noted > attempts:
            raise DataError(
                f"{ledger}: this run has sent {noted:,} requests, and the ledger knows of {attempts:,}",
                f"Put it back, with {ledger.name}-wal beside it. If it is lost, remove {self._path}: "
                "what it lacks is then asked, and paid, again.",
            )

    def add(self, attempts: int = 1) -> None:
        """Count attempts that were written."""
        self._attempts += attempts
        if self._attempts >= self._noted + NOTED_EACH:
            self.write()

    def write(self) -> None:
        """Note how many there are; not flushed to the disk, as the ledger is not."""
        self._noted = self._attempts
        if self._attempts:
            with store.friendly_os_errors(self._path):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_text(json.dumps({"attempts": self._attempts}), encoding="utf-8")
