from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from alif.errors import AlifError, BudgetError, RecipeError, ReplyError
from alif.llm.chat_model import Reply, ReplyFunction, ScriptedReply, gather_or_cancel
from alif.llm.ledger import Ledger
from alif.llm.session import EndpointSession, RetryPolicy, open_session
from alif.records import Message
from alif.runs import StepContext
from alif.settings import Teacher
from tests.fake_provider import InjectedFaults, ServedRequest, serve_provider
from tests.llm.conftest import FAST, ask, echo, raw_replies, scripted

Build = Callable[..., StepContext]
EVERY_FAULT = InjectedFaults(
    crowded=0.08,
    crowded_until=0.04,
    error=0.08,
    hung=0.02,
    broken=0.08,
    closed=0.08,
    empty=0.08,
    choiceless=0.08,
    huge=0.05,
    nul=0.1,
    surrogate=0.1,
    slow=0.1,
    slow_s=0.01,
    retry_after_s=0.02,
)


def replies(
    context: StepContext,
    teacher: Teacher,
    texts: Sequence[str],
    script: ReplyFunction | None = echo,
    chaos: InjectedFaults | None = None,
) -> list[Reply]:
    """Ask one teacher everything at the same time."""

    async def scene() -> list[Reply]:
        async with faulty_session(context, {"gpt": teacher}, script, chaos=chaos) as models:
            return await gather_or_cancel(models["gpt"].reply(ask(text)) for text in texts)

    return asyncio.run(scene())


@asynccontextmanager
async def faulty_session(
    context: StepContext,
    teachers: Mapping[str, Teacher],
    script: ReplyFunction | None,
    *,
    chaos: InjectedFaults | None = None,
    retry_policy: RetryPolicy = FAST,
) -> AsyncIterator[EndpointSession]:
    """Open a session; with `chaos`, a fake provider that fails so stands for the offline teacher."""
    with ExitStack() as stack:
        if chaos and script:
            server = stack.enter_context(serve_provider(script, chaos))
            teachers = {
                name: teacher.model_copy(update={"base_url": server.address})
                for name, teacher in teachers.items()
            }
        async with open_session(context, teachers, script, retry_policy=retry_policy) as models:
            yield models


def at(address: str, **settings: object) -> Teacher:
    return Teacher.model_validate({"model": "parrot", "base_url": address, **settings})


def test_every_fault_ends_with_every_request_answered_once_and_stored_once(context: Build) -> None:
    texts = [f"سوال {number}" for number in range(200)]
    step = context(timeout_s=1.5, max_concurrency=32)
    with serve_provider(echo, EVERY_FAULT) as server:
        teacher = at(server.address, usd_per_million_in=10.0, usd_per_million_out=10.0)
        answers = replies(step, teacher, texts)
        sent = len(server.served)
        again = replies(step, teacher, texts)
    met = {served.fault for served in server.served}
    assert met == {"", "crowded", "crowded_until", "error", "hung", "broken", "closed", "empty", "choiceless"}
    assert [answer.text.rstrip().rstrip("\ufffd") for answer in answers] == [f"{text} #0" for text in texts]
    assert sum(answer.text.endswith("\ufffd") for answer in answers) > 10
    assert max(len(answer.text) for answer in answers) > 10**6
    assert len(server.served) == sent, "a stored reply is never asked for again"
    assert [replace_stored(answer) for answer in answers] == again
    check_against(server.served, step)


def replace_stored(reply: Reply) -> Reply:
    return reply.model_copy(update={"stored": True})


def check_against(served: Sequence[ServedRequest], context: StepContext, kind: str = "chatcmpl-") -> None:
    """Compare the server's record with the ledger: the same replies to the token, and never less money than
    was spent."""
    ledger = Ledger(context.ledger)
    stored = [json.loads(raw)["id"] for _, raw in raw_replies(ledger)]
    account = ledger.account(context.run, context.step)
    ledger.close()
    whole = {f"{kind}{record.id}": record for record in served if not record.fault}
    assert sorted(stored) == sorted(whole), "each reply is stored, once"
    assert account.replies == account.requests == len(whole)
    assert account.attempts >= len(served), "nothing is sent that was not written before"
    assert account.tokens_in == sum(record.tokens_in for record in whole.values())
    assert account.tokens_out == sum(record.tokens_out for record in whole.values())
    billed_usd = sum(record.tokens_in + record.tokens_out for record in served) * 10 / 1e6
    assert account.usd - account.unsettled_usd <= billed_usd <= account.usd


