"""The commands about money, as people type them: nothing is sent unasked, prices are told first, nothing is paid twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.cli import _main
from alif.language.replies import item_format
from alif.llm.batch.batch_store import BatchStore
from alif.llm.chat_model import ScriptedReply
from alif.llm.demo_server import serve_scripted
from alif.llm.ledger import Ledger, LedgerRequest

SMALL = [
    "--set",
    "generate.target_rows=35",
    "--set",
    "generate.requests_per_round=7",
    "--set",
    "translate.rows=4",
]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_request(draw: int) -> LedgerRequest:
    return LedgerRequest.of("gpt", "https://x.org", "m", [], {}, draw=draw)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Return a function that runs a command with --json and gives its document."""

    def run(*arguments: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert _main([*arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


def test_check_sends_nothing_unless_told(said: Callable[..., Any]) -> None:
    said("check", "demo")
    assert not Path("runs").exists()


def test_live_and_rehearsal_answer_in_one_document_and_the_run_finds_the_replies(
    said: Callable[..., Any],
) -> None:
    found = said("check", "demo", "--live", "--rehearse", "6", *SMALL)
    assert found["live"][0]["answered_by"] == "scripted"
    assert found["rehearsal"]["requests"] == 6
    assert found["rehearsal"]["generate"]["requests"]["low"] > 0
    assert said("check", "demo", "--rehearse", "6", *SMALL)["rehearsal"]["stored"] == 6
    said("generate", "demo", *SMALL)
    asked = Path("runs/demo/generate/requests.jsonl").read_text().count("\n")
    ledger = Ledger(Path("runs/demo/ledger.sqlite"))
    assert ledger.account("demo", "generate").attempts == asked
    ledger.close()


def test_a_teacher_that_does_not_answer_is_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(messages: object, draw: int) -> ScriptedReply:
        return ScriptedReply(text="no such model", status=404, code="model_not_found")

    with serve_scripted(refuse) as server:
        sets = ["--set", f'teacher.gpt.base_url="{server.address}"', "--set", 'teacher.gpt.model="gpt-9"']
        assert _main(["check", "demo", "--live", *sets, "--set", "teacher.gpt.usd_per_million_out=3.5"]) == 1
    said = capsys.readouterr()
    assert "knows no model gpt-9 (no such model)" in said.out
    assert "1 of 2 teachers did not answer: gpt" in said.err
    assert said.err.index("$3.50 out a million tokens; this check costs at most") < said.err.index(
        "did not answer"
    )


def test_an_address_without_its_path_is_named_and_not_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    with serve_scripted(lambda messages, draw: ScriptedReply(text="yes")) as server:
        root = server.address.removesuffix("/v1")
        sets = [
            "--set",
            "teacher.scripted=false",
            "--set",
            f'teacher.gpt={{model="gpt-9", address="{root}"}}',
        ]
        assert _main(["check", "demo", "--live", *sets]) == 1
    said = capsys.readouterr().out
    assert f"there is nothing at {root}/chat/completions, or no model gpt-9" in said
    assert "Check teacher.gpt.base_url, most end in /v1" in said


def test_stored_replies_are_read_again_and_later_steps_say_so(
    said: Callable[..., Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _main(["generate", "demo", "--reparse"]) == 1
    assert "generate is not done yet" in capsys.readouterr().err
    said("filter", "demo", *SMALL)
    assert _main(["generate", "demo", "--reparse"]) == 0
    assert "The same rows as before." in capsys.readouterr().err
    said("filter", "demo")
    read = item_format.read_items
    monkeypatch.setattr(item_format, "read", lambda *asked: read(*asked)[1:])
    assert _main(["generate", "demo", "--reparse"]) == 0
    assert "Rows have changed" in capsys.readouterr().err
    assert _main(["filter", "demo"]) == 1
    assert "filter was built with another generate" in capsys.readouterr().err
    assert sorted(path.name for path in Path("runs/demo/runtime/generate").glob("before-*")) == [
        "before-1",
        "before-2",
    ]


def test_what_is_read_again_is_in_the_mirror_too(
    said: Callable[..., Any], empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ["--set", f'runtime.backup="{empty_folder}/mirror"']
    said("generate", "demo", *SMALL, *there)
    here, copy = Path("runs/demo/generate"), Path("mirror/demo/generate")
    before = store.sha256_tree(copy)
    read = item_format.read_items
    monkeypatch.setattr(item_format, "read", lambda *asked: read(*asked)[1:])
    said("generate", "demo", "--reparse")
    assert store.sha256_tree(here) == store.sha256_tree(copy) != before


def test_money_without_a_reply_is_shown_and_released(
    said: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    said("seeds", "demo")
    nothing = {"requests": 0, "usd": 0.0, "batches": []}
    assert said("status", "demo")["money"] == {
        "spent_usd": 0.0,
        "cap_usd": 1.0,
        "steps": {},
        "unsettled": nothing,
    }
    with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
        ledger.sending(a_request(0), "demo", "generate", 2.5)
    assert said("status", "demo")["money"]["unsettled"] == {"requests": 1, "usd": 2.5, "batches": []}
    assert _main(["status", "demo"]) == 0
    told = capsys.readouterr().out.replace("\n", " ")
    assert "$0 spent of $1.00" in told
    assert "$2.50 more at most for 1 request that got no reply" in told
    assert said("release", "demo") == {"requests": 1, "usd": 2.5}
    assert said("status", "demo")["money"]["unsettled"] == nothing


def test_money_of_a_batch_under_way_is_told_with_the_batch_and_not_as_something_to_release(
    said: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    said("seeds", "demo")
    with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
        book = BatchStore(ledger)
        batch = book.write(
            [(a_request(draw), 1.5) for draw in range(2)], "demo", "generate", "gpt", "https://x.org"
        )
        book.opened(batch, "batch_7")
    under_way = [{"id": "batch_7", "requests": 2, "usd": 3.0}]
    assert said("status", "demo")["money"]["unsettled"] == {"requests": 2, "usd": 3.0, "batches": under_way}
    assert _main(["status", "demo"]) == 0
    told = capsys.readouterr().out.replace("\n", " ")
    assert (
        "$3.00 more at most for 2 requests in the batch batch_7, which is under way: alif batches demo"
        in told
    )
    assert "release" not in told


def test_it_is_said_where_a_shared_ledger_lies_and_that_it_is_new(
    said: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = ["--set", 'runtime.ledger="shared.sqlite"']
    new = f"runtime.ledger: {tmp_path / 'shared.sqlite'} is new"

    def told(*arguments: str) -> str:
        assert _main([*arguments, *shared]) == 0
        found = capsys.readouterr()
        return f"{found.out}{found.err}".replace("\n", " ")

    assert new in told("check", "demo")
    assert new in told("generate", "demo", *SMALL)
    assert "is new" not in told("check", "demo") + told("generate", "demo", *SMALL, "--set", 'name="sibling"')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert f"runtime.ledger: {elsewhere / 'shared.sqlite'} is new" in told("generate", "demo", *SMALL)


def test_a_run_that_the_cap_stopped_says_so_and_what_is_spent(
    said: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    prices = [
        "--set",
        "teacher.scripted.usd_per_million_in=10.0",
        "--set",
        "teacher.scripted.usd_per_million_out=10.0",
    ]
    cap = [*SMALL, *prices, "--set", "runtime.max_cost_usd=0.1"]
    assert _main(["check", "demo", "--live", *cap]) == 0
    assert "spent of $0.10, runtime.max_cost_usd" in capsys.readouterr().out
    assert _main(["generate", "demo", *cap]) == 4
    found = said("status", "demo")
    step = next(step for step in found["steps"] if step["name"] == "generate")
    assert step["state"] == "cap reached"
    assert "of $0.10" in step["message"]
    with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
        whole, check, asked = (ledger.account("demo", name).usd for name in (None, "check", "generate"))
    assert found["money"]["spent_usd"] == pytest.approx(whole)
    assert found["money"]["cap_usd"] == 0.1
    assert found["money"]["steps"] == {"check": check, "generate": asked}
    assert 0 < step["cost_usd"] == asked
    assert said("ls")["runs"] == [{"name": "demo", "state": "cap reached at generate"}]


def test_a_task_that_ended_short_of_its_target_is_in_the_status(
    said: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_scripted(lambda messages, draw: ScriptedReply(text="No.")) as server:
        said(
            "generate",
            "demo",
            "--set",
            f'teacher.scripted.base_url="{server.address}"',
            "--set",
            "generate.target_rows=35",
        )
    step = next(step for step in said("status", "demo")["steps"] if step["name"] == "generate")
    assert (step["kept"], step["target"]) == (0, 35)
    assert "qa" in step["saturated"]
    assert _main(["status", "demo"]) == 0
    assert "0 of 35 rows, saturated: " in capsys.readouterr().out


def test_a_run_in_batches_gives_the_rows_of_a_live_one_and_its_batches_are_listed(
    said: Callable[..., Any],
) -> None:
    said("generate", "demo", *SMALL)
    said("generate", "demo", *SMALL, "--set", 'name="batched"', "--set", "runtime.batch=true")
    one, two = (Path(f"runs/{name}/generate/examples.jsonl").read_bytes() for name in ("demo", "batched"))
    assert one == two
    listed = said("batches", "batched")
    assert {batch["state"] for batch in listed} == {"completed"}
    assert said("batches", "demo") == []
    assert _main(["batches", "batched", "--cancel", "nothing"]) == 1
    assert _main(["batches", "nothing"]) == 1
