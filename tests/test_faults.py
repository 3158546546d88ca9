"""`alif generate` as a process of its own against a fake provider, with everything that can go wrong.

In every case the rows equal those of an undisturbed run to the byte, and ledger, rows and the server's own
records agree to the token.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from alif import store
from alif.data.demo import demo_teacher
from alif.data.prompt_texts import load_prompt_texts
from alif.language import pack
from alif.llm.chat_model import ReplyFunction, ScriptedReply
from alif.llm.ledger import Account, Ledger
from alif.records import Message
from tests.fake_provider import FakeProvider, InjectedFaults, ServedRequest, serve_provider

PRICE = 10.0
"""Dollars a million tokens, in and out: so cost and tokens are one number."""
OTHER_REPLIES = {"huge": 0.05, "nul": 0.1, "surrogate": 0.1, "misnamed": 0.1}
DATA = ("examples.jsonl", "dropped.jsonl", "requests.jsonl")


@pytest.fixture(scope="module")
def teacher() -> ReplyFunction:
    """What the provider's model answers: the demo's texts."""
    own, known = pack.load_pack("ur"), pack.load_pack("en")
    return demo_teacher.demo_reply(
        own, known, load_prompt_texts(), demo_teacher.load_demo_answers(own, known, (), "")
    )


@dataclass
class Place:
    """A folder to run alif in, and a provider on loopback."""

    folder: Path
    server: FakeProvider
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def recipe(self, name: str) -> str:
        """Write a recipe of one teacher at the server, and return its path."""
        prices = {"usd_per_million_in": PRICE, "usd_per_million_out": PRICE}
        gpt = {"model": "parrot", "base_url": self.server.address, "max_tokens": 2048, **prices}
        values = {
            "extends": "demo",
            "name": name,
            "teacher": {"scripted": False, "gpt": gpt | self.tables.get("teacher", {})},
            "generate": {
                "target_rows": 70,
                "rows_per_request": 2,
                "requests_per_round": 8,
                **self.tables.get("generate", {}),
            },
            "runtime": {"max_cost_usd": 1e4, "timeout_s": 30.0, **self.tables.get("runtime", {})},
        }
        path = self.folder / f"{name}.toml"
        path.write_text(tomli_w.dumps(values), encoding="utf-8")
        return str(path)

    def start(self, name: str, *before: str) -> subprocess.Popen[str]:
        command = [*before, sys.executable, "-m", "alif", "generate", self.recipe(name)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=None if os.name == "nt" else hear_signals,  # noqa: PLW1509 (it takes no lock)
        )

    def generate(
        self, name: str, step: str = "generate", **limits: Callable[[], None]
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "alif", step, self.recipe(name)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **limits)

    def rows(self, name: str) -> dict[str, bytes]:
        return {file: (self.folder / "runs" / name / "generate" / file).read_bytes() for file in DATA}

    def ledger(self, name: str) -> Path:
        return self.folder / "runs" / name / "ledger.sqlite"


@pytest.fixture
def place(teacher: ReplyFunction, tmp_path: Path) -> Iterator[Place]:
    with serve_provider(teacher) as server:
        yield Place(tmp_path, server)


def refused_as(done: subprocess.CompletedProcess[str], *sentences: str, code: int = 1) -> None:
    """A fault that a person can mend is a sentence, never a traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for sentence in sentences:
        assert sentence in done.stderr


