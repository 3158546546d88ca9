"""Every request, written before it is sent, and every reply, kept for ever, in one SQLite file.

    requests   hash ─ payload ─ teacher ─ model ─ draw       what was asked: one row for ever
    attempts   request ─ run ─ step ─ sent_at ─ state ─ cost  each time it was sent, and what that counts for
    replies    attempt ─ request ─ raw ─ text ─ tokens        what came back
    batches    id ─ state; batched: attempt ─ batch           attempts that went out together: see `batch_book`

The hash covers what decides the answer (address, model, messages, settings, draw) and nothing else: not prices, keys, timeouts
or the run. So a stored reply answers every run that asks the same, free, and as today's `reading` reads it: what stands beside
its raw text is what it was understood as when it came, for the sums. An attempt counts at its upper bound from the moment
before it is sent: a refusal sets that to nothing, a reply to what it cost, and one that was lost on the way (a kill, a timeout,
half a reply) stays there, since the provider may send a bill for it. So the ledger never shows less than was spent.

Sibling runs may share the file. A commit survives any kill; a power cut may take the last seconds, which are then asked again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alif import console, store
from alif.errors import AlifError, BusyError, DataError
from alif.llm.chat_model import Message, Reply
from alif.llm.network_fs import network_mount
from alif.llm.parse import ParsedReply, UnparsableReply, parse_reply

__all__ = ["Account", "Ledger", "LedgerRequest", "utc_now"]

FORMAT = 2
"""Version of the tables, in the file's user_version. A ledger of format 1 had no batches."""
WAIT_FOR_SIBLING_S = 60.0
"""How long another process may hold the file while it writes one row."""

_TABLES = """
CREATE TABLE IF NOT EXISTS requests (
  hash TEXT PRIMARY KEY, payload TEXT NOT NULL, teacher TEXT NOT NULL, model TEXT NOT NULL, draw INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY, request TEXT NOT NULL REFERENCES requests, run TEXT NOT NULL, step TEXT NOT NULL,
  sent_at TEXT NOT NULL, state TEXT NOT NULL, upper_usd REAL NOT NULL, cost_usd REAL NOT NULL, why TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS replies (
  attempt INTEGER PRIMARY KEY REFERENCES attempts, request TEXT NOT NULL REFERENCES requests, raw TEXT NOT NULL,
  text TEXT NOT NULL, finish TEXT NOT NULL, model TEXT NOT NULL, tokens_in INTEGER NOT NULL, tokens_cached INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL, tokens_reasoning INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
  number INTEGER PRIMARY KEY, token TEXT NOT NULL, id TEXT NOT NULL DEFAULT '', teacher TEXT NOT NULL, address TEXT NOT NULL,
  run TEXT NOT NULL, step TEXT NOT NULL, written_at TEXT NOT NULL, state TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batched (
  attempt INTEGER PRIMARY KEY REFERENCES attempts, batch INTEGER NOT NULL REFERENCES batches);
CREATE INDEX IF NOT EXISTS attempts_of_request ON attempts (request);
CREATE INDEX IF NOT EXISTS batched_of_batch ON batched (batch);
CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (run, step);
CREATE INDEX IF NOT EXISTS replies_of_request ON replies (request, attempt);
"""
_FIRST = "SELECT attempt FROM replies WHERE request = ? ORDER BY attempt LIMIT 1"
_ANSWER = """
SELECT a.cost_usd, r.raw, r.text, r.finish, r.model, r.tokens_in, r.tokens_cached, r.tokens_out, r.tokens_reasoning
FROM replies r JOIN attempts a ON a.id = r.attempt WHERE r.request = ? ORDER BY r.attempt LIMIT 1
"""
_ACCOUNT = """
SELECT count(DISTINCT a.request), count(*), count(r.attempt), total(a.cost_usd),
  total(a.cost_usd) FILTER (WHERE a.state IN ('sent', 'lost')),
  coalesce(sum(r.tokens_in), 0), coalesce(sum(r.tokens_cached), 0),
  coalesce(sum(r.tokens_out), 0), coalesce(sum(r.tokens_reasoning), 0)
FROM attempts a LEFT JOIN replies r ON r.attempt = a.id
WHERE (?1 IS NULL OR a.run = ?1) AND (?2 IS NULL OR a.step = ?2)
"""


