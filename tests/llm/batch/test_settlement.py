from __future__ import annotations

from collections.abc import Sequence

import pytest

from alif.errors import ReplyError
from alif.llm.chat_model import ScriptedReply
from alif.records import Message
from alif.settings import Teacher
from tests.fake_provider import FakeBatches, serve_provider
from tests.llm.batch.test_batch_client import (
    PRICE,
    TEXTS,
    WANTED,
    Build,
    account,
    at,
    both,
    replies,
    states,
)  # fmt: skip
from tests.llm.conftest import echo


@pytest.mark.parametrize("why", ["Content Exists Risk", "Output blocked by content filtering policy"])
def test_a_prompt_that_a_filter_refuses_counts_in_a_batch_by_the_rule_of_a_live_one(
    context: Build, why: str
) -> None:
    with serve_provider(lambda *_: ScriptedReply(text=why, status=400)) as server:
        live, batched = (
            replies(context(f"batch {batch}", batch=batch), at(server), ["سوال"])[0]
            for batch in (False, True)
        )
    assert live.finish == batched.finish == "content_filter"
    assert batched.cost_usd == pytest.approx(live.cost_usd / 2)
    assert (live.cost_usd < PRICE * Teacher(model="m").max_tokens / 1e6) == why.startswith("Content")


@both
def test_what_a_completed_batch_is_silent_about_counts_at_its_upper_bound(
    context: Build, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended by itself, so it may have been done and be on the bill; it is asked again."""
    get = FakeBatches.get

    def forgetful(batches: FakeBatches, path: str) -> tuple[int, bytes]:
        status, raw = get(batches, path)
        lost = path.endswith(("batch_0-output/content", "msgbatch_0/results"))
        return status, raw.partition(b"\n")[2] if lost else raw

    monkeypatch.setattr(FakeBatches, "get", forgetful)
    step = context(batch=True)
    with serve_provider(echo) as server:
        teacher = at(server, protocol, usd_per_million_in=0.0, usd_per_million_out=1000.0, max_tokens=10)
        assert [answer.text for answer in replies(step, teacher, TEXTS)] == WANTED
    assert states(step) == [("completed", 40), ("completed", 1)]
    assert account(step).unsettled_usd == pytest.approx(0.005)


@both
def test_one_prompt_that_a_batch_and_the_live_interface_refuse_is_set_aside_and_costs_nothing(
    context: Build, protocol: str
) -> None:
    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        bad = messages[-1].content == "bad"
        return (
            ScriptedReply(text="too long", status=400, code="invalid_request_error")
            if bad
            else echo(messages, draw)
        )

    step = context(batch=True)
    with serve_provider(script) as server:
        good, bad = replies(step, at(server, protocol), ["good", "bad"])
    assert (good.text, bad.text, bad.finish) == ("good #0", "", "unanswered: 400 (too long)")
    assert account(step).unsettled_usd == 0.0


@both
def test_a_refusal_of_all_prompts_is_the_teachers_fault(context: Build, protocol: str) -> None:
    refused = ScriptedReply(text="no such field", status=400, code="invalid_request_error")
    step = context(batch=True)
    with (
        serve_provider(lambda messages, draw: refused) as server,
        pytest.raises(ReplyError, match=r"status 400 \(no such field\)"),
    ):
        replies(step, at(server, protocol), ["good", "bad"])
    assert (account(step).replies, account(step).usd) == (0, 0.0)
