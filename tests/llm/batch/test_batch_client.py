from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from alif.errors import BudgetError, ReplyError
from alif.llm.batch.batch_client import BatchClient, wait_for_any_batch
from alif.llm.batch.batch_store import BatchStore
from alif.llm.chat_model import ChatRequest, Reply, cancel_tasks
from alif.llm.ledger import Account, Ledger
from alif.llm.session import open_session
from alif.runs import StepContext
from alif.settings import Teacher
from tests.fake_provider import BatchFaults, FakeBatches, FakeProvider, serve_provider
from tests.llm.conftest import FAST, ask, echo
from tests.test_faults import hear_signals

Build = Callable[..., StepContext]
both = pytest.mark.parametrize("protocol", ["openai", "anthropic"])
PRICE = 10.0


def at(server: FakeProvider, protocol: str = "openai", **settings: object) -> Teacher:
    prices = {"usd_per_million_in": PRICE, "usd_per_million_out": PRICE}
    return Teacher.model_validate(
        {"model": "parrot", "base_url": server.address, "protocol": protocol, **prices, **settings}
    )


def replies(context: StepContext, teacher: Teacher, texts: Sequence[str]) -> list[Reply]:
    async def scene() -> list[Reply]:
        async with open_session(context, {"gpt": teacher}, retry_policy=FAST) as models:
            return await models.reply_all([ChatRequest("gpt", ask(text)) for text in texts])

    return asyncio.run(scene())


def account(context: StepContext) -> Account:
    ledger = Ledger(context.ledger)
    found = ledger.account(context.run)
    ledger.close()
    return found


def states(context: StepContext) -> list[tuple[str, int]]:
    ledger = Ledger(context.ledger)
    found = [(batch.state, batch.size) for batch in BatchStore(ledger).batches_of(context.run)]
    ledger.close()
    return found


def left_waiting(context: StepContext, server: FakeProvider, teacher: Teacher, texts: Sequence[str]) -> None:
    """Hand a batch in and stop before it is done, as Ctrl-C does."""

    async def scene() -> None:
        async with open_session(context, {"gpt": teacher}, retry_policy=FAST) as models:
            call = asyncio.ensure_future(models.reply_all([ChatRequest("gpt", ask(text)) for text in texts]))
            while not any(held.looks for held in server.batches.held.values()):
                await asyncio.sleep(0.002)
            await cancel_tasks([call])

    asyncio.run(scene())


def billed_usd(server: FakeProvider) -> float:
    return sum(served.tokens_in + served.tokens_out for served in server.served) * PRICE / 1e6


TEXTS = [f"سوال {number}" for number in range(40)]
WANTED = [f"{text} #0" for text in TEXTS]


@both
def test_a_round_goes_out_as_one_batch_at_half_the_price_and_is_read_in_order(
    context: Build, protocol: str
) -> None:
    step = context(batch=True)
    with serve_provider(echo) as server:
        teacher = at(server, protocol)
        answers = replies(step, teacher, TEXTS)
        again = replies(context(), teacher, TEXTS)
    assert [answer.text for answer in answers] == WANTED
    assert all(answer.stored for answer in again), "live and batch share the ledger"
    assert list(server.batches.held) == ["batch_0" if protocol == "openai" else "msgbatch_0"]
    assert states(step) == [("completed", 40)]
    assert account(step).usd == pytest.approx(billed_usd(server) / 2)
    assert account(step).unsettled_usd == 0.0


@both
def test_what_a_batch_does_not_bring_is_asked_in_the_next_one_and_then_live(
    context: Build, protocol: str
) -> None:
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(errors=0.2, expired=0.3)) as server:
        answers = replies(step, at(server, protocol), TEXTS)
        live = [served for served in server.served if not served.fault]
    assert [answer.text for answer in answers] == WANTED
    assert len(server.batches.held) == 2
    assert len(live) == 40, "nothing that was answered is asked again"
    (_, first), (second_state, second) = states(step)
    assert (first, second_state) == (40, "completed")
    assert 5 < second < 30
    found = account(step)
    assert (found.replies, found.unsettled_usd) == (40, 0.0)
    assert found.attempts >= 40 + second


@both
def test_the_money_cap_holds_for_a_batch(context: Build, protocol: str) -> None:
    with serve_provider(echo) as server:
        teacher = at(server, protocol, usd_per_million_in=0.0, usd_per_million_out=1000.0, max_tokens=10)
        step = context(batch=True, max_cost_usd=0.101)  # twenty requests of 0.005 at most
        with pytest.raises(BudgetError, match="spent"):
            replies(step, teacher, [f"{number}" for number in range(150)])
        assert account(step).usd <= 0.101
        assert len(next(iter(server.batches.held.values())).requests) == 20
        assert len(server.batches.held) > 1, "what settled below its upper bound made room for more"
        replies(context(batch=True, max_cost_usd=1.0), teacher, [f"{number}" for number in range(150)])
    assert len(server.served) == 150