def utc_now() -> str:
    """Return the time for the ledger's records."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class LedgerRequest:
    """What is asked: the canonical payload and its hash."""

    hash: str
    payload: str
    teacher: str
    """The recipe's name of the teacher."""
    model: str
    draw: int

    @classmethod
    def of(
        cls,
        teacher: str,
        address: str,
        model: str,
        messages: Sequence[Message],
        settings: Mapping[str, Any],
        *,
        draw: int,
    ) -> LedgerRequest:
        """Build a request; equal content has an equal hash, whatever the order of the settings."""
        content = {
            "address": address,
            "draw": draw,
            "messages": [message.model_dump() for message in messages],
            "model": model,
            "settings": dict(settings),
        }
        payload = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return cls(hashlib.sha256(payload.encode()).hexdigest(), payload, teacher, model, draw)


@dataclass(frozen=True)
class Account:
    """What a run, a step or a whole ledger sent, got and spent."""

    requests: int
    """Different requests."""
    attempts: int
    """Times that they were sent."""
    replies: int
    usd: float
    """What it counts for: replies at their cost, everything unsettled at its upper bound."""
    unsettled_usd: float
    """The part of `usd` that is in flight or was lost on the way: an upper bound, not a bill."""
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    tokens_reasoning: int


class Ledger:
    """The file, open for one process. Use it from one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        network = network_mount(path)
        with store.friendly_os_errors(path), self.speaking():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(path, timeout=WAIT_FOR_SIBLING_S, isolation_level=None)
            mode = "DELETE" if network else "WAL"
            self.journal = str(self.db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0])
            self.db.execute(f"PRAGMA synchronous = {'FULL' if network else 'NORMAL'}")
            self._prepare()
        if self.journal != "wal":
            console.log(
                f"{path}: on a network mount ({network or 'no WAL there'}); written with a plain journal, which is slower"
            )

    def _prepare(self) -> None:
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise DataError(
                f"{self.path}: a ledger of format {version}, this alif knows {FORMAT}", "Use a newer alif."
            )
        if version < FORMAT:
            self.db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def answer(self, request: str) -> Reply | None:
        """Return the stored reply to the request of this hash: the first that came.

        It is read from its raw text. What cannot be read any more stays what it was understood as: no reply is paid for twice.
        """
        with self.speaking():
            row = self.db.execute(_ANSWER, (request,)).fetchone()
        if row is None:
            return None
        cost_usd, raw, *understood = row
        try:
            reading = parse_reply(raw)
        except UnparsableReply:
            reading = ParsedReply(*[*understood, True])
        return _reply(request, reading, cost_usd, stored=True)

    def sending(self, request: LedgerRequest, run: str, step: str, upper_usd: float) -> int:
        """Write that `request` is about to be sent, counted at its upper bound; return the attempt's number."""
        with self.transaction():
            return self.write(request, run, step, upper_usd)

    def write(self, request: LedgerRequest, run: str, step: str, upper_usd: float) -> int:
        """Do `sending` within a transaction of the caller's."""
        self.db.execute(
            "INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?, ?)",
            (request.hash, request.payload, request.teacher, request.model, request.draw),
        )
        done = self.db.execute(
            "INSERT INTO attempts (request, run, step, sent_at, state, upper_usd, cost_usd) VALUES (?, ?, ?, ?, 'sent', ?, ?)",
            (request.hash, run, step, utc_now(), upper_usd, upper_usd),
        )
        return int(done.lastrowid or 0)

    def failed(self, attempt: int, why: str, billed: bool) -> None:
        """Settle an attempt without a reply: for nothing, or at its upper bound where the provider may send a bill."""
        state, cost = ("lost", "upper_usd") if billed else ("refused", "0")
        with self.speaking():
            self.db.execute(
                f"UPDATE attempts SET state = ?, why = ?, cost_usd = {cost} WHERE id = ? AND state <> 'answered'",
                (state, why, attempt),
            )

    def answered(self, attempt: int, request: str, raw: str, reading: ParsedReply, cost_usd: float) -> Reply:
        """Keep a reply, settle its attempt at what it cost, and return the request's answer: a sibling's, if it came first.

        An attempt that has a reply keeps it: two processes may gather the same batch.
        """
        with self.transaction():
            self.db.execute(
                "UPDATE attempts SET state = 'answered', cost_usd = ? WHERE id = ?", (cost_usd, attempt)
            )
            done = self.db.execute(
                "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    attempt,
                    request,
                    raw,
                    reading.text,
                    reading.finish,
                    reading.model,
                    reading.tokens_in,
                    reading.tokens_cached,
                    reading.tokens_out,
                    reading.tokens_reasoning,
                ),
            )
            if done.rowcount and self.db.execute(_FIRST, (request,)).fetchone() == (attempt,):
                return _reply(request, reading, cost_usd, stored=False)
            answer = self.answer(request)
        assert answer is not None
        return answer.model_copy(update={"stored": False})

    def account(self, run: str | None = None, step: str | None = None) -> Account:
        """Sum up what a run and a step sent and paid for; without names, the whole ledger."""
        with self.speaking():
            return Account(*self.db.execute(_ACCOUNT, (run, step)).fetchone())

    def unsettled(self, run: str) -> tuple[int, float]:
        """Return how many of a run's attempts have no reply and are not refused, and what they count."""
        with self.speaking():
            count, usd = self.db.execute(
                "SELECT count(*), total(cost_usd) FROM attempts WHERE run = ? AND state IN ('sent', 'lost') AND cost_usd > 0",
                (run,),
            ).fetchone()
        return int(count), float(usd)

    def release(self, run: str) -> tuple[int, float]:
        """Count a run's lost attempts, and those that a kill left in flight, for nothing; return how many and their sum.

        What is in a batch under way stays.
        """
        under_way = "SELECT attempt FROM batched JOIN batches ON number = batch WHERE batches.state IN ('written', 'open')"
        where = f"run = ? AND state IN ('sent', 'lost') AND id NOT IN ({under_way})"
        with self.transaction():
            count, usd = self.db.execute(
                f"SELECT count(*), total(cost_usd) FROM attempts WHERE {where}", (run,)
            ).fetchone()
            self.db.execute(f"UPDATE attempts SET state = 'released', cost_usd = 0 WHERE {where}", (run,))
        return int(count), float(usd)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with self.speaking():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """Turn SQLite's refusals into sentences."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            name = getattr(error, "sqlite_errorname", "")
            if name.startswith("SQLITE_FULL"):
                hint = "Free some space and repeat the command: it goes on where it stopped."
                raise AlifError(f"{self.path}: the disk is full", hint) from error
            if name.startswith("SQLITE_IOERR"):  # also where a full disk has no room for the journal
                hint = "Look for room on that disk, and for `ulimit -f`, and repeat the command: it goes on where it stopped."
                raise AlifError(f"{self.path}: the disk is full, or fails ({name})", hint) from error
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                hint = "Wait for it, or stop it, and repeat the command."
                raise BusyError(f"{self.path}: another process holds the ledger", hint) from error
            if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
                hint = "Give yourself the right to read and write there."
                raise AlifError(f"{self.path}: the ledger cannot be written", hint) from error
            if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
                hint = "Move that file away, or name another one in runtime.ledger."
                raise DataError(f"{self.path}: not a ledger, or a damaged one", hint) from error
            raise


def _reply(request: str, reading: ParsedReply, cost_usd: float, *, stored: bool) -> Reply:
    return Reply(
        text=reading.text,
        finish=reading.finish,
        model=reading.model,
        request=request,
        tokens_in=reading.tokens_in,
        tokens_out=reading.tokens_out,
        cost_usd=cost_usd,
        stored=stored,
    )
