"""Every request, written before it is sent, and every reply, kept for ever, in one SQLite file.

    requests   hash ─ payload ─ teacher ─ model ─ draw               what was asked: one row for ever
    attempts   request ─ run ─ step ─ role ─ sent_at ─ state ─ cost  each time it was sent, and its cost
    replies    attempt ─ request ─ raw ─ text ─ tokens               what came back
    unread     attempt ─ raw                                         what may be billed and could not be read
    batches    id ─ state; batched: attempt ─ batch                  attempts sent together: see `batch_store`
    spending   run ─ cost                                            the sum of its attempts, kept by triggers

The hash covers what decides the answer (address, model, messages, settings, draw) and nothing else: not
prices, keys, timeouts, the run or the role. So a stored reply answers every run that asks the same, free. It
is parsed from its raw text with today's `parse`; the columns beside it are what was understood when it came,
for the sums.

An attempt counts at its upper bound from the moment before it is sent: a refusal sets that to nothing, a
reply to what it cost, and one that was lost (a kill, a timeout, half a reply) stays there, since the provider
may send a bill for it. So the ledger never shows less than was spent.

Sibling runs may share the file. A commit survives any kill; a power cut may take the last seconds, which are
then asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from alif import console, store
from alif.errors import BusyError, DataError
from alif.formatting import format_duration
from alif.llm import ledger_sql
from alif.llm.budget import cap_error
from alif.llm.chat_model import Reply, Role
from alif.llm.ledger_rows import Account, LedgerRequest
from alif.llm.ledger_sql import FORMAT
from alif.llm.parse import ParsedReply, UnparsableReply, parse_reply
from alif.llm.sqlite_errors import REPEAT, explain_sqlite_errors

__all__ = ["REPEAT", "Account", "Ledger", "LedgerRequest", "utc_now"]

T = TypeVar("T")
BUSY_TIMEOUT_S = 10.0
"""How long another process may hold the file, for a caller that has nothing else to do meanwhile."""
BRIEF_MS = 20
"""The same in milliseconds where replies arrive meanwhile: `when_free` tries again."""
POLL_S = 0.1
TOLD_S = 1.0
HELD_S = 30.0
"""How often `when_free` tries, after what time it says so, and after what time it gives up."""


def utc_now() -> str:
    """Return the time for the ledger's records."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Ledger:
    """The file, open for one process. Use it from one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told = False
        with store.friendly_os_errors(path), self.errors_explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self.journal = str(self.db.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            self.db.execute(f"PRAGMA synchronous = {'NORMAL' if self.journal == 'wal' else 'FULL'}")
            version = self.db.execute("PRAGMA user_version").fetchone()[0]
            if version > FORMAT:
                raise DataError(
                    f"{path}: a ledger of format {version}, this alif knows {FORMAT}", "Use a newer alif."
                )
            if version < FORMAT:
                with self.transaction():  # a sibling may have migrated while this one waited for the lock
                    version = self.db.execute("PRAGMA user_version").fetchone()[0]
                    if version < FORMAT:
                        tables = ledger_sql.TABLES + (ledger_sql.ROLES if version < 3 else "")
                        for statement in (*tables.split(";"), *ledger_sql.SPENDING):
                            self.db.execute(statement)
                        self.db.execute(f"PRAGMA user_version = {FORMAT}")
        if self.journal not in ("wal", "memory"):
            console.log(
                f"{path}: SQLite has no write-ahead log on this file system, so each write takes longer"
            )

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def leave_waiting(self) -> None:
        """From now on, let `when_free` wait for other processes: SQLite's own wait would hold up replies."""
        if self.journal == "wal":
            self.db.execute(f"PRAGMA busy_timeout = {BRIEF_MS}")

    async def when_free(self, work: Callable[[], T]) -> T:
        """Do `work`, which reads or writes here; wait for another process that holds the file.

        Raises:
            BusyError: it does not let go.
        """
        began = time.monotonic()
        while True:
            try:
                return work()
            except BusyError:
                waited_s = time.monotonic() - began
                if waited_s >= HELD_S:
                    raise
                if waited_s >= TOLD_S and not self._told:
                    self._told = True
                    held = f"{self.path}: another process holds the ledger"
                    console.log(f"{held}; waiting {format_duration(HELD_S)} for it")
                await asyncio.sleep(POLL_S)

    def answer(self, request: str) -> Reply | None:
        """Return the stored reply to the request of this hash: the first that came.

        Its raw text is parsed anew. Where that fails it stays what it was understood as: no reply is paid for
        twice.
        """
        with self.errors_explained():
            row = self.db.execute(ledger_sql.ANSWER, (request,)).fetchone()
        if row is None:
            return None
        cost_usd, max_tokens, raw, *columns = row
        try:
            parsed = parse_reply(raw, max_tokens)
        except UnparsableReply:
            parsed = ParsedReply(*[*columns, True])
        return _reply(request, parsed, cost_usd, stored=True)

    def is_answered(self, request: str) -> bool:
        """Tell whether there is a stored reply to the request of this hash."""
        with self.errors_explained():
            return self.db.execute(ledger_sql.FIRST_REPLY, (request,)).fetchone() is not None

    def has_answers(self, teacher: str, model: str, besides: str) -> bool:
        """Tell whether a model has ever answered under this name, besides messages of one content."""
        with self.errors_explained():
            asked = (teacher, model, f'"{besides}"')
            return self.db.execute(ledger_sql.ANSWERED, asked).fetchone() is not None

    def record_sent(
        self,
        request: LedgerRequest,
        run: str,
        step: str,
        upper_usd: float,
        role: Role = "teacher",
        cap_usd: float = math.inf,
    ) -> int | None:
        """Write that `request` is about to be sent, at its upper bound; return the attempt's number.

        Returns None where a sibling run has got its reply meanwhile: nothing is to be sent.

        Raises:
            BudgetError: with it this run would pass `cap_usd`; another process may spend for the same run.
        """
        with self.transaction():
            if self.is_answered(request.hash):
                return None
            number = self.write_attempt(request, run, step, upper_usd, role)
            self.check_cap(run, cap_usd, upper_usd)
            return number

    def check_cap(self, run: str, cap_usd: float, upper_usd: float) -> None:
        """Raise BudgetError where a run's attempts, one of `upper_usd` just written included, pass a cap."""
        spent_usd: float = self.db.execute(ledger_sql.SPENT, (run,)).fetchone()[0]
        if spent_usd > cap_usd + 1e-6:  # that much may come of rounding
            raise cap_error(spent_usd - upper_usd, cap_usd, upper_usd)

    def write_attempt(self, request: LedgerRequest, run: str, step: str, upper_usd: float, role: Role) -> int:
        """Do `record_sent` within a transaction of the caller's."""
        self.db.execute(
            "INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?, ?)",
            (request.hash, request.payload, request.teacher, request.model, request.draw),
        )
        done = self.db.execute(
            "INSERT INTO attempts (request, run, step, sent_at, state, upper_usd, cost_usd, role) "
            "VALUES (?, ?, ?, ?, 'sent', ?, ?, ?)",
            (request.hash, run, step, utc_now(), upper_usd, upper_usd, role),
        )
        return int(done.lastrowid or 0)

    def record_failure(
        self, attempt: int, reason: str, may_be_billed: bool, raw: str = "", cost_usd: float = 0.0
    ) -> None:
        """Settle an attempt without a reply: at `cost_usd`, or at its upper bound where it may be billed.

        Its body `raw` is kept too where it was paid, for a parser that can read it.
        """
        state = "lost" if may_be_billed else "refused"
        with self.transaction():
            self.db.execute(
                "UPDATE attempts SET state = ?, why = ?, cost_usd = iif(?, upper_usd, ?) "
                "WHERE id = ? AND state <> 'answered'",
                (state, reason, may_be_billed, cost_usd, attempt),
            )
            if raw and (may_be_billed or cost_usd):
                self.db.execute("INSERT OR REPLACE INTO unread VALUES (?, ?)", (attempt, raw))

    def reread_bodies(self) -> None:
        """Make replies of the bodies that could not be read when they came, and can be now."""
        with self.errors_explained():
            rows = self.db.execute(ledger_sql.UNREAD).fetchall()
        for attempt, request, raw, cost_usd in rows:
            with contextlib.suppress(UnparsableReply):
                self.record_reply(attempt, request, raw, parse_reply(raw), cost_usd)
                self.db.execute("DELETE FROM unread WHERE attempt = ?", (attempt,))

    def record_reply(
        self, attempt: int, request: str, raw: str, parsed: ParsedReply, cost_usd: float
    ) -> Reply:
        """Store a reply, settle its attempt, and return the request's answer: a sibling's, if it came first.

        An attempt that has a reply keeps it: two processes may collect the same batch.
        """
        with self.transaction():
            self.db.execute(
                "UPDATE attempts SET state = 'answered', cost_usd = ? WHERE id = ?", (cost_usd, attempt)
            )
            done = self.db.execute(
                "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (attempt, request, raw, *list(vars(parsed).values())[:7]),
            )
            if done.rowcount and self.db.execute(ledger_sql.FIRST_REPLY, (request,)).fetchone() == (attempt,):
                return _reply(request, parsed, cost_usd, stored=False)
            answer = self.answer(request)
        assert answer is not None
        return answer.model_copy(update={"stored": False})

    def account(self, run: str | None = None, step: str | None = None) -> Account:
        """Sum up what a run and a step sent and paid for; without names, the whole ledger."""
        with self.errors_explained():
            return Account(*self.db.execute(ledger_sql.ACCOUNT, (run, step)).fetchone())

    def overrun_usd(self, model: str) -> float:
        """Return the most by which a reply of this model has cost more than its upper bound."""
        with self.errors_explained():
            return float(self.db.execute(ledger_sql.OVERRUN, (model,)).fetchone()[0])

    def cost_by_role(self, run: str) -> dict[str, float]:
        """Return what a run has spent on each role, everything unsettled included."""
        query = "SELECT role, total(cost_usd) FROM attempts WHERE run = ? GROUP BY role ORDER BY role"
        with self.errors_explained():
            return {str(role): float(usd) for role, usd in self.db.execute(query, (run,))}

    def unsettled(self, run: str) -> tuple[int, float]:
        """Return how many of a run's attempts have no reply and are not refused, and what they count for."""
        with self.errors_explained():
            count, usd = self.db.execute(ledger_sql.UNSETTLED, (run,)).fetchone()
        return int(count), float(usd)

    def release(self, run: str) -> tuple[int, float]:
        """Count a run's lost attempts for nothing; return how many and their sum.

        Those in a batch under way stay.
        """
        with self.transaction():
            sums = f"SELECT count(*), total(cost_usd) FROM attempts WHERE {ledger_sql.RELEASABLE}"
            count, usd = self.db.execute(sums, (run,)).fetchone()
            self.db.execute(
                f"UPDATE attempts SET state = 'released', cost_usd = 0 WHERE {ledger_sql.RELEASABLE}", (run,)
            )
        return int(count), float(usd)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of a block or nothing."""
        with self.errors_explained():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    def errors_explained(self) -> AbstractContextManager[None]:
        """Turn SQLite's errors into sentences."""
        return explain_sqlite_errors(self.path)


def _reply(request: str, parsed: ParsedReply, cost_usd: float, *, stored: bool) -> Reply:
    counts = {"tokens_in": parsed.tokens_in, "tokens_out": parsed.tokens_out, "cost_usd": cost_usd}
    return Reply(
        text=parsed.text, finish=parsed.finish, model=parsed.model, request=request, stored=stored, **counts
    )
