from __future__ import annotations

import json
import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.errors import AlifError, BusyError, DataError
from alif.llm import ledger as ledgers
from alif.llm.ledger import Ledger, LedgerRequest
from alif.llm.parse import ParsedReply
from alif.records import Message
from tests.llm.conftest import raw_replies

READING = ParsedReply("جواب", "stop", "m-1", 10, 4, 20, 5, True)


def request(text: str = "سوال", draw: int = 0, **settings: float) -> LedgerRequest:
    return LedgerRequest.of(
        "gpt",
        "https://x.org/v1",
        "m",
        [Message(role="user", content=text)],
        {"temperature": 1.0, **settings},
        draw=draw,
    )


def test_the_hash_covers_what_decides_the_answer() -> None:
    others = [
        request("سوال"),
        request("سوال", draw=1),
        request("دوسرا"),
        request(top_p=0.5),
        LedgerRequest.of(
            "gpt",
            "https://y.org/v1",
            "m",
            [Message(role="user", content="سوال")],
            {"temperature": 1.0},
            draw=0,
        ),
        LedgerRequest.of(
            "gpt",
            "https://x.org/v1",
            "n",
            [Message(role="user", content="سوال")],
            {"temperature": 1.0},
            draw=0,
        ),
    ]
    assert len({other.hash for other in others}) == len(others)
    same = LedgerRequest.of(
        "other name",
        "https://x.org/v1",
        "m",
        [Message(role="user", content="سوال")],
        {"temperature": 1.0},
        draw=0,
    )
    assert same.hash == others[0].hash


