"""Faults M1, M2, M7, M9, L9, L10 and L11 of the reliability review: money, bodies and the ledger.

One test for each kind, with the inputs that the review lists and neighbours of theirs.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alif.errors import BudgetError
from alif.language import pack as packs
from alif.language.replies.item_format import read_items
from alif.llm import ledger as ledgers
from alif.llm.batch.batch_store import BatchStore
from alif.llm.ledger import Ledger, LedgerRequest
from alif.llm.parse import UnparsableReply, parse_reply
from alif.records import Message
from tests.acceptance.provider_scene import ask_teacher
from tests.repeating_server import completion, http, repeating

TEXTS = [f"question {number}" for number in range(24)]
REPLY_USD = 12 * 10 / 1e6


def request(text: str) -> LedgerRequest:
    return LedgerRequest.of("gpt", "https://x.org/v1", "m", [Message(role="user", content=text)], {}, draw=0)


def test_reliability_m1_what_a_sibling_has_stored_meanwhile_is_not_sent(tmp_path: Path) -> None:
    """While the first request is on its way, a sibling stores the replies to all others."""
    shared = tmp_path / "shared.sqlite"

    def respond(text: str, number: int) -> bytes:
        with closing(Ledger(shared)) as sibling:
            for other in TEXTS:
                settings = {"max_tokens": 100, "temperature": 1.0}
                asked = [Message(role="user", content=other)]
                one = LedgerRequest.of("gpt", server.address, "m", asked, settings, draw=0)
                raw = completion(other, f"c-{other}").decode()
                if other != text and (sent := sibling.record_sent(one, "sibling", "generate", 0.1)):
                    sibling.record_reply(sent, one.hash, raw, parse_reply(raw), REPLY_USD)
        return http(completion(text, f"c-{number}"))

    with repeating(respond=respond) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS, ledger=shared)
    assert asked.texts == TEXTS
    assert server.answered == 1
    assert asked.account.usd == pytest.approx(REPLY_USD)


def test_reliability_m1_the_ledger_is_asked_again_in_the_transaction_that_sends(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "a.sqlite")) as one, closing(Ledger(tmp_path / "a.sqlite")) as other:
        number = one.record_sent(request("x"), "one", "generate", 0.5)
        assert number is not None
        raw = completion("x", "c").decode()
        one.record_reply(number, request("x").hash, raw, parse_reply(raw), 0.1)
        assert other.record_sent(request("x"), "two", "generate", 0.5) is None
        batch = BatchStore(other).write_batch(
            [(request("x"), 0.5), (request("y"), 0.5)], "two", "generate", "gpt", "https://x.org/v1"
        )
        assert (batch.size, other.account("two").usd) == (1, 0.5)


def test_reliability_m1_two_runs_of_one_name_on_one_ledger_respect_one_cap(tmp_path: Path) -> None:
    shared, found = tmp_path / "shared.sqlite", []

    def run(folder: str, texts: list[str]) -> None:
        found.append(ask_teacher(tmp_path / folder, server.address, texts, ledger=shared, max_cost_usd=0.02))

    with repeating() as server:
        parts = [[f"{part} {number}" for number in range(150)] for part in "ab"]
        threads = [threading.Thread(target=run, args=one) for one in zip("ab", parts, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        billed_usd = server.answered * REPLY_USD
    assert 0.0 < billed_usd <= 0.02
    assert all(one.said.startswith("spent $") for one in found)


def test_reliability_m1_the_cap_counts_what_another_process_wrote(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "a.sqlite")) as one, closing(Ledger(tmp_path / "a.sqlite")) as other:
        one.record_sent(request("x"), "run", "generate", 0.6)
        with pytest.raises(BudgetError, match=r"spent \$0\.60 of \$1\.00"):
            other.record_sent(request("y"), "run", "generate", 0.6, cap_usd=1.0)
        assert other.account("run").attempts == 1, "nothing is half written"
        assert other.record_sent(request("y"), "sibling", "generate", 0.6, cap_usd=1.0)
        one.release("run")
        assert other.record_sent(request("y"), "run", "generate", 0.6, cap_usd=1.0)


def test_reliability_m2_a_bound_that_a_reply_disproves_is_raised_and_the_cap_holds(tmp_path: Path) -> None:
    def lie(text: str, number: int) -> bytes:
        body: dict[str, Any] = json.loads(completion(text, f"c-{number}"))
        return http(json.dumps(body | {"usage": {"prompt_tokens": 7, "completion_tokens": 20_000}}).encode())

    with repeating(respond=lie) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS * 4, max_cost_usd=2.0, max_concurrency=26)
        billed_usd = server.answered * 20_007 * 10 / 1e6
    assert asked.account.usd == pytest.approx(billed_usd)
    assert 1.0 < billed_usd <= 2.0


@pytest.mark.parametrize("value", ["http://user:pw-secret@host:99999", "http://user:pw-secret@host:x"])
def test_reliability_m7_a_proxy_that_is_no_url_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    for name in ("https_proxy", "all_proxy", "no_proxy", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", value)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    asked = ask_teacher(tmp_path, "https://api.openai.com/v1", TEXTS)
    assert "HTTPS_PROXY names a proxy that is no address: its port" in asked.said
    assert "pw-secret" not in asked.said
    assert (asked.account.attempts, asked.account.usd) == (0, 0.0)


def test_reliability_m9_a_body_that_is_paid_is_kept_and_read_by_a_mended_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = lambda text, number: http(json.dumps({"odd": {"shape": text}, "n": number}).encode())  # noqa: E731
    with repeating(respond=shape) as server:
        first = ask_teacher(tmp_path, server.address, ["x"])
        sent = server.answered
        assert '{"odd": {"shape": "x"}' in first.said

        def mended(raw: str, *rest: object) -> object:
            body = json.loads(raw)
            if "odd" in body:
                return parse_reply(completion(body["odd"]["shape"], "c").decode())
            raise UnparsableReply("nothing")

        monkeypatch.setattr(ledgers, "parse_reply", mended)
        again = ask_teacher(tmp_path, server.address, ["x"])
    assert again.texts == ["x"]
    assert server.answered == sent, "nothing is sent again"
    assert again.account.usd == first.account.usd


def test_reliability_l9_a_body_without_an_end_is_not_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alif.llm.keepalive.CheckedResponse.longest_bytes", 2**20)
    with repeating(respond=lambda text, number: http(b" " * (2**20 + number))) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS)
    assert "a body of more than 1 MB" in asked.said
    assert server.answered <= 5


@pytest.mark.parametrize(
    "text",
    [
        "Instruction: x\n" * 550_000,
        "Instruction: ایک\nInput: دو\nOutput: " + "ا" + "\u0651" * 300_000,
        "Instruction: " + "e\u0301" * 300_000 + "\nOutput: b",
        "Output: " + "\u200c" * 300_000,
    ],
    ids=["labels", "marks on one letter", "marks on many", "joiners"],
)
def test_reliability_l9_hostile_texts_are_read_in_seconds(text: str) -> None:
    pack = packs.load_pack("ur")
    began = time.process_time()
    parsed = parse_reply(completion(text, "c").decode())
    read_items(parsed.text, parsed.finish, pack)
    assert time.process_time() - began < 15.0


def hold(path: Path, seconds: float) -> tuple[threading.Thread, threading.Event]:
    """Hold the ledger as another process does, for so long."""
    ready = threading.Event()

    def work() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            ready.set()
            time.sleep(seconds)
            db.execute("ROLLBACK")

    thread = threading.Thread(target=work)
    return thread, ready


def test_reliability_l10_a_ledger_that_is_held_for_a_while_loses_no_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledgers, "TOLD_S", 0.1)
    shared = tmp_path / "shared.sqlite"
    Ledger(shared).close()
    threads = []

    def respond(text: str, number: int) -> bytes:
        if number == 3:  # others are in flight
            thread, ready = hold(shared, 0.8)
            thread.start()
            ready.wait(5)
            threads.append(thread)
        return http(completion(text, f"c-{number}"))

    with repeating(respond=respond) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS, ledger=shared, timeout_s=0.5)
        assert server.answered == len(TEXTS)
    threads[0].join()
    assert asked.texts == TEXTS
    assert (asked.account.attempts, asked.account.unsettled_usd) == (len(TEXTS), 0.0)
    assert "another process holds the ledger; waiting" in capsys.readouterr().err.replace("\n", " ")


def test_reliability_l10_a_ledger_that_is_never_let_go_is_a_sentence_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "HELD_S", 0.3)
    shared = tmp_path / "shared.sqlite"
    Ledger(shared).close()
    threads = []

    def respond(text: str, number: int) -> bytes:
        if number == 3:
            thread, ready = hold(shared, 2.0)
            thread.start()
            ready.wait(5)
            threads.append(thread)
        return http(completion(text, f"c-{number}"))

    began = time.monotonic()
    with repeating(respond=respond) as server:
        monkeypatch.setattr(ledgers, "BUSY_TIMEOUT_S", 10.0)
        asked = ask_teacher(tmp_path, server.address, TEXTS, ledger=shared)
    assert "another process holds the ledger" in asked.said
    assert time.monotonic() - began < 8.0, "not once for each request in flight"
    threads[0].join()


@pytest.mark.parametrize("loss", ["gone", "without its -wal", "an older copy"])
def test_reliability_l11_a_ledger_that_lost_requests_is_named_before_they_are_paid_again(
    tmp_path: Path, loss: str
) -> None:
    path = tmp_path / "run" / "ledger.sqlite"
    with repeating() as server:
        ask_teacher(tmp_path, server.address, TEXTS[:4])
        older = path.read_bytes()
        with closing(sqlite3.connect(path)) as reader:  # keeps the -wal from being written back
            reader.execute("SELECT count(*) FROM attempts").fetchone()
            asked = ask_teacher(tmp_path, server.address, TEXTS)
            log = path.with_name("ledger.sqlite-wal").read_bytes()
            file = path.read_bytes()
        assert asked.texts == TEXTS
        assert log
        for one in tmp_path.glob("run/ledger.sqlite*"):
            one.unlink()
        if loss != "gone":
            path.write_bytes(file if loss == "without its -wal" else older)
        refused = ask_teacher(tmp_path, server.address, TEXTS)
        assert "this run has sent 24 requests, and the ledger knows of " in refused.said
        assert "ledger.sqlite-wal" in refused.said
        assert server.answered == len(TEXTS)
        (tmp_path / "run" / "runtime" / "sent.json").unlink()
        assert ask_teacher(tmp_path, server.address, TEXTS).texts == TEXTS, "as the hint says"


def test_reliability_l11_a_ledger_that_is_put_back_is_used(tmp_path: Path) -> None:
    path = tmp_path / "run" / "ledger.sqlite"
    with repeating() as server:
        ask_teacher(tmp_path, server.address, TEXTS)
        away = path.rename(tmp_path / "away.sqlite")
        assert "the ledger knows of 0" in ask_teacher(tmp_path, server.address, TEXTS).said
        away.replace(path)
        assert ask_teacher(tmp_path, server.address, TEXTS).texts == TEXTS
        assert server.answered == len(TEXTS)
