from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.llm.chat_model import ScriptedReply
from alif.records import Message
from tests.fake_provider import FakeProvider, InjectedFaults, serve_provider
from tests.llm.conftest import echo


def post(server: FakeProvider, body: dict[str, Any], draw: int = 0) -> bytes:
    request = urllib.request.Request(
        f"{server.address}/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "X-Alif-Draw": str(draw)},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as response:
        content: bytes = response.read()
    return content


def body(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "parrot", "messages": [{"role": "user", "content": text}], **more}


def test_the_reply_is_a_pure_function_of_request_and_draw() -> None:
    with serve_provider(echo) as server:
        first, other, again = (post(server, body("سلام"), draw) for draw in (0, 1, 0))
    assert first == again != other
    reply = json.loads(first)
    assert reply["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "سلام #0"},
        "finish_reason": "stop",
    }
    assert (
        reply["usage"]["total_tokens"]
        == reply["usage"]["prompt_tokens"] + reply["usage"]["completion_tokens"]
    )
    assert [(served.fault, served.tokens_in) for served in server.served] == [
        ("", reply["usage"]["prompt_tokens"])
    ] * 3


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 20))
def test_a_reply_is_cut_off_at_max_tokens_on_a_whole_character(text: str, max_tokens: int) -> None:
    from tests.fake_provider.replies import completion

    reply = completion("x", body("q", max_tokens=max_tokens), ScriptedReply(text=text), "")
    said, finish = reply["choices"][0]["message"]["content"], reply["choices"][0]["finish_reason"]
    assert text.startswith(said)
    assert reply["usage"]["completion_tokens"] <= max_tokens
    assert (said == text) == (finish == "stop")


def test_the_models_of_the_server() -> None:
    with serve_provider(echo) as server:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{server.address}/models") as response:
            assert json.load(response)["data"][0]["id"] == "scripted"
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(f"{server.address}/nothing")
        caught.value.close()


def test_a_script_can_refuse_and_its_bug_is_kept() -> None:
    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        return ScriptedReply(text=str(1 // draw), status=402, code="broke")

    with serve_provider(script) as server:
        for draw, status in ((0, 422), (1, 402)):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post(server, body("x"), draw)
            assert caught.value.code == status
            caught.value.close()
    assert isinstance(server.failure, ZeroDivisionError)


@given(st.text(max_size=5), st.integers(0, 9))
def test_chaos_is_a_pure_function_that_ends(request: str, attempt: int) -> None:
    chaos = InjectedFaults(error=0.5, hung=0.5, huge=0.3, nul=0.3, surrogate=0.4, slow=0.5)
    assert chaos.no_reply(request, attempt) == InjectedFaults(error=0.5, hung=0.5).no_reply(request, attempt)
    assert chaos.no_reply(request, attempt) in (("error", "hung") if attempt < 3 else ("",))
    assert chaos.other_reply(request) in ("huge", "nul", "surrogate")
    assert not InjectedFaults().no_reply(request, 0)
    assert not InjectedFaults().other_reply(request)


def test_the_shares_of_chaos_are_kept() -> None:
    chaos = InjectedFaults(crowded=0.1, broken=0.2)
    faults = [chaos.no_reply(str(number), 0) for number in range(4000)]
    assert faults.count("crowded") / 4000 == pytest.approx(0.1, abs=0.02)
    assert faults.count("broken") / 4000 == pytest.approx(0.2, abs=0.02)