def test_a_request_counts_at_its_upper_bound_until_it_is_settled(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert ledger.journal == "wal"
    attempts = [ledger.record_sent(request(), "run", "generate", 1.0) for _ in range(3)]
    assert ledger.account("run").usd == 3.0
    ledger.record_failure(attempts[0], "429", may_be_billed=False)
    assert ledger.account("run").usd == 2.0
    ledger.record_failure(attempts[1], "timeout", may_be_billed=True)
    assert ledger.account("run").usd == 2.0
    assert ledger.answer(request().hash) is None
    reply = ledger.record_reply(attempts[2], request().hash, '{"raw": 1}', READING, 0.25)
    assert not reply.stored
    account = ledger.account("run", "generate")
    assert (account.requests, account.attempts, account.replies) == (1, 3, 1)
    assert (account.usd, account.unsettled_usd) == (1.25, 1.0)
    assert (account.tokens_in, account.tokens_cached, account.tokens_out, account.tokens_reasoning) == (
        10,
        4,
        20,
        5,
    )
    assert ledger.account("run", "translate").usd == ledger.account("other").usd == 0.0
    assert raw_replies(ledger) == [(request().hash, '{"raw": 1}')]
    ledger.close()


def test_an_attempt_keeps_the_reply_that_it_has(tmp_path: Path) -> None:
    """Two processes may gather the same batch: the second brings nothing new."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    attempt = ledger.record_sent(request(), "run", "generate", 1.0)
    ledger.record_reply(attempt, request().hash, '{"raw": 1}', READING, 0.25)
    again = ledger.record_reply(
        attempt, request().hash, '{"raw": 2}', ParsedReply("دوسرا", "stop", "m", 9, 0, 9, 0, True), 0.25
    )
    assert again.text == READING.text
    assert raw_replies(ledger) == [(request().hash, '{"raw": 1}')]
    assert (ledger.account().tokens_in, ledger.account().usd) == (READING.tokens_in, 0.25)
    ledger.close()


def test_a_stored_reply_is_read_as_it_would_be_today(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    said = {"message": {"content": "جواب"}, "finish_reason": "eos"}
    raw = json.dumps(
        {"model": "m-2", "choices": [said], "usage": {"prompt_tokens": 7.0, "completion_tokens": 3}}
    )
    of_old = ParsedReply("", "eos", "m-2", 0, 0, 0, 0, False)
    attempt = ledger.record_sent(request(), "run", "generate", 1.0)
    assert ledger.record_reply(attempt, request().hash, raw, of_old, 0.25).finish == "eos", (
        "what has just come is not read twice"
    )
    found = ledger.answer(request().hash)
    assert found is not None
    assert (found.text, found.finish, found.model, found.tokens_in, found.tokens_out) == (
        "جواب",
        "stop",
        "m-2",
        7,
        3,
    )
    assert (found.cost_usd, found.stored) == (0.25, True), "what it counted for stays"
    ledger.close()


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.integers(0, 2), st.sampled_from(["answer", "lose", "refuse", "kill"])
        ),
        max_size=30,
    )
)
def test_the_first_reply_answers_for_ever_and_sums_hold(events: list[tuple[str, int, str]]) -> None:
    ledger, first, owed = Ledger(Path(":memory:")), {}, 0.0
    for number, (text, draw, end) in enumerate(events):
        asked = request(text, draw)
        known = ledger.answer(asked.hash)
        assert (known.text if known else None) == first.get(asked.hash)
        attempt = ledger.record_sent(asked, "run", "step", 1.0)
        assert (attempt is None) is (known is not None), "what is answered is not sent"
        if attempt is None:
            continue
        if end == "answer":
            reading = ParsedReply(f"reply {number}", "stop", "m", 1, 0, 1, 0, True)
            reply = ledger.record_reply(attempt, asked.hash, "{}", reading, 0.5)
            assert reply.text == first.setdefault(asked.hash, f"reply {number}")
        elif end != "kill":
            ledger.record_failure(attempt, end, may_be_billed=end == "lose")
        owed += {"answer": 0.5, "lose": 1.0, "refuse": 0.0, "kill": 1.0}[end]
    assert ledger.account().usd == pytest.approx(owed)
    assert ledger.account().requests == len({(text, draw) for text, draw, _ in events})
    ledger.close()


def _write(path: Path, run: str, many: int) -> None:
    ledger = Ledger(path)
    for number in range(many):
        asked = request(f"{run} {number}")
        ledger.record_reply(ledger.record_sent(asked, run, "generate", 1.0), asked.hash, "{}", READING, 0.5)
    ledger.close()


def test_sibling_processes_share_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, run, 50)) for run in ("one", "two", "three")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    ledger = Ledger(path)
    assert [ledger.account(run).replies for run in ("one", "two", "three")] == [50, 50, 50]
    assert ledger.account().usd == 75.0
    ledger.close()


def test_costs_are_summed_by_role(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for draw, role in enumerate(("teacher", "judge", "judge")):
        ledger.record_sent(request(draw=draw), "run", "step", 1.0, role)
    ledger.record_sent(request(), "other", "step", 1.0, "baseline")
    assert ledger.cost_by_role("run") == {"judge": 2.0, "teacher": 1.0}
    assert ledger.account("run").usd == 3.0
    ledger.close()


def test_where_there_is_no_wal_a_plain_journal_is_used_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect = sqlite3.connect

    class WithoutWal(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            return super().execute(sql.replace("= WAL", "= DELETE"), *values)  # type: ignore[arg-type]

    monkeypatch.setattr(
        ledgers.sqlite3, "connect", lambda path, **options: connect(path, factory=WithoutWal, **options)
    )
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert ledger.journal == "delete"
    assert ledger.db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert "no write-ahead log" in capsys.readouterr().err.replace("\n", " ")
    ledger.close()


def test_files_that_cannot_be_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "text"
    text.write_text("not a database, but long enough to be looked at " * 100)
    with pytest.raises(DataError, match="not a ledger"):
        Ledger(text)
    with pytest.raises(AlifError, match="cannot be written"):
        Ledger(tmp_path)
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(DataError, match="format 99"):
        Ledger(newer)
    monkeypatch.setattr(ledgers, "BUSY_TIMEOUT_S", 0.05)
    held = tmp_path / "held.sqlite"
    ledger = Ledger(held)
    other = sqlite3.connect(held, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="another process holds the ledger"):
        ledger.record_sent(request(), "run", "step", 1.0)
    other.close()
    ledger.close()


def test_a_full_disk_is_a_sentence_and_nothing_is_half_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    attempt = ledger.record_sent(request(), "run", "step", 1.0)
    pages = ledger.db.execute("PRAGMA page_count").fetchone()[0]
    ledger.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(AlifError, match="the disk is full") as caught:
        ledger.record_reply(attempt, request().hash, "x" * 100_000, READING, 0.25)
    assert "continues where it stopped" in caught.value.hint
    assert ledger.answer(request().hash) is None
    assert ledger.account().usd == 1.0
    ledger.close()