@both
@pytest.mark.parametrize("batch", [True, False])
def test_at_the_cap_a_batch_of_an_earlier_try_is_waited_for_and_makes_room(
    context: Build, protocol: str, batch: bool
) -> None:
    """What is in it counts at its upper bound until it is over; what it did not cost is there for the others
    then."""
    step = context(batch=True, max_cost_usd=0.101)  # twenty requests of 0.005 at most
    with serve_provider(echo, habits=BatchFaults(looks=10**6)) as server:
        teacher = at(server, protocol, usd_per_million_in=0.0, usd_per_million_out=1000.0, max_tokens=10)
        left_waiting(step, server, teacher, TEXTS)
        assert account(step).usd == pytest.approx(0.1), "the cap is full"
        server.batches.habits = BatchFaults(looks=1)
        again = context(batch=batch, max_cost_usd=0.101)
        assert [answer.text for answer in replies(again, teacher, TEXTS[:24])] == WANTED[:24]
    assert len(server.served) == 24
    assert account(step).unsettled_usd == 0.0


def test_a_run_that_waits_for_a_batch_of_another_step_says_so(
    context: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_provider(echo, habits=BatchFaults(looks=10**6)) as server:
        teacher = at(server, usd_per_million_in=0.0, usd_per_million_out=1000.0, max_tokens=10)
        left_waiting(context(batch=True, max_cost_usd=0.021), server, teacher, TEXTS[:4])
        server.batches.habits = BatchFaults(looks=1)
        capsys.readouterr()
        assert (
            replies(context(step="translate", batch=True, max_cost_usd=0.021), teacher, ["another"])[0].text
            == "another #0"
        )
    said = capsys.readouterr().err.replace("\n", " ")
    assert said.count("teacher.gpt: batch batch_0, 4 requests; this may take a day.") == 1


def test_of_two_batches_that_fail_at_once_the_first_is_told_and_no_error_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error that nobody fetches is told by asyncio when it is thrown away."""

    async def fails(why: str) -> None:
        raise ReplyError(why, "")

    async def scene() -> None:
        watches = [asyncio.ensure_future(fails(why)) for why in ("first", "second")]
        await asyncio.wait(watches)
        await wait_for_any_batch([cast("BatchClient", SimpleNamespace(watches=lambda: watches))])

    with pytest.raises(ReplyError, match="first"):
        asyncio.run(scene())
    gc.collect()
    assert "never retrieved" not in caplog.text


@both
def test_at_the_cap_a_run_that_asks_live_says_which_batch_holds_its_money(
    context: Build, protocol: str
) -> None:
    step = context(batch=True, max_cost_usd=0.051)
    with serve_provider(echo, habits=BatchFaults(looks=10**6)) as server:
        teacher = at(server, protocol, usd_per_million_in=0.0, usd_per_million_out=1000.0, max_tokens=10)
        left_waiting(step, server, teacher, TEXTS)
        with pytest.raises(ReplyError, match=r"batch \w+ is under way \(in_progress") as caught:
            replies(context(max_cost_usd=0.051), teacher, ["another"])
    assert "alif batches run --cancel" in caught.value.hint


def test_what_two_batches_do_not_bring_is_asked_live_and_that_is_said_once(
    context: Build, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBatches, "_look", lambda batches, held: batches._end(held, [], "expired"))
    with serve_provider(echo) as server:
        assert [answer.text for answer in replies(context(batch=True), at(server), TEXTS)] == WANTED
    said = capsys.readouterr().err.replace("\n", " ")
    assert said.count("teacher.gpt: what 2 batches have not brought is asked live, at the full price") == 1


def test_a_batch_is_split_where_the_provider_takes_no_more(
    context: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alif.llm.batch.batch_apis.MAX_REQUESTS", 15)
    with serve_provider(echo) as server:
        assert [answer.text for answer in replies(context(batch=True), at(server), TEXTS)] == WANTED
    assert sorted(len(held.requests) for held in server.batches.held.values()) == [10, 15, 15]


def test_a_full_queue_halves_the_batches(context: Build) -> None:
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(refused="token_limit_exceeded")) as server:
        assert [answer.text for answer in replies(step, at(server), TEXTS)] == WANTED
    assert [len(held.requests) for held in server.batches.held.values()] == [40, 20, 20]
    assert states(step)[0] == ("failed", 40)
    assert account(step).unsettled_usd == 0.0


def test_a_batch_that_is_refused_for_good_and_an_address_without_batches_are_sentences(
    context: Build,
) -> None:
    step = context(batch=True)
    with (
        serve_provider(echo, habits=BatchFaults(refused="model_not_found")) as server,
        pytest.raises(ReplyError, match="is refused"),
    ):
        replies(step, at(server), TEXTS)
    assert account(step).usd == 0.0
    other = context("other", batch=True)
    with (
        serve_provider(echo, habits=BatchFaults(closed=True)) as server,
        pytest.raises(ReplyError, match="no batch interface") as caught,
    ):
        replies(other, at(server), TEXTS)
    assert "runtime.batch = false" in caught.value.hint
    assert account(other).usd == 0.0
    assert states(other) == [("refused", 40)]


KILLED = """
import asyncio, sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from alif.llm import Message, ChatRequest
from alif.llm.session import RetryPolicy, open_session
from alif.runs import Run, make_context
from alif.settings import Runtime, Teacher

root, prices = Path(sys.argv[1]), {"usd_per_million_in": 10.0, "usd_per_million_out": 10.0}
context = make_context(Run(root), "generate", Runtime(batch=True, timeout_s=5.0), folder=root)
teacher = Teacher(model="parrot", base_url=sys.argv[2], protocol=sys.argv[3], **prices)
retry_policy = RetryPolicy(first_poll_s=0.02, longest_poll_s=0.02)

async def main():
    async with open_session(context, {"gpt": teacher}, retry_policy=retry_policy) as models:
        messages = [[Message(role="user", content=f"سوال {n}")] for n in range(40)]
        await models.reply_all([ChatRequest("gpt", one) for one in messages])
        print("done", flush=True)

asyncio.run(main())
"""


@both
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_after_a_kill_while_waiting_the_same_batch_goes_on(
    context: Build, protocol: str, how: signal.Signals
) -> None:
    step = context()
    step.ledger.parent.mkdir(parents=True, exist_ok=True)
    with serve_provider(echo, habits=BatchFaults(looks=10**6)) as server:
        command = [sys.executable, "-c", KILLED, str(step.ledger.parent), server.address, protocol]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=None if os.name == "nt" else hear_signals,  # noqa: PLW1509 (it takes no lock)
        )
        while not any(held.looks > 2 for held in list(server.batches.held.values())):
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(how)
        assert process.communicate(timeout=30)[0] == ""
        upper_usd = account(step).unsettled_usd
        assert upper_usd > 0.0
        server.batches.habits = BatchFaults()
        assert [answer.text for answer in replies(context(batch=True), at(server, protocol), TEXTS)] == WANTED
    assert len(server.batches.held) == 1
    assert len(server.served) == 40
    assert account(step).usd == pytest.approx(billed_usd(server) / 2)


@both
def test_a_kill_before_the_id_is_known_makes_no_second_batch(context: Build, protocol: str) -> None:
    step = context()
    step.ledger.parent.mkdir(parents=True, exist_ok=True)
    with serve_provider(echo, habits=BatchFaults(made_s=2.0)) as server:
        command = [sys.executable, "-c", KILLED, str(step.ledger.parent), server.address, protocol]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while not server.batches.held:
            assert process.poll() is None, "the child ended before it handed its batch in"
            time.sleep(0.002)
        process.kill()
        process.communicate(timeout=30)
        assert states(step) == [("written", 40)]
        server.batches.habits = BatchFaults()
        assert [answer.text for answer in replies(context(batch=True), at(server, protocol), TEXTS)] == WANTED
    assert len(server.batches.held) == 1
    assert len(server.served) == 40


def test_a_batch_that_the_provider_does_not_list_counts_at_its_upper_bound_and_is_asked_again(
    context: Build,
) -> None:
    step = context(batch=True)
    with serve_provider(echo) as server:
        teacher = at(server)

        async def written() -> None:
            async with open_session(step, {"gpt": teacher}, retry_policy=FAST) as models:
                client = models["gpt"]
                assert isinstance(client, BatchClient)
                request = client.live.build_request(ask("x"), 0)
                client.store.write_batch([(request, 1.0)], step.run, step.step, "gpt", server.address)

        asyncio.run(written())
        assert replies(step, teacher, ["x"])[0].text == "x #0"
    assert states(step) == [("gone", 1), ("completed", 1)]
    assert account(step).unsettled_usd == pytest.approx(1.0)


@both
def test_a_run_switches_to_live(context: Build, protocol: str) -> None:
    """Whatever is in a batch that goes on is not asked a second time; when it has ended, its results are
    there."""
    with serve_provider(echo, habits=BatchFaults(looks=3)) as server:
        teacher = at(server, protocol)

        async def left_alone() -> None:
            async with open_session(context(batch=True), {"gpt": teacher}, retry_policy=FAST) as models:
                call = asyncio.ensure_future(models["gpt"].reply(ask("x")))
                while not server.batches.held:
                    await asyncio.sleep(0.001)
                call.cancel()

        asyncio.run(left_alone())
        next(iter(server.batches.held.values())).looks = 0
        with pytest.raises(ReplyError, match=r"batch \w+ is under way") as caught:
            replies(context(), teacher, ["x"])
        assert "alif batches run --cancel" in caught.value.hint
        assert replies(context(), teacher, ["y"])[0].text == "y #0", "what is in no batch is asked live"
        with pytest.raises(ReplyError, match=r"in_progress, \d of 1 done"):
            replies(context(), teacher, ["x"])
        assert replies(context(), teacher, ["x"])[0].text == "x #0", "the third look finds it ended"
    assert sorted(served.id for served in server.served) == sorted({served.id for served in server.served})
    assert len(server.batches.held) == 1
