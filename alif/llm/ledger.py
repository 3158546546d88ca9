"""Every request, written before it is sent, and every reply, kept for ever, in one SQLite file.

    requests   hash ─ payload ─ teacher ─ model ─ draw               what was asked: one row for ever
    attempts   request ─ run ─ step ─ role ─ sent_at ─ state ─ cost  each time it was sent, and its cost
    replies    attempt ─ request ─ raw ─ text ─ tokens               what came back
    batches    id ─ state; batched: attempt ─ batch                  attempts sent together: see `batch_store`

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

import contextlib
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from alif import console, store
from alif.errors import AlifError, BusyError, DataError
from alif.llm import ledger_sql
from alif.llm.chat_model import Reply, Role
from alif.llm.ledger_sql import FORMAT
from alif.llm.parse import ParsedReply, UnparsableReply, parse_reply
from alif.records import Message

__all__ = ["REPEAT", "Account", "Ledger", "LedgerRequest", "utc_now"]

BUSY_TIMEOUT_S = 60.0
"""How long another process may hold the file while it writes one row."""

REPEAT = "repeat the command: it continues where it stopped."
_ERRORS: Sequence[tuple[str, type[AlifError], str, str]] = (
    ("FULL", AlifError, "the disk is full", f"Free some space and {REPEAT}"),
    (
        "IOERR",
        AlifError,
        "the disk is full, or fails ({})",
        f"Look for room there, at `ulimit -f`, and {REPEAT}",
    ),
    (
        "BUSY|LOCKED",
        BusyError,
        "another process holds the ledger",
        "Wait for it, or stop it, and repeat the command.",
    ),
    (
        "CANTOPEN|READONLY|PERM",
        AlifError,
        "the ledger cannot be written",
        "Get the right to read and write there.",
    ),
    (
        "NOTADB|CORRUPT",
        DataError,
        "not a ledger, or a damaged one",
        "Move it away, or name another in runtime.ledger.",
    ),
)
"""Beginnings of SQLite's error names, the exception, what is wrong, what to do; a full disk may be an
IOERR."""


def utc_now() -> str:
    """Return the time for the ledger's records."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class LedgerRequest:
    """What is asked: the canonical payload and its hash."""

    hash: str
    payload: str
    teacher: str
    """The recipe's name of the endpoint."""
    model: str
    draw: int

    @classmethod
    def of(
        cls, name: str, address: str, model: str, messages: Sequence[Message],
        settings: Mapping[str, JsonValue], *, draw: int,
    ) -> LedgerRequest:  # fmt: skip
        """Build a request; equal content has an equal hash, whatever the order of the settings."""
        content = {
            "address": address,
            "draw": draw,
            "messages": [message.model_dump() for message in messages],
            "model": model,
            "settings": dict(settings),
        }
        payload = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return cls(hashlib.sha256(payload.encode()).hexdigest(), payload, name, model, draw)


@dataclass(frozen=True)
class Account:
    """What a run, a step or a whole ledger sent, got and spent."""

    requests: int
    """Distinct requests."""
    attempts: int
    """Times that they were sent."""
    replies: int
    usd: float
    """What it counts for: replies at their cost, everything unsettled at its upper bound."""
    unsettled_usd: float
    """The part of `usd` that is in flight or was lost: an upper bound, not a bill."""
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    tokens_reasoning: int


class Ledger:
    """The file, open for one process. Use it from one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with store.friendly_os_errors(path), self.errors_explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self.journal = str(self.db.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            self.db.execute(f"PRAGMA synchronous = {'NORMAL' if self.journal == 'wal' else 'FULL'}")
            self._migrate()
        if self.journal not in ("wal", "memory"):
            console.log(
                f"{path}: SQLite has no write-ahead log on this file system, so each write takes longer"
            )

    def _migrate(self) -> None:
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise DataError(
                f"{self.path}: a ledger of format {version}, this alif knows {FORMAT}", "Use a newer alif."
            )
        if version < FORMAT:
            with self.transaction():  # a sibling may have migrated while this one waited for the lock
                if self.db.execute("PRAGMA user_version").fetchone()[0] < FORMAT:
                    for statement in ledger_sql.TABLES.split(";"):
                        self.db.execute(statement)
                    self.db.execute(f"PRAGMA user_version = {FORMAT}")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

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

    def record_sent(
        self, request: LedgerRequest, run: str, step: str, upper_usd: float, role: Role = "teacher"
    ) -> int:
        """Write that `request` is about to be sent, at its upper bound; return the attempt's number."""
        with self.transaction():
            return self.write_attempt(request, run, step, upper_usd, role)

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

    def record_failure(self, attempt: int, reason: str, may_be_billed: bool) -> None:
        """Settle an attempt without a reply: at nothing, or at its upper bound where it may be billed."""
        state, cost = ("lost", "upper_usd") if may_be_billed else ("refused", "0")
        with self.errors_explained():
            self.db.execute(
                f"UPDATE attempts SET state = ?, why = ?, cost_usd = {cost} "
                "WHERE id = ? AND state <> 'answered'",
                (state, reason, attempt),
            )

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

    @contextlib.contextmanager
    def errors_explained(self) -> Iterator[None]:
        """Turn SQLite's errors into sentences."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            for names, kind, fault, hint in _ERRORS:
                if re.match(f"SQLITE_({names})", name):
                    raise kind(f"{self.path}: {fault.format(name)}", hint) from error
            raise


def _reply(request: str, parsed: ParsedReply, cost_usd: float, *, stored: bool) -> Reply:
    counts = {"tokens_in": parsed.tokens_in, "tokens_out": parsed.tokens_out, "cost_usd": cost_usd}
    return Reply(
        text=parsed.text, finish=parsed.finish, model=parsed.model, request=request, stored=stored, **counts
    )
