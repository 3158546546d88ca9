"""The ledger's page of batches: which attempts went out together, and under which name the provider keeps them.

    written ─▶ open ─▶ completed | expired | cancelled | failed | gone
       └─▶ refused

A batch is written with a token of ours before the provider hears of it, and its id as soon as the provider has given one; so a
kill at any moment leaves a batch that can be found again, and no second one is made.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alif.llm.ledger import Ledger, LedgerRequest, utc_now

__all__ = ["Batch", "BatchStore", "Member"]

UNDER_WAY = "state IN ('written', 'open')"
_COLUMNS = "number, token, id, teacher, address, run, step, written_at, state, size"
NAME_LENGTH = 48
"""Digits of a request's hash in its name within a batch; providers take names of up to 64 characters."""


@dataclass(frozen=True)
class Batch:
    """One batch as written."""

    number: int
    token: str
    """Our own name for it, told to the provider where it takes one."""
    id: str
    """The provider's name for it; "" until it has given one."""
    teacher: str
    address: str
    run: str
    step: str
    written_at: str
    state: str
    size: int
    """Requests in it."""

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state not in ("written", "open")


@dataclass(frozen=True)
class Member:
    """One attempt of a batch."""

    attempt: int
    request: str
    draw: int
    size: int
    """Bytes of its payload."""
    run: str
    upper_usd: float
    settled: int
    """Whether it is known what it cost (0 or 1)."""

    @property
    def name(self) -> str:
        """Its name within the batch."""
        return custom_id(self.request, self.draw)


def custom_id(request: str, draw: int) -> str:
    """Return the name of a request within a batch."""
    return f"{request[:NAME_LENGTH]}-{draw}"


class BatchStore:
    """The batches of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def write(
        self, requests: Sequence[tuple[LedgerRequest, float]], run: str, step: str, teacher: str, address: str
    ) -> Batch:
        """Write that `requests`, each with its upper bound in dollars, are about to be sent as one batch."""
        row = (secrets.token_hex(16), "", teacher, address, run, step, utc_now(), "written", len(requests))
        with self._ledger.transaction():
            done = self._ledger.db.execute(f"INSERT INTO batches VALUES (NULL{', ?' * len(row)})", row)
            batch = Batch(int(done.lastrowid or 0), *row)
            for request, upper_usd in requests:
                attempt = self._ledger.write(request, run, step, upper_usd)
                self._ledger.db.execute("INSERT INTO batched VALUES (?, ?)", (attempt, batch.number))
        return batch

    def opened(self, batch: Batch, id: str) -> Batch:
        """Keep the provider's name for a batch."""
        with self._ledger.speaking():
            self._ledger.db.execute(
                "UPDATE batches SET id = ?, state = 'open' WHERE number = ?", (id, batch.number)
            )
        return self.page(batch.number)

    def closed(self, batch: Batch, state: str) -> None:
        """Note that a batch is over."""
        with self._ledger.speaking():
            self._ledger.db.execute("UPDATE batches SET state = ? WHERE number = ?", (state, batch.number))

    def page(self, number: int) -> Batch:
        """Return one batch as it is written now."""
        return self._batches("number = ?", number)[0]

    def under_way(self, run: str | None = None) -> list[Batch]:
        """Return the batches that are not over."""
        return self._batches(f"{UNDER_WAY} AND (?1 IS NULL OR run = ?1)", run)

    def all(self, run: str) -> list[Batch]:
        """Return every batch of a run, in order."""
        return self._batches("run = ?", run)

    def holding(self, request: str, run: str) -> Batch | None:
        """Return the batch under way that holds the request of this hash: a run's own, or a sibling's that has its id."""
        found = self._batches(
            f"{UNDER_WAY} AND (id <> '' OR run = ?2) AND number IN "
            "(SELECT batch FROM batched JOIN attempts ON id = attempt WHERE request = ?1)",
            request,
            run,
        )
        return found[0] if found else None

    def members(self, batch: Batch) -> list[Member]:
        """Return the attempts of a batch."""
        rows = self._rows(
            "SELECT a.id, a.request, r.draw, length(CAST(r.payload AS BLOB)), a.run, a.upper_usd, a.state <> 'sent' "
            "FROM batched b JOIN attempts a ON a.id = b.attempt "
            "JOIN requests r ON r.hash = a.request WHERE b.batch = ? ORDER BY a.id",
            batch.number,
        )
        return [Member(*row) for row in rows]

    def brought(self, batch: Batch) -> int:
        """Return how many replies a batch has brought."""
        query = "SELECT count(*) FROM batched JOIN replies USING (attempt) WHERE batch = ?"
        return int(self._rows(query, batch.number)[0][0])

    def _batches(self, where: str, *values: Any) -> list[Batch]:
        return [
            Batch(*row)
            for row in self._rows(f"SELECT {_COLUMNS} FROM batches WHERE {where} ORDER BY number", *values)
        ]

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._ledger.speaking():
            found: sqlite3.Cursor = self._ledger.db.execute(query, values)
            return found.fetchall()
