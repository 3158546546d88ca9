"""The ledger's batches: which attempts were sent together, and the provider's id of each batch.

    written ─▶ open ─▶ completed | expired | cancelled | failed | gone
       └─▶ refused | gone

A batch is written, with a token of ours, before the provider gets it, and its id as soon as the provider has
given one. So a kill at any moment leaves a batch that can be found again, and no second one is created.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from alif.llm.chat_model import Role
from alif.llm.ledger import Ledger, LedgerRequest, utc_now

__all__ = ["Batch", "BatchStore", "Member", "custom_id"]

UNDER_WAY = "state IN ('written', 'open')"
NAME_LENGTH = 48
"""Digits of a request's hash in its name within a batch; providers take names of up to 64 characters."""
_COLUMNS = "number, token, id, teacher, address, run, step, written_at, state, size"
_MEMBERS = """
SELECT a.id, a.request, r.draw, length(CAST(r.payload AS BLOB)), a.run, a.upper_usd, a.state <> 'sent'
FROM batched b JOIN attempts a ON a.id = b.attempt JOIN requests r ON r.hash = a.request
WHERE b.batch = ? ORDER BY a.id
"""
_HOLDING = f"""
SELECT batch FROM batched JOIN attempts ON id = attempt WHERE request = ?1 AND batch IN (
  SELECT number FROM batches WHERE {UNDER_WAY} AND (id <> '' OR run = ?2)) ORDER BY batch LIMIT 1
"""


@dataclass(frozen=True)
class Batch:
    """One batch as written."""

    number: int
    token: str
    """Our own name for it, sent to the provider where it takes one."""
    id: str
    """The provider's name for it; "" until it has given one."""
    teacher: str
    """The recipe's name of the endpoint."""
    address: str
    run: str
    step: str
    written_at: str
    state: str
    size: int
    """Requests in it."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state not in ("written", "open")


@dataclass(frozen=True)
class Member:
    """One attempt of a batch."""

    attempt: int
    request: str
    draw: int
    payload_bytes: int
    run: str
    upper_usd: float
    settled: int
    """Whether it is known what it cost (0 or 1)."""


def custom_id(request: str, draw: int) -> str:
    """Return the name of a request within a batch."""
    return f"{request[:NAME_LENGTH]}-{draw}"


class BatchStore:
    """The batches of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def write_batch(
        self,
        requests: Sequence[tuple[LedgerRequest, float]],
        run: str,
        step: str,
        name: str,
        address: str,
        role: Role = "teacher",
        cap_usd: float = math.inf,
    ) -> Batch:
        """Write that `requests`, each with its upper bound in dollars, are about to be sent as one batch.

        Those that a sibling run has got a reply to meanwhile are left out of it.

        Raises:
            BudgetError: with it this run would pass `cap_usd`; another process may spend for the same run.
        """
        with self._ledger.transaction():
            requests = [one for one in requests if not self._ledger.is_answered(one[0].hash)]
            state = "written" if requests else "completed"
            row = (secrets.token_hex(16), "", name, address, run, step, utc_now(), state, len(requests))
            done = self._ledger.db.execute(f"INSERT INTO batches VALUES (NULL{', ?' * len(row)})", row)
            batch = Batch(int(done.lastrowid or 0), *row)
            for request, upper_usd in requests:
                attempt = self._ledger.write_attempt(request, run, step, upper_usd, role)
                self._ledger.db.execute("INSERT INTO batched VALUES (?, ?)", (attempt, batch.number))
            if requests:
                self._ledger.check_cap(run, cap_usd, sum(upper_usd for _, upper_usd in requests))
        return batch

    def mark_open(self, batch: Batch, id: str) -> Batch:
        """Store the provider's id of a batch."""
        with self._ledger.errors_explained():
            update = "UPDATE batches SET id = ?, state = 'open' WHERE number = ?"
            self._ledger.db.execute(update, (id, batch.number))
        return self.batch(batch.number)

    def mark_over(self, batch: Batch, state: str) -> None:
        """Store how a batch ended."""
        with self._ledger.errors_explained():
            self._ledger.db.execute("UPDATE batches SET state = ? WHERE number = ?", (state, batch.number))

    def batch(self, number: int) -> Batch:
        """Return one batch as it is written now."""
        return self._select("number = ?", number)[0]

    def under_way(self, run: str | None = None) -> list[Batch]:
        """Return the batches that are not over, of one run or all."""
        return self._select(f"{UNDER_WAY} AND (?1 IS NULL OR run = ?1)", run)

    def batches_of(self, run: str) -> list[Batch]:
        """Return every batch of a run, in order."""
        return self._select("run = ?", run)

    def known_ids(self) -> set[str]:
        """Return the providers' ids of all batches."""
        return {batch.id for batch in self._select("id <> ''")}

    def find_holding(self, request: str, run: str) -> int | None:
        """Return the number of the run's, or a sibling's open, batch under way with a request."""
        with self._ledger.errors_explained():
            row = self._ledger.db.execute(_HOLDING, (request, run)).fetchone()
        return row[0] if row else None

    def members(self, batch: Batch) -> list[Member]:
        """Return the attempts of a batch."""
        with self._ledger.errors_explained():
            return [Member(*row) for row in self._ledger.db.execute(_MEMBERS, (batch.number,))]

    def count_replies(self, batch: Batch) -> int:
        """Return how many replies a batch has brought."""
        query = "SELECT count(*) FROM batched JOIN replies USING (attempt) WHERE batch = ?"
        with self._ledger.errors_explained():
            return int(self._ledger.db.execute(query, (batch.number,)).fetchone()[0])

    def _select(self, where: str, *values: int | str | None) -> list[Batch]:
        query = f"SELECT {_COLUMNS} FROM batches WHERE {where} ORDER BY number"
        with self._ledger.errors_explained():
            return [Batch(*row) for row in self._ledger.db.execute(query, values)]
