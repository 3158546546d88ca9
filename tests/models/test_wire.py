from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest

from alif.errors import MissingExtra, ReplyError
from alif.models import protocol
from alif.models.chat import Message, Reply, together
from alif.models.client import open_models
from alif.models.scripted import Chaos, serve
from alif.recipe import Teacher
from alif.runs import Given

from .conftest import FAST, ask, echo
from .test_client import EVERY_FAULT, check_against, spy

Build = Callable[..., Given]
SYSTEM = [Message(role="system", content="Be brief."), Message(role="user", content="سلام")]


def replies(given: Given, teacher: Teacher, asked: list[list[Message]]) -> list[Reply]:
    async def scene() -> list[Reply]:
        async with open_models(given, {"t": teacher}, echo, patience=FAST) as models:
            return await together(models["t"].reply(messages) for messages in asked)

    return asyncio.run(scene())


def test_anthropic_survives_every_fault_with_the_same_ledger_and_money(given: Build) -> None:
    step = given(timeout_s=1.5, workers=32)
    with serve(echo, EVERY_FAULT) as server:
        prices = {"usd_per_million_in": 10.0, "usd_per_million_out": 10.0}
        teacher = Teacher.model_validate({"model": "claude", "address": server.address, "protocol": "anthropic", **prices})
        answers = replies(step, teacher, [ask(f"سوال {number}") for number in range(100)])
    assert [answer.text.rstrip().rstrip("\ufffd") for answer in answers] == [f"سوال {number} #0" for number in range(100)]
    assert {served.fault for served in server.served} >= {"", "error", "broken", "closed", "empty", "choiceless"}
    check_against(server.served, step, "msg_")


def test_each_protocol_sends_its_own_key_and_path(given: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-a")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "not-this-one")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "not-this-one")
    seen: list[str] = []
    with serve(echo) as server:
        handler = server.RequestHandlerClass
        monkeypatch.setattr(handler, "parse_request", spy(handler.parse_request, seen))
        root = server.address.removesuffix("/v1")
        for name, address in (("openai", server.address), ("anthropic", root), ("azure", root)):
            teacher = Teacher.model_validate({"model": "m", "address": address, "protocol": name, "key": "A_KEY"})
            (reply,) = replies(given(name), teacher, [SYSTEM])
            assert (reply.text, reply.finish) == ("سلام #0", "stop")
        assert len({record.tokens_in for record in server.served}) == 1, "the same messages in every protocol"
    headers = [text.casefold() for text in seen]
    assert "authorization: bearer sk-a" in headers[0]
    assert "authorization: bearer sk-a" in headers[1], "so does anthropic 2.12"
    assert "anthropic-version: " in headers[1]
    assert "api-key: sk-a" in headers[2]
    assert "authorization" not in headers[2]
    assert "not-this-one" not in "".join(headers)


def test_azure_names_the_deployment_and_the_version(given: Build) -> None:
    paths: list[str] = []
    with serve(echo, Chaos()) as server:
        send = server.RequestHandlerClass.do_POST

        def do_post(handler: object) -> None:
            paths.append(handler.path)  # type: ignore[attr-defined]  # a BaseHTTPRequestHandler
            send(handler)

        server.RequestHandlerClass.do_POST = do_post  # type: ignore[attr-defined]
        try:
            address = server.address.removesuffix("/v1")
            replies(given(), Teacher(model="my gpt", address=address, protocol="azure", api_version="2025-01-01"), [SYSTEM])
        finally:
            server.RequestHandlerClass.do_POST = send  # type: ignore[attr-defined]
    assert paths == ["/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01"]


def test_bodies() -> None:
    own = protocol.body(Teacher(model="m", address="http://pc:1/v1", temperature=0.5, max_tokens=9), SYSTEM)
    assert own == {"model": "m", "messages": [m.model_dump() for m in SYSTEM], "temperature": 0.5, "max_tokens": 9}
    assert "max_completion_tokens" in protocol.body(Teacher(model="m"), SYSTEM)
    claude = Teacher(model="c", address="https://api.anthropic.com", max_tokens=9)
    assert protocol.body(claude, SYSTEM) == {
        "model": "c",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "سلام"}],
        "system": "Be brief.",
    }
    assert protocol.body(claude.model_copy(update={"temperature": 0.3}), SYSTEM)["temperature"] == 0.3
    assert protocol.path(claude) == "/v1/messages"


def test_without_the_extra_there_is_a_sentence(given: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    teacher = Teacher(model="c", address="http://localhost:1", protocol="anthropic")
    with pytest.raises(MissingExtra, match=r"teacher\.t: Anthropic's protocol needs the anthropic extra") as caught:
        replies(given(), teacher, [SYSTEM])
    assert "alif-llm[anthropic]" in caught.value.hint


def test_a_key_that_anthropic_refuses_is_a_sentence(given: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    prices = {"usd_per_million_in": 1.0, "usd_per_million_out": 1.0}
    teacher = Teacher.model_validate({"model": "c", "address": "https://api.anthropic.com", **prices})
    with pytest.raises(ReplyError, match="ANTHROPIC_API_KEY is not set"):
        replies(given(), teacher, [SYSTEM])
