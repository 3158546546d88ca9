"""The ledger's tables and the queries over them; see `ledger` for what they hold."""

from __future__ import annotations

__all__ = [
    "ACCOUNT", "ANSWER", "ANSWERED", "FIRST_REPLY", "FORMAT", "OVERRUN", "RELEASABLE", "ROLES", "SPENDING",
    "SPENT", "TABLES", "UNREAD", "UNSETTLED",
]  # fmt: skip

FORMAT = 4
"""Version of the tables, in the file's user_version. Format 1 had no batches, format 2 no roles, format 3 no
sums by run and no bodies that could not be read."""
TABLES = """
CREATE TABLE IF NOT EXISTS requests (
  hash TEXT PRIMARY KEY, payload TEXT NOT NULL, teacher TEXT NOT NULL, model TEXT NOT NULL,
  draw INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY, request TEXT NOT NULL REFERENCES requests, run TEXT NOT NULL,
  step TEXT NOT NULL,
  sent_at TEXT NOT NULL, state TEXT NOT NULL, upper_usd REAL NOT NULL, cost_usd REAL NOT NULL,
  why TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS replies (
  attempt INTEGER PRIMARY KEY REFERENCES attempts, request TEXT NOT NULL REFERENCES requests,
  raw TEXT NOT NULL, text TEXT NOT NULL, finish TEXT NOT NULL, model TEXT NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_cached INTEGER NOT NULL, tokens_out INTEGER NOT NULL, tokens_reasoning INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
  number INTEGER PRIMARY KEY, token TEXT NOT NULL, id TEXT NOT NULL DEFAULT '', teacher TEXT NOT NULL,
  address TEXT NOT NULL, run TEXT NOT NULL, step TEXT NOT NULL, written_at TEXT NOT NULL, state TEXT NOT NULL,
  size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS batched (
  attempt INTEGER PRIMARY KEY REFERENCES attempts, batch INTEGER NOT NULL REFERENCES batches);
CREATE INDEX IF NOT EXISTS attempts_of_request ON attempts (request);
CREATE INDEX IF NOT EXISTS batched_of_batch ON batched (batch);
CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (run, step);
CREATE INDEX IF NOT EXISTS replies_of_request ON replies (request, attempt);
CREATE TABLE IF NOT EXISTS unread (attempt INTEGER PRIMARY KEY REFERENCES attempts, raw TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS spending (run TEXT PRIMARY KEY, nano_usd INTEGER NOT NULL);
"""
"""Statements that create them, or bring those of an older format to this one."""
ROLES = """
ALTER TABLE attempts ADD COLUMN role TEXT NOT NULL DEFAULT 'teacher';
UPDATE attempts SET role = 'translator' WHERE step = 'translate';
"""
"""The same for a file of format 1 or 2."""
_NANO = "CAST({}.cost_usd * 1e9 + 0.5 AS INTEGER)"
_ADD = f"""
INSERT INTO spending VALUES (new.run, {_NANO.format("new")})
ON CONFLICT DO UPDATE SET nano_usd = nano_usd + {_NANO.format("new")}"""
SPENDING = (
    f"""INSERT OR REPLACE INTO spending
    SELECT run, sum({_NANO.format("attempts")}) FROM attempts GROUP BY run""",
    f"CREATE TRIGGER IF NOT EXISTS attempt_written AFTER INSERT ON attempts BEGIN {_ADD}; END",
    f"""CREATE TRIGGER IF NOT EXISTS attempt_settled AFTER UPDATE OF cost_usd ON attempts BEGIN
    UPDATE spending SET nano_usd = nano_usd + {_NANO.format("new")} - {_NANO.format("old")}
    WHERE run = new.run; END""",
)
"""Statements that keep in `spending` what the attempts of each run sum up to, whoever writes them."""
SPENT = "SELECT nano_usd / 1e9 FROM spending WHERE run = ?"
UNREAD = """
SELECT u.attempt, a.request, u.raw, a.cost_usd FROM unread u JOIN attempts a ON a.id = u.attempt
ORDER BY u.attempt
"""
OVERRUN = """
SELECT coalesce(max(a.cost_usd - a.upper_usd), 0) FROM attempts a JOIN requests r ON r.hash = a.request
WHERE a.cost_usd > a.upper_usd AND r.model = ?
"""
FIRST_REPLY = "SELECT attempt FROM replies WHERE request = ? ORDER BY attempt LIMIT 1"
ANSWER = """
SELECT a.cost_usd, coalesce(json_extract(q.payload, '$.settings.max_tokens'), 1e9), r.raw, r.text, r.finish,
  r.model, r.tokens_in, r.tokens_cached, r.tokens_out, r.tokens_reasoning
FROM replies r JOIN attempts a ON a.id = r.attempt JOIN requests q ON q.hash = r.request
WHERE r.request = ? ORDER BY r.attempt LIMIT 1
"""
ANSWERED = """
SELECT 1 FROM replies r JOIN requests q ON q.hash = r.request
WHERE q.teacher = ? AND q.model = ? AND r.text <> '' AND instr(q.payload, ?) = 0 LIMIT 1
"""
ACCOUNT = """
SELECT count(DISTINCT a.request), count(*), count(r.attempt), total(a.cost_usd),
  total(a.cost_usd) FILTER (WHERE a.state IN ('sent', 'lost')),
  coalesce(sum(r.tokens_in), 0), coalesce(sum(r.tokens_cached), 0),
  coalesce(sum(r.tokens_out), 0), coalesce(sum(r.tokens_reasoning), 0)
FROM attempts a LEFT JOIN replies r ON r.attempt = a.id
WHERE (?1 IS NULL OR a.run = ?1) AND (?2 IS NULL OR a.step = ?2)
"""
UNSETTLED = """
SELECT count(*), total(cost_usd) FROM attempts WHERE run = ? AND state IN ('sent', 'lost') AND cost_usd > 0
"""
RELEASABLE = """
run = ? AND state IN ('sent', 'lost') AND id NOT IN (
  SELECT attempt FROM batched JOIN batches ON number = batch WHERE batches.state IN ('written', 'open'))
"""