KILLED = """
import asyncio, sys
from pathlib import Path
from alif.llm import Message, ChatRequest
from alif.llm.session import EndpointSession, RetryPolicy, open_session
from alif.runs import Run, make_context
from alif.settings import Runtime, Teacher

root, url, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
context = make_context(Run(root), "generate", Runtime(max_concurrency=8, timeout_s=5.0), folder=root)
teacher = Teacher(model="parrot", base_url=url, usd_per_million_in=10.0, usd_per_million_out=10.0)

async def main():
    async with open_session(context, {"gpt": teacher}) as models:
        texts = [f"q {n}" for n in range(count)]
        await models.reply_all([ChatRequest("gpt", [Message(role="user", content=text)]) for text in texts])
        print("done", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("requests", "kills"),
    [
        (150, [20, 70]),
        pytest.param(600, sorted(random.Random(3407).sample(range(5, 590), 50)), marks=pytest.mark.slow),
    ],
)
def test_after_kill_9_nothing_that_has_a_stored_reply_is_sent_again(
    context: Build, requests: int, kills: list[int]
) -> None:
    step = context()
    step.ledger.parent.mkdir(parents=True, exist_ok=True)
    with serve_provider(echo, InjectedFaults(slow=1.0, slow_s=0.02)) as server:
        command = [sys.executable, "-c", KILLED, str(step.ledger.parent), server.address, str(requests)]
        for kill_after in (*kills, None):
            stored = answered(step.ledger)
            already = len(server.served)
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            if kill_after is not None:
                while len(server.served) < kill_after:
                    time.sleep(0.002)
                process.send_signal(signal.SIGKILL)
            assert process.communicate(timeout=60)[0] == ("done\n" if kill_after is None else "")
            time.sleep(0.05)  # what was in flight at the kill is still being answered
            assert not stored & {f"chatcmpl-{record.id}" for record in server.served[already:]}
    assert len(answered(step.ledger)) == requests
    ledger = Ledger(step.ledger)
    account = ledger.account("run")
    ledger.close()
    assert account.replies == requests
    assert len(server.served) <= account.attempts, "nothing is sent that was not written before"
    assert sum(record.tokens_in + record.tokens_out for record in server.served) * 10 / 1e6 <= account.usd


def answered(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    ledger = Ledger(path)
    ids = {json.loads(raw)["id"] for _, raw in raw_replies(ledger)}
    ledger.close()
    return ids


def test_the_same_request_is_sent_once_even_when_asked_at_the_same_time(context: Build) -> None:
    with serve_provider(echo, InjectedFaults(slow=1.0)) as server:
        answers = replies(context(), at(server.address), ["a", "a", "b", "a"])
    assert len(server.served) == 2
    assert sorted(answer.stored for answer in answers) == [False, False, True, True]


def test_sibling_runs_share_a_ledger_and_pay_once(context: Build, tmp_path: Path) -> None:
    shared = str(tmp_path / "shared.sqlite")
    with serve_provider(echo) as server:
        teacher = at(server.address, usd_per_million_out=10.0)
        first = replies(context("one", ledger=shared), teacher, ["a", "b"])
        dearer = teacher.model_copy(update={"usd_per_million_out": 99.0})
        second = replies(context("two", ledger=shared, timeout_s=9.0), dearer, ["a", "b", "c"])
    assert [answer.stored for answer in first + second] == [False, False, True, True, False]
    ledger = Ledger(Path(shared))
    one, two = ledger.account("one"), ledger.account("two")
    ledger.close()
    assert (one.replies, two.replies) == (2, 1)


def test_models_tell_what_the_step_has_paid_and_draws_differ(context: Build) -> None:
    async def scene(step: StepContext) -> tuple[list[Reply], float]:
        teachers = {"a": scripted(usd_per_million_out=1000.0), "b": scripted(temperature=0.5)}
        async with open_session(step, teachers, echo) as models:
            assert list(models) == ["a", "b"]
            calls = [
                models[name].reply(ask("سلام"), draw=draw)
                for name, draw in (("a", 0), ("a", 1), ("b", 0), ("a", 0))
            ]
            answers = [await call for call in calls]
        assert models.paid_usd == pytest.approx(models.cost_usd)
        return answers, models.cost_usd

    answers, cost_usd = asyncio.run(scene(context()))
    assert [(answer.text, answer.stored) for answer in answers] == [
        ("سلام #0", False),
        ("سلام #1", False),
        ("سلام #0", False),
        ("سلام #0", True),
    ]
    assert cost_usd == pytest.approx(sum(answer.tokens_out for answer in answers[:2]) * 1000 / 1e6)
    assert asyncio.run(scene(context()))[1] == cost_usd, "a repeated step has paid what it paid, not more"
    assert asyncio.run(scene(context(step="translate")))[1] == 0.0


def test_the_cap_holds_and_the_run_goes_on_when_it_is_raised(context: Build) -> None:
    teacher = {"usd_per_million_in": 1.0, "usd_per_million_out": 1000.0, "max_tokens": 10}
    texts = [f"q{number}" for number in range(40)]
    with serve_provider(echo) as server:
        with pytest.raises(
            BudgetError, match=r"spent \$0\.0\d+ of \$0\.05; the next request could cost \$0\.01"
        ):
            replies(context(max_cost_usd=0.05), at(server.address, **teacher), texts)
        first = len(server.served)
        paid = sum(record.tokens_in + 1000 * record.tokens_out for record in server.served) / 1e6
        assert 5 <= first < 40
        assert paid <= 0.05
        assert all(
            reply.text for reply in replies(context(max_cost_usd=5.0), at(server.address, **teacher), texts)
        )
    assert len(server.served) == 40


def test_what_was_lost_on_the_way_counts_against_the_cap_until_it_is_released(context: Build) -> None:
    teacher = scripted(usd_per_million_out=1000.0, max_tokens=10)
    with pytest.raises(BudgetError):
        replies(context(max_cost_usd=0.025), teacher, ["q"], chaos=InjectedFaults(broken=1.0))
    ledger = Ledger(context().ledger)
    assert ledger.account("run").unsettled_usd == pytest.approx(0.02)
    with pytest.raises(
        BudgetError
    ):  # another process, and the provider answers again: what was lost still counts
        replies(context(max_cost_usd=0.025), teacher, ["q"])
    assert ledger.release("run") == (2, pytest.approx(0.02))
    assert [reply.text for reply in replies(context(max_cost_usd=0.025), teacher, ["q"])] == ["q #0"]
    ledger.close()


def test_workers_bound_what_is_in_flight_over_all_teachers(context: Build) -> None:
    lock, flying, most = threading.Lock(), 0, 0

    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.01)
        with lock:
            flying -= 1
        return ScriptedReply(text="x")

    async def scene() -> None:
        teachers = {"a": scripted(), "b": scripted(model="other")}
        async with open_session(context(max_concurrency=4), teachers, script) as models:
            await gather_or_cancel(
                models[name].reply(ask(str(number))) for name in teachers for number in range(20)
            )

    asyncio.run(scene())
    assert most == 4


def test_the_key_is_sent_but_stored_nowhere(context: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-secret-key")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    step = context()
    with serve_provider(echo) as server:
        seen: list[str] = []
        handler = server.RequestHandlerClass
        monkeypatch.setattr(handler, "parse_request", spy(handler.parse_request, seen))
        replies(step, at(server.address, api_key_env="TEST_KEY"), ["x"])
        replies(step, at(server.address), ["y"])
    assert "Bearer sk-secret-key" in seen[0]
    assert "secret" not in seen[1]
    assert "org-secret" not in "".join(seen)
    assert all(b"secret" not in file.read_bytes() for file in step.ledger.parent.rglob("*") if file.is_file())


def spy(parse: Callable[..., bool], seen: list[str]) -> Callable[..., bool]:
    def parse_request(handler: object) -> bool:
        done = parse(handler)
        seen.append(str(handler.headers))  # type: ignore[attr-defined]  # a BaseHTTPRequestHandler
        return done

    return parse_request


def test_what_is_wrong_in_the_recipe_is_said_before_anything_is_opened(
    context: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    step = context()
    for teacher, kind, said in (
        (Teacher(model="gpt-4o"), RecipeError, "price of gpt-4o at api.openai.com is unknown"),
        (
            Teacher(model="gpt-4o", usd_per_million_in=1, usd_per_million_out=1),
            ReplyError,
            "OPENAI_API_KEY is not set",
        ),
        (at("localhost:1"), RecipeError, "is no address"),
    ):
        with pytest.raises(AlifError, match=said) as caught:
            replies(step, teacher, ["x"])
        assert isinstance(caught.value, kind)
    assert not step.ledger.exists()
    with pytest.raises(RecipeError, match="no answers"):
        replies(step, scripted(), ["x"], None)


def test_a_bug_in_a_script_shows_itself(context: Build) -> None:
    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        raise KeyError(messages[0].content)

    with pytest.raises(KeyError, match="x"):
        replies(context(), scripted(), ["x"], script)


def test_another_edition_of_the_script_does_not_get_old_replies(context: Build) -> None:
    async def scene(edition: str) -> bool:
        async with open_session(context(), {"gpt": scripted()}, echo, answers_digest=edition) as models:
            return (await models["gpt"].reply(ask("x"))).stored

    assert [asyncio.run(scene(edition)) for edition in ("", "", "1", "1", "2")] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_importing_the_room_is_light() -> None:
    code = textwrap.dedent("""
        import sys, alif.llm, alif.llm.endpoint, alif.llm.ledger, alif.llm.budget
        print([name for name in ("openai", "torch") if name in sys.modules])
    """)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == "[]\n"