def finished(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def stored(path: Path) -> dict[str, tuple[int, int]]:
    """Return (tokens in, tokens out) of every stored reply by the server's id; no request has two."""
    if not path.is_file():
        return {}
    ledger = Ledger(path)
    found = list(ledger.db.execute("SELECT request, raw, tokens_in, tokens_out FROM replies"))
    ledger.close()
    assert len({request for request, *_ in found}) == len(found), "no request has two replies"
    return {
        json.loads(raw)["id"].removeprefix("chatcmpl-"): (tokens_in, tokens_out)
        for _, raw, tokens_in, tokens_out in found
    }


def account(path: Path, run: str) -> Account:
    ledger = Ledger(path)
    try:
        return ledger.account(run)
    finally:
        ledger.close()


def check_books(place: Place, name: str, served: Sequence[ServedRequest]) -> Account:
    """Compare ledger, rows and the server's own records; return the run's account."""
    replies = {record.id: (record.tokens_in, record.tokens_out) for record in served if not record.fault}
    books = account(place.ledger(name), name)
    assert stored(place.ledger(name)) == replies, "every reply is stored once, to the token"
    assert books.replies == books.requests == len(replies)
    assert books.attempts >= len(served), "nothing is sent that was not written before"
    settled_usd = sum(sum(tokens) for tokens in replies.values()) * PRICE / 1e6
    assert books.usd - books.unsettled_usd == pytest.approx(settled_usd)
    assert sum(record.tokens_in + record.tokens_out for record in served) * PRICE / 1e6 <= books.usd + 1e-9

    folder = place.folder / "runs" / name / "generate"
    counts = json.loads((folder / "step.json").read_text(encoding="utf-8"))["counts"]
    rows, dropped, requests = ([row for _, row in store.read_rows(folder / file)] for file in DATA)
    assert (len(rows), len(dropped)) == (counts["kept"], sum(counts["dropped"].values()))
    assert counts["rows_in"] == len(rows) + len(dropped), "nothing is lost"
    assert len({row["id"] for row in rows}) == len(rows), "nothing is doubled"
    assert len({row["request"] for row in requests}) == len(requests) == books.requests
    assert {row["origin"]["request"] for row in rows} <= {row["request"] for row in requests}
    whole = counts["facts"]["funnel"]["whole"]
    assert (whole["tokens_in"], whole["tokens_out"]) == (books.tokens_in, books.tokens_out)
    return books


def hear_signals() -> None:
    """Undo what tests in the background of a shell, or under nohup, inherit: signals that are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def kill(process: subprocess.Popen[str], server: FakeProvider, moments: random.Random) -> bool:
    """Kill a process at a random moment: while it starts, or at or after one of its first requests."""
    wanted = len(server.served) + moments.randint(-1, 3)
    deadline = time.monotonic() + (moments.uniform(0.0, 1.5) if wanted < len(server.served) else 60.0)
    while len(server.served) <= wanted and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(moments.uniform(0.0, 0.08))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("kills", "accepted", "seed"),
    [(5, 70, 1), pytest.param(50, 350, 2, marks=pytest.mark.slow)],
    ids=["five", "fifty"],
)
def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(
    place: Place, kills: int, accepted: int, seed: int
) -> None:
    place.tables["generate"] = {"target_rows": accepted, "rows_per_request": 1}
    finished(place.generate("calm"))
    calm = check_books(place, "calm", place.server.served)
    place.server.chaos = InjectedFaults(slow=1.0, slow_s=0.02)
    names, moments = (f"killed-{number}" for number in itertools.count(1)), random.Random(seed)
    name, before, hit = next(names), len(place.server.served), 0

    def check() -> None:
        finished(place.generate(name))
        assert place.rows(name) == place.rows("calm")
        books = check_books(place, name, place.server.served[before:])
        assert (books.tokens_in, books.tokens_out) == (calm.tokens_in, calm.tokens_out)
        already = len(place.server.served)
        finished(place.generate(name))
        assert len(place.server.served) == already, "a finished run asks nobody"

    while hit < kills:
        known, already = stored(place.ledger(name)), len(place.server.served)
        struck = kill(place.start(name), place.server, moments)
        time.sleep(0.05)  # what was in flight is still being answered
        assert not known.keys() & {record.id for record in place.server.served[already:]}, (
            "a stored reply is never asked for"
        )
        hit += struck
        if not struck:  # a fast machine ends a run before all kills: the next one begins
            check()
            name, before = next(names), len(place.server.served)
    check()


EVERY_FAULT = InjectedFaults(
    crowded=0.06, crowded_until=0.06, error=0.06, hung=0.03, broken=0.06, closed=0.06, empty=0.06,
    choiceless=0.06,
    retry_after_s=0.5, attempts=2, **OTHER_REPLIES,
)  # fmt: skip


@pytest.mark.slow
def test_every_fault_of_a_provider_changes_no_row(place: Place) -> None:
    """Errors, hangs, cut connections, half a JSON, empty or huge replies, wrong model, NUL."""
    place.server.chaos = InjectedFaults(**OTHER_REPLIES)
    finished(place.generate("calm"))
    calm, before = check_books(place, "calm", place.server.served), len(place.server.served)
    place.server.chaos = EVERY_FAULT
    place.tables["runtime"] = {"timeout_s": 3.0}  # what hangs is waited for so long
    finished(place.generate("troubled"))
    assert place.rows("troubled") == place.rows("calm")
    books = check_books(place, "troubled", place.server.served[before:])
    assert (books.tokens_in, books.tokens_out) == (calm.tokens_in, calm.tokens_out)
    met = Counter(record.fault for record in place.server.served[before:])
    assert met.keys() == {
        "",
        "crowded",
        "crowded_until",
        "error",
        "hung",
        "broken",
        "closed",
        "empty",
        "choiceless",
    }
    assert books.unsettled_usd > 0.0, "what was lost on the way counts at its upper bound"
    rows = place.rows("troubled")["examples.jsonl"].decode()
    assert "\\u0000" not in rows
    assert "\\ud83d" not in rows
    assert '"model": "parrot-of-another-name"' in rows, "a row says which model the provider named"


@dataclass
class Outage:
    """A provider with an outage: it answers each status for some seconds, then the requests."""

    answers: ReplyFunction
    statuses: Sequence[int]
    seconds: float
    began: float = 0.0

    def __call__(self, messages: Sequence[Message], draw: int) -> ScriptedReply:
        self.began = self.began or time.monotonic()
        place = int((time.monotonic() - self.began) / self.seconds)
        if place < len(self.statuses):
            return ScriptedReply(text="not now", status=self.statuses[place], code="trouble")
        return self.answers(messages, draw)


@pytest.mark.parametrize("seconds", [2.5, 60.0])
@pytest.mark.slow
def test_a_provider_that_refuses_for_a_while_is_waited_for_and_paid_nothing(
    place: Place, seconds: float
) -> None:
    finished(place.generate("calm"))
    before = len(place.server.served)
    place.server.script = Outage(place.server.script, (429, 500), seconds)
    finished(place.generate("troubled"))
    assert place.rows("troubled") == place.rows("calm")
    served = place.server.served[before:]
    assert check_books(place, "troubled", served).unsettled_usd == 0.0
    refused = Counter(record.fault for record in served)
    assert refused["429"] >= 8
    assert refused["500"] >= 1
    assert len(served) - refused[""] < 100 + 4 * seconds, (
        "the waits grow, so that a provider in trouble is not stormed"
    )


@pytest.mark.parametrize(
    ("status", "code", "sentences"),
    [
        (
            401,
            "invalid_api_key",
            ("refuses the key from TEST_KEY", "Check the environment variable TEST_KEY"),
        ),
        pytest.param(
            404,
            "model_not_found",
            ("knows no model parrot", "Check teacher.gpt.model"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            402, "no_balance", ("balance or quota", "continues where it stopped"), marks=pytest.mark.slow
        ),
    ],
)
def test_a_refusal_for_good_is_a_sentence_and_the_run_goes_on_when_it_is_mended(
    place: Place, monkeypatch: pytest.MonkeyPatch, status: int, code: str, sentences: tuple[str, ...]
) -> None:
    """After a few replies the provider refuses: the key is revoked, the model gone, the balance used up."""
    monkeypatch.setenv("TEST_KEY", "sk-secret-key")
    place.tables = {"teacher": {"api_key_env": "TEST_KEY"}, "generate": {"target_rows": 28}}
    answers, asked = place.server.script, itertools.count()

    def some(messages: Sequence[Message], draw: int) -> ScriptedReply:
        known = next(asked) < 6
        return (
            answers(messages, draw)
            if known
            else ScriptedReply(text="no, sk-secret-key", status=status, code=code)
        )

    place.server.script = some
    done = place.generate("refused")
    refused_as(done, *sentences)
    assert "sk-secret" not in done.stdout + done.stderr
    assert 0 < len(stored(place.ledger("refused"))) <= 6, (
        "what was answered before is kept, what was in flight may be lost"
    )
    place.server.script = answers
    finished(place.generate("refused"))
    assert check_books(place, "refused", place.server.served).unsettled_usd == 0.0, (
        "what was on its way was waited for"
    )
    for file in (place.folder / "runs").rglob("*"):
        assert file.is_dir() or b"sk-secret" not in file.read_bytes()


def test_what_is_unknown_is_said_before_anything_is_sent(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXAMPLE_KEY", raising=False)
    monkeypatch.setenv("ALIF_KEY_HOSTS", "EXAMPLE_KEY@api.example.invalid")
    place.tables["teacher"] = {"base_url": "https://api.example.invalid/v1", "api_key_env": "EXAMPLE_KEY"}
    refused_as(place.generate("keyless"), "needs a key", "EXAMPLE_KEY is not set")
    monkeypatch.setenv("EXAMPLE_KEY", "sk-secret-key")
    for name, side in (("unpriced-out", "out"),):
        path = Path(place.recipe(name))
        path.write_text(
            "".join(
                line for line in path.read_text().splitlines(True) if f"usd_per_million_{side}" not in line
            )
        )
        done = subprocess.run(
            [sys.executable, "-m", "alif", "generate", str(path)],
            cwd=place.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        refused_as(
            done, f"teacher.gpt.usd_per_million_{side}: the price of parrot at api.example.invalid is unknown"
        )
        assert not place.ledger(name).exists()


@pytest.mark.slow
@pytest.mark.parametrize("address", ["http://127.0.0.1:9/v1", "https://api.example.invalid/v1"])
def test_without_a_network_the_run_stops_with_a_sentence_and_goes_on_later(
    place: Place, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("EXAMPLE_KEY", "sk-secret-key")
    monkeypatch.setenv("ALIF_KEY_HOSTS", "EXAMPLE_KEY@api.example.invalid")
    place.tables["teacher"] = {"base_url": address, "api_key_env": "EXAMPLE_KEY"}
    done = place.generate("offline")
    refused_as(done, "cannot reach", "Check the network", "continues where it stopped")
    assert account(place.ledger("offline"), "offline").usd == 0.0


def test_a_second_process_on_the_same_run_is_refused_and_disturbs_nothing(place: Place) -> None:
    finished(place.generate("calm"))
    before = len(place.server.served)
    place.tables["runtime"] = {"timeout_s": 120.0}
    answers, asked, opened = place.server.script, threading.Event(), threading.Event()

    def gate(messages: Sequence[Message], draw: int) -> ScriptedReply:
        asked.set()
        opened.wait(120)
        return answers(messages, draw)

    place.server.script = gate
    first = place.start("busy")
    assert asked.wait(60)
    for command in (["generate", "busy.toml"], ["ping", "busy"], ["settle", "busy"]):
        second = subprocess.run(
            [sys.executable, "-m", "alif", *command],
            cwd=place.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        refused_as(second, f"process {first.pid} is working on this run")
    opened.set()
    _, said = first.communicate(timeout=120)
    assert first.returncode == 0, said
    assert place.rows("busy") == place.rows("calm")
    assert (
        len(place.server.served[before:]) == check_books(place, "busy", place.server.served[before:]).replies
    )


def test_a_file_that_may_not_grow_is_a_sentence_and_nothing_is_lost(place: Place) -> None:
    """A limit of the file size instead of a full disk: first the ledger does not fit, then the rows."""
    finished(place.generate("calm"))
    finished(place.generate("full", "seeds"))  # whose file is larger than the ledger
    before, known = len(place.server.served), set[str]()
    for limit in (40_000, 600_000):
        lowered = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        done = place.generate("full", preexec_fn=lowered)
        refused_as(done, "ulimit -f", "continues where it stopped")
        assert known <= (known := stored(place.ledger("full")).keys()), "what is stored stays"
    assert known
    finished(place.generate("full"))
    assert place.rows("full") == place.rows("calm")
    check_books(place, "full", place.server.served[before:])


FILLED = """
mount -t tmpfs -o size=100k none "$1" || exit 77
cd "$1"
for size in 100k 200k 400k 800k 1600k 3200k 64m; do
  mount -o remount,size=$size .
  "$2" -m alif generate "$3" >/dev/null 2>"$4/$size.err"
  echo $? >"$4/$size.code"
  cp -r runs "$4/$size"
done
"""


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_and_nothing_is_lost(place: Place) -> None:
    """On a real disk that is full, then grows: the run stops with a message, then resumes."""
    finished(place.generate("calm"))
    before = len(place.server.served)
    kept, disk = place.folder / "kept", place.folder / "disk"
    for folder in (kept, disk):
        folder.mkdir()
    if not shutil.which("unshare"):
        pytest.skip("no unshare here: a disk of its own needs it")
    command = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        FILLED,
        "sh",
        str(disk),
        sys.executable,
        place.recipe("full"),
        str(kept),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode in (1, 77):
        pytest.skip(f"no disk of its own here: {done.stderr}")
    known, stopped, books = set[str](), Counter[str](), place.ledger("full")
    for size in ("100k", "200k", "400k", "800k", "1600k", "3200k", "64m"):
        said = (kept / f"{size}.err").read_text(encoding="utf-8")
        assert "Traceback" not in said, said
        if (kept / f"{size}.code").read_text().strip() != "0":
            assert "the disk is full" in said
            stopped["ledger" if "ledger.sqlite" in said else "elsewhere"] += 1
        assert known <= (known := stored(kept / size / "full" / "ledger.sqlite").keys()), (
            "what is stored stays"
        )
    assert stopped["ledger"] >= 2
    assert stopped["elsewhere"] >= 1
    shutil.copytree(kept / "64m" / "full", books.parent)
    assert place.rows("full") == place.rows("calm")
    check_books(place, "full", place.server.served[before:])
