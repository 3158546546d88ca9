from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from alif.errors import ReplyError
from alif.llm.chat_model import ScriptedReply, gather_or_cancel
from alif.llm.client import EndpointClient
from alif.llm.ledger import Ledger
from alif.llm.session import open_session
from alif.records import Message
from tests.fake_provider import FakeProvider, InjectedFaults, serve_provider
from tests.llm.conftest import FAST, ask, echo, scripted
from tests.llm.test_session import Build, at, faulty_session, replies


def test_a_reply_that_does_not_say_its_tokens_costs_its_upper_bound(
    context: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_provider(echo) as server:
        handler = server.RequestHandlerClass
        answer = handler._answer  # type: ignore[attr-defined]  # the server's own handler
        silent = lambda self, content, fault: answer(self, content | {"usage": None}, fault)  # noqa: E731
        monkeypatch.setattr(handler, "_answer", silent)
        (reply,) = replies(
            context(),
            at(server.address, usd_per_million_in=0.0, usd_per_million_out=1000.0, max_tokens=10),
            ["q"],
        )
    assert reply.text == "q #0"
    assert reply.cost_usd == pytest.approx(0.01)


def test_a_provider_that_bears_four_at_a_time_is_not_stormed(context: Build) -> None:
    """The client cuts what it has in flight: without that, nearly all of 24 places would be refused again and
    again."""
    lock, flying, ends = threading.Lock(), 0, list[bool]()

    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        nonlocal flying
        with lock:
            flying += 1
            borne = flying <= 4
            ends.append(borne)
        time.sleep(0.02)
        with lock:
            flying -= 1
        return echo(messages, draw) if borne else ScriptedReply(text="too many", status=429)

    replies(context(max_concurrency=24), scripted(), [str(number) for number in range(200)], script)
    later = ends[len(ends) // 2 :]
    assert sum(ends) == 200
    assert later.count(False) < 0.3 * len(later), f"{later.count(False)} of {len(later)} were refused"


def test_when_refusals_are_the_rule_what_they_ask_to_wait_holds_for_all(context: Build) -> None:
    """Every first try is refused for 0.4 s. The last request comes in that time: it is first sent after it,
    not at once."""

    async def scene() -> float:
        chaos = InjectedFaults(crowded_until=1.0, retry_after_s=0.4, attempts=1)
        async with faulty_session(
            context(max_concurrency=8), {"gpt": scripted()}, echo, chaos=chaos, retry_policy=FAST
        ) as models:
            began = time.monotonic()
            first = [asyncio.ensure_future(models["gpt"].reply(ask(name))) for name in "abc"]
            await asyncio.sleep(0.15)
            await asyncio.gather(*first, models["gpt"].reply(ask("d")))
            return time.monotonic() - began

    assert asyncio.run(scene()) >= 0.8


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            (401, "invalid_api_key", "Incorrect API key provided: sk-secret-key"),
            "refuses the key from TEST_KEY",
        ),
        ((404, "model_not_found", "no such model, said sk-secret-key"), "knows no model parrot"),
        ((429, "insufficient_quota", "You exceeded your current quota"), "used up"),
        ((400, "bad", "half\nof it"), "status 400 (half of it)"),
    ],
)
def test_a_refusal_for_good_is_a_sentence_at_once_and_costs_nothing(
    context: Build, monkeypatch: pytest.MonkeyPatch, refusal: tuple[int, str, str], said: str
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-secret-key")

    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        status, code, message = refusal
        return ScriptedReply(text=message, status=status, code=code)

    step = context()
    with serve_provider(script) as server:
        teacher = at(server.address, api_key_env="TEST_KEY", usd_per_million_in=1.0, usd_per_million_out=1.0)
        with pytest.raises(ReplyError) as caught:
            replies(step, teacher, ["x"])
    assert len(server.served) == (2 if refusal[0] == 400 else 1), "whether a greeting is refused too"
    assert said in caught.value.message
    assert caught.value.exit_code == 1
    assert "sk-secret" not in str(caught.value)
    for file in step.ledger.parent.rglob("*"):
        assert file.is_dir() or b"sk-secret" not in file.read_bytes()
    ledger = Ledger(step.ledger)
    assert ledger.account("run").usd == 0.0
    ledger.close()


def test_a_blocked_prompt_is_an_answer(context: Build) -> None:
    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        return ScriptedReply(text="The response was filtered", status=400, code="content_filter")

    teacher = scripted(usd_per_million_in=1000.0, usd_per_million_out=1000.0, max_tokens=1000)
    (reply,) = replies(context(), teacher, ["x"], script)
    assert (reply.text, reply.finish) == ("", "content_filter")
    assert 0 < reply.cost_usd < 1.0, "at most the prompt: nothing was written"
    (again,) = replies(context(), teacher, ["x"])
    assert (again.finish, again.stored) == ("content_filter", True), "the same prompt is not sent again"


@pytest.mark.parametrize("status", [400, 403])
def test_one_prompt_that_a_provider_s_filter_refuses_does_not_stop_the_others(
    context: Build, status: int
) -> None:
    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        refused = messages[-1].content == "b"
        return ScriptedReply(text="Content Exists Risk", status=status) if refused else echo(messages, draw)

    found = replies(context(), scripted(), ["a", "b", "c"], script)
    assert [(reply.text, reply.finish) for reply in found] == [
        ("a #0", "stop"),
        ("", "content_filter"),
        ("c #0", "stop"),
    ]


def test_an_error_within_a_success_means_what_it_says(
    context: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenRouter sends an error that comes late with status 200:
    https://openrouter.ai/docs/api/reference/errors."""
    said: list[dict[str, object]] = [{"error": {"code": 429, "message": "Rate limited upstream"}}]
    teacher = {"usd_per_million_in": 0.0, "usd_per_million_out": 1000.0, "max_tokens": 10}
    with serve_provider(echo) as server:
        handler = server.RequestHandlerClass
        answer = handler._answer  # type: ignore[attr-defined]  # the server's own handler
        spoiled = lambda self, content, fault: answer(self, said.pop() if said else content, fault)  # noqa: E731
        monkeypatch.setattr(handler, "_answer", spoiled)
        (reply,) = replies(context(), at(server.address, **teacher), ["q"])
        said += [{"error": {"code": 402, "message": "Insufficient credits"}}]
        with pytest.raises(ReplyError, match="is used up"):
            replies(context(), at(server.address, **teacher), ["another"])
    ledger = Ledger(context().ledger)
    assert reply.text == "q #0"
    assert ledger.account().usd == pytest.approx(reply.cost_usd), "what was refused counts for nothing"
    ledger.close()


@pytest.mark.parametrize(("body", "usd"), [("<html>Sign in</html>", 0.001), ("", 0.011)])
def test_what_is_no_reply_is_told_and_only_what_the_provider_sent_may_be_billed(
    context: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: str, usd: float
) -> None:
    bodies = [body]
    with serve_provider(lambda messages, draw: ScriptedReply(text="q")) as server:
        handler = server.RequestHandlerClass
        answer = handler._answer  # type: ignore[attr-defined]  # the server's own handler
        page = lambda self, content, fault: (  # noqa: E731
            self._send_bytes(200, bodies.pop().encode()) if bodies else answer(self, content, fault)
        )
        monkeypatch.setattr(handler, "_answer", page)
        replies(
            context(),
            at(server.address, usd_per_million_in=0.0, usd_per_million_out=1000.0, max_tokens=10),
            ["q"],
        )
    ledger = Ledger(context().ledger)
    assert ledger.account().usd == pytest.approx(usd)
    ledger.close()
    said = " ".join(capsys.readouterr().err.split())
    assert ("answers with a web page" if body else "answers with an empty body") in said
    assert ("that is not billed" if body else "each attempt counts") in said


def test_a_closed_port_is_a_sentence(context: Build) -> None:
    with serve_provider(echo) as server:
        address = server.address
    with pytest.raises(ReplyError, match=r"cannot reach 127\.0\.0\.1:\d+ \(tried for") as caught:
        replies(context(), at(address), ["x"])
    assert "continues where it stopped" in caught.value.hint


def test_the_waits_between_two_tries_grow(context: Build) -> None:
    async def scene() -> float:
        patience = replace(FAST, first_wait_s=0.05, longest_wait_s=10.0)
        async with faulty_session(
            context(),
            {"gpt": scripted()},
            echo,
            chaos=InjectedFaults(error=1.0, attempts=4),
            retry_policy=patience,
        ) as models:
            began = time.monotonic()
            await models["gpt"].reply(ask("x"))
            return time.monotonic() - began

    assert asyncio.run(scene()) >= 0.05 * (1 + 2 + 4 + 8) / 2, "each is at least half of twice the one before"


def test_a_provider_that_never_mends_is_a_sentence(context: Build) -> None:
    async def scene() -> None:
        patience = replace(FAST, give_up_s=0.1)
        chaos = InjectedFaults(error=1.0, attempts=10**9)
        async with faulty_session(
            context(), {"gpt": scripted()}, echo, chaos=chaos, retry_policy=patience
        ) as models:
            await models["gpt"].reply(ask("x"))

    with pytest.raises(
        ReplyError, match=r"not answered a request for .* \(last: 500: the server had an error\)"
    ):
        asyncio.run(scene())


def test_timeouts_cut_what_is_in_flight_once_a_burst(context: Build) -> None:
    """A server that answers one after the other keeps the rest waiting until they time out: it is sent
    fewer."""

    async def scene() -> int:
        chaos = InjectedFaults(hung=1.0, attempts=1)
        async with faulty_session(
            context(max_concurrency=8, timeout_s=0.5),
            {"gpt": scripted()},
            echo,
            chaos=chaos,
            retry_policy=FAST,
        ) as models:
            await gather_or_cancel(models["gpt"].reply(ask(str(number))) for number in range(8))
            client = models["gpt"]
            assert isinstance(client, EndpointClient)
            limit: int = client.limiter.limit
            return limit

    assert asyncio.run(scene()) == 6


def test_a_request_that_times_out_is_tried_a_few_timeouts_long(context: Build) -> None:
    async def scene(server: FakeProvider) -> None:
        patience = replace(FAST, give_up_s=0.01, timeouts=3)
        async with open_session(
            context(timeout_s=0.3), {"gpt": at(server.address)}, retry_policy=patience
        ) as models:
            await models["gpt"].reply(ask("x"))

    with serve_provider(echo, InjectedFaults(hung=1.0, attempts=10**9)) as server:
        with pytest.raises(ReplyError, match=r"has not answered a request for .* \(last: timeout\)"):
            asyncio.run(scene(server))
        assert len(server.served) == 3


def test_an_outage_is_told_once_and_the_run_goes_on(
    context: Build, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alif.llm.retry.LOGGED_FROM_S", 0.02)
    replies(
        context(),
        scripted(),
        [str(number) for number in range(8)],
        chaos=InjectedFaults(error=1.0, attempts=8),
    )
    said = capsys.readouterr().err
    sentence = r"teacher\.gpt: no reply from \S+ yet \(500\), retrying for 30\.0 s \(the server had .*\)"
    assert re.findall(sentence, said) == [said.strip()]


def test_a_wait_beyond_all_patience_is_a_sentence_at_once(context: Build) -> None:
    async def scene() -> None:
        chaos = InjectedFaults(crowded_until=1.0, retry_after_s=60.0)
        patience = replace(FAST, give_up_s=50.0)
        async with faulty_session(
            context(), {"gpt": scripted()}, echo, chaos=chaos, retry_policy=patience
        ) as models:
            async with asyncio.timeout(20):
                await models["gpt"].reply(ask("x"))

    with pytest.raises(ReplyError, match=r"\(last: 429: too many requests, it asks to wait 1 min\)"):
        asyncio.run(scene())


def test_a_cancelled_request_counts_at_its_upper_bound(context: Build) -> None:
    step = context()

    async def scene() -> None:
        teacher = scripted(usd_per_million_out=1000.0, max_tokens=10)
        async with faulty_session(
            step, {"gpt": teacher}, echo, chaos=InjectedFaults(hung=1.0), retry_policy=FAST
        ) as models:
            call = asyncio.ensure_future(models["gpt"].reply(ask("x")))
            await asyncio.sleep(0.1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert models.cost_usd == pytest.approx(0.01)

    asyncio.run(scene())


def test_a_refusal_for_good_waits_for_what_is_on_its_way(context: Build) -> None:
    """The others' replies are paid for; they are kept. One more may go out where the refusal has made a place
    free."""

    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        refused = messages[-1].content == "q1"  # the first goes out alone: it has a price
        time.sleep(0.05 if refused else 0.2)
        return ScriptedReply(text="no", status=401) if refused else echo(messages, draw)

    step = context(max_concurrency=4)
    with serve_provider(script) as server:
        teacher = at(server.address, usd_per_million_in=10.0, usd_per_million_out=10.0)
        with pytest.raises(ReplyError, match="refuses"):
            replies(step, teacher, [f"q{number}" for number in range(12)])
    ledger = Ledger(step.ledger)
    account = ledger.account("run")
    ledger.close()
    assert 4 <= account.replies == len(server.served) - 1 <= 5
    assert account.unsettled_usd == 0.0
