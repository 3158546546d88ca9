"""The commands about money, as people type them: prices are printed first, nothing is paid twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alif.cli import run_command
from alif.data.demo import demo_teacher
from alif.data.prompt_texts import load_prompt_texts
from alif.language import pack
from alif.llm.batch.batch_store import BatchStore
from alif.llm.chat_model import ScriptedReply
from alif.llm.ledger import Ledger, LedgerRequest
from tests.commands.conftest import SMALL
from tests.fake_provider import serve_provider


def a_request(draw: int) -> LedgerRequest:
    return LedgerRequest.of("gpt", "https://x.org", "m", [], {}, draw=draw)


def test_ping_and_estimate_answer_in_one_document_and_the_run_finds_the_replies(
    document: Callable[..., Any],
) -> None:
    assert document("ping", "demo", *SMALL)["live"][0]["answered_by"] == "scripted"
    found = document("estimate", "demo", "-n", "6", *SMALL)["rehearsal"]
    assert found["requests"] == 6
    assert found["generate"]["requests"]["low"] > 0
    assert document("estimate", "demo", "-n", "6", *SMALL)["rehearsal"]["stored"] == 6
    document("generate", "demo", *SMALL)
    asked = Path("runs/demo/generate/requests.jsonl").read_text().count("\n")
    ledger = Ledger(Path("runs/demo/ledger.sqlite"))
    assert ledger.account("demo", "generate").attempts == asked
    ledger.close()


def test_estimate_prints_the_range_and_what_was_spent(capsys: pytest.CaptureFixture[str]) -> None:
    prices = (
        "--set",
        "teacher.scripted.usd_per_million_in=1.0",
        "--set",
        "teacher.scripted.usd_per_million_out=1.0",
    )
    assert run_command(["estimate", "demo", "-n", "6", *SMALL, *prices]) == 0
    told = capsys.readouterr()
    assert "6 requests (0 stored before), $0.0" in told.out
    assert "spent of $1.00" in told.out
    assert "at most $0" in told.err


def test_a_teacher_that_does_not_answer_is_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(messages: object, draw: int) -> ScriptedReply:
        return ScriptedReply(text="no such model", status=404, code="model_not_found")

    with serve_provider(refuse) as server:
        sets = ["--set", f'teacher.gpt.base_url="{server.address}"', "--set", 'teacher.gpt.model="gpt-9"']
        assert run_command(["ping", "demo", *sets, "--set", "teacher.gpt.usd_per_million_out=3.5"]) == 1
    said = capsys.readouterr()
    assert "knows no model gpt-9 (no such model)" in said.out
    assert "1 of 2 models did not answer: teacher.gpt" in said.err
    assert said.err.index("$3.50 out a million tokens; this check costs at most") < said.err.index(
        "did not answer"
    )


def test_judges_and_systems_prove_key_model_and_price_too(document: Callable[..., Any]) -> None:
    def answer(messages: object, draw: int) -> ScriptedReply:
        return ScriptedReply(text="yes")

    with serve_provider(answer) as server, serve_provider(lambda *_: ScriptedReply(text="")) as mute:
        sets = [
            *("--set", f'judge.a={{model="judge-1", base_url="{server.address}", usd_per_million_out=2.0}}'),
            *("--set", f'system.rival={{model="rival-1", base_url="{mute.address}"}}'),
            *("--set", 'system.local.model="folder"'),  # nobody is asked by an address
        ]
        found = document("ping", "demo", *sets, code=1)["live"]
    assert [(one["role"], one["teacher"]) for one in found] == [
        ("teacher", "scripted"),
        ("judge", "a"),
        ("system", "rival"),
    ]
    assert found[1]["answered_by"] == "judge-1"
    assert found[2]["message"].startswith("system.rival: 1 of 1 replies are empty")
    assert "system.rival.max_tokens" in found[2]["hint"]


def test_the_batches_of_a_judge_are_asked_of_its_own_provider(document: Callable[..., Any]) -> None:
    with serve_provider(lambda messages, draw: ScriptedReply(text="yes")) as server:
        document("seeds", "demo", "--set", f'judge.a={{model="judge-1", base_url="{server.address}"}}')
        with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
            book = BatchStore(ledger)
            batch = book.write_batch([(a_request(0), 1.5)], "demo", "judge", "a", server.address, "judge")
            book.mark_open(batch, "batch_7")
        (found,) = document("batches", "demo")
    assert (found["teacher"], found["step"], found["state"]) == ("a", "judge", "unknown to the provider")


def test_an_address_without_its_path_is_named_and_not_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    with serve_provider(lambda messages, draw: ScriptedReply(text="yes")) as server:
        root = server.address.removesuffix("/v1")
        sets = [
            "--set",
            "teacher.scripted=false",
            "--set",
            f'teacher.gpt={{model="gpt-9", base_url="{root}"}}',
        ]
        assert run_command(["ping", "demo", *sets]) == 1
    said = capsys.readouterr().out
    assert f"there is nothing at {root}/chat/completions, or no model gpt-9" in said
    assert "Check teacher.gpt.base_url, most end in /v1" in said


def test_money_without_a_reply_is_shown_and_settled(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("seeds", "demo")
    nothing = {"requests": 0, "usd": 0.0, "batches": []}
    assert document("status", "demo")["money"] == {
        "spent_usd": 0.0,
        "cap_usd": 1.0,
        "steps": {},
        "roles": {},
        "unsettled": nothing,
    }
    with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
        ledger.record_sent(a_request(0), "demo", "generate", 2.5)
    assert document("status", "demo")["money"]["unsettled"] == {"requests": 1, "usd": 2.5, "batches": []}
    assert run_command(["status", "demo"]) == 0
    told = capsys.readouterr().out.replace("\n", " ")
    assert "$0 spent of $1.00" in told
    assert "$2.50 more at most for 1 request that got no reply" in told
    assert document("settle", "demo") == {"requests": 1, "usd": 2.5}
    assert document("status", "demo")["money"]["unsettled"] == nothing


def test_money_of_a_batch_under_way_is_told_with_the_batch_and_not_as_something_to_settle(
    document: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    document("seeds", "demo")
    with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
        book = BatchStore(ledger)
        batch = book.write_batch(
            [(a_request(draw), 1.5) for draw in range(2)], "demo", "generate", "gpt", "https://x.org"
        )
        book.mark_open(batch, "batch_7")
    under_way = [{"id": "batch_7", "requests": 2, "usd": 3.0}]
    assert document("status", "demo")["money"]["unsettled"] == {
        "requests": 2,
        "usd": 3.0,
        "batches": under_way,
    }
    assert run_command(["status", "demo"]) == 0
    told = capsys.readouterr().out.replace("\n", " ")
    assert (
        "$3.00 more at most for 2 requests in the batch batch_7, which is under way: alif batches demo"
        in told
    )
    assert "settle" not in told


def test_it_is_said_where_a_shared_ledger_lies_and_that_it_is_new(
    document: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = ["--set", 'runtime.ledger="shared.sqlite"']
    new = f"runtime.ledger: {tmp_path / 'shared.sqlite'} is new"

    def told(*arguments: str) -> str:
        assert run_command([*arguments, *shared]) == 0
        found = capsys.readouterr()
        return f"{found.out}{found.err}".replace("\n", " ")

    assert new in told("check", "demo")
    assert new in told("generate", "demo", *SMALL)
    assert "is new" not in told("check", "demo") + told("generate", "demo", *SMALL, "--set", 'name="sibling"')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert f"runtime.ledger: {elsewhere / 'shared.sqlite'} is new" in told("generate", "demo", *SMALL)


def test_a_run_in_batches_gives_the_rows_of_a_live_one_and_its_batches_are_listed(
    document: Callable[..., Any],
) -> None:
    own, known = pack.load_pack("ur"), pack.load_pack("en")
    answers = demo_teacher.load_demo_answers(own, known, (), "")
    with serve_provider(demo_teacher.demo_reply(own, known, load_prompt_texts(), answers)) as server:
        provider = ("--set", f'teacher.scripted.base_url="{server.address}"')
        document("generate", "demo", *SMALL, *provider)
        batched = ("--set", 'name="batched"', "--set", "runtime.batch=true")
        document("generate", "demo", *SMALL, *provider, *batched)
    one, two = (Path(f"runs/{name}/generate/examples.jsonl").read_bytes() for name in ("demo", "batched"))
    assert one == two
    listed = document("batches", "batched")
    assert {batch["state"] for batch in listed} == {"completed"}
    assert document("batches", "demo") == []
    assert run_command(["batches", "batched", "--cancel", "nothing"]) == 1
    assert run_command(["batches", "nothing"]) == 1
