from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from alif.errors import ReplyError
from alif.llm.chat_model import Reply, gather_or_cancel
from alif.llm.http import open_transport
from alif.llm.provider_error import ProviderError
from alif.llm.session import open_session
from alif.records import Message
from alif.runs import StepContext
from alif.settings import Teacher
from tests.fake_provider import InjectedFaults, serve_provider
from tests.llm.conftest import FAST, ask, echo
from tests.llm.test_session import EVERY_FAULT, check_against, spy

Build = Callable[..., StepContext]
SYSTEM = [Message(role="system", content="Be brief."), Message(role="user", content="سلام")]


def replies(context: StepContext, teacher: Teacher, asked: list[list[Message]]) -> list[Reply]:
    async def scene() -> list[Reply]:
        async with open_session(context, {"t": teacher}, echo, retry_policy=FAST) as models:
            return await gather_or_cancel(models["t"].reply(messages) for messages in asked)

    return asyncio.run(scene())


def test_anthropic_survives_every_fault_with_the_same_ledger_and_money(context: Build) -> None:
    step = context(timeout_s=1.5, max_concurrency=32)
    with serve_provider(echo, EVERY_FAULT) as server:
        prices = {"usd_per_million_in": 10.0, "usd_per_million_out": 10.0}
        teacher = Teacher.model_validate(
            {"model": "claude", "base_url": server.address, "protocol": "anthropic", **prices}
        )
        answers = replies(step, teacher, [ask(f"سوال {number}") for number in range(100)])
    assert [answer.text.rstrip().rstrip("\ufffd") for answer in answers] == [
        f"سوال {number} #0" for number in range(100)
    ]
    assert {served.fault for served in server.served} >= {
        "",
        "error",
        "broken",
        "closed",
        "empty",
        "choiceless",
    }
    check_against(server.served, step, "msg_")


def test_each_protocol_sends_its_own_key_and_path(context: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-a")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "not-this-one")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "not-this-one")
    seen: list[str] = []
    with serve_provider(echo) as server:
        handler = server.RequestHandlerClass
        monkeypatch.setattr(handler, "parse_request", spy(handler.parse_request, seen))
        root = server.address.removesuffix("/v1")
        for name, address in (("openai", server.address), ("anthropic", root), ("azure", root)):
            teacher = Teacher.model_validate(
                {"model": "m", "base_url": address, "protocol": name, "api_key_env": "A_KEY"}
            )
            (reply,) = replies(context(name), teacher, [SYSTEM])
            assert (reply.text, reply.finish) == ("سلام #0", "stop")
        assert len({record.tokens_in for record in server.served}) == 1, "the same messages in every protocol"
    headers = [text.casefold() for text in seen]
    assert "authorization: bearer sk-a" in headers[0]
    assert "x-api-key: sk-a" in headers[1]
    assert "anthropic-version: " in headers[1]
    assert "authorization" not in headers[1]
    assert "api-key: sk-a" in headers[2]
    assert "authorization" not in headers[2]
    assert "not-this-one" not in "".join(headers)


def test_who_pays_at_openai_is_told_to_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")

    async def told(where: str, spoken: str = "auto") -> bool:
        async with open_transport(
            "teacher.t",
            Teacher.model_validate({"model": "m", "base_url": where, "protocol": spoken}),
            "",
            5.0,
        ) as wire:
            return {"OpenAI-Organization", "OpenAI-Project"} <= set(wire.session.headers)

    assert asyncio.run(told("https://api.openai.com/v1"))
    azure = "https://mine.openai.azure.com"
    for where, spoken in (
        (azure, "auto"),
        (f"{azure}/openai/v1", "auto"),
        ("https://api.openai.com", "azure"),
    ):
        assert not asyncio.run(told(where, spoken)), (where, spoken)


def test_azure_names_the_deployment_and_the_version(context: Build) -> None:
    paths: list[str] = []
    with serve_provider(echo, InjectedFaults()) as server:
        send = server.RequestHandlerClass.do_POST

        def do_post(handler: object) -> None:
            paths.append(handler.path)  # type: ignore[attr-defined]  # a BaseHTTPRequestHandler
            send(handler)

        server.RequestHandlerClass.do_POST = do_post  # type: ignore[attr-defined]
        try:
            address = server.address.removesuffix("/v1")
            replies(
                context(),
                Teacher(model="my gpt", base_url=address, protocol="azure", api_version="2025-01-01"),
                [SYSTEM],
            )
        finally:
            server.RequestHandlerClass.do_POST = send  # type: ignore[attr-defined]
    assert paths == ["/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01"]


def test_the_proxy_of_the_environment_is_for_the_world_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def through(address: str) -> str | None:
        async def scene() -> str | None:
            async with open_transport("teacher.t", Teacher(model="m", base_url=address), "", 5.0) as wire:
                return wire.proxy.url if wire.proxy else None

        return asyncio.run(scene())

    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("all_proxy", "proxy.example:3128")
    assert through("https://api.openai.com/v1") == "http://proxy.example:3128"
    assert through("http://localhost:11434/v1") is None
    monkeypatch.setenv("no_proxy", "openai.com")
    assert through("https://api.openai.com/v1") is None
    monkeypatch.setenv("https_proxy", "socks5://somebody:secret@proxy.example:1080")
    with pytest.raises(
        ReplyError, match=r"teacher\.t: https_proxy names a proxy of the kind socks5"
    ) as caught:
        through("https://openrouter.ai/api/v1")
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("spoken", ["openai", "anthropic", "azure"])
@pytest.mark.parametrize("status", [301, 307])
def test_nobody_is_sent_on_with_key_and_prompt(
    context: Build, monkeypatch: pytest.MonkeyPatch, status: int, spoken: str
) -> None:
    monkeypatch.setenv("A_KEY", "sk-a")
    with serve_provider(echo) as other, sending_on(status, other.address.removesuffix("/v1")) as place:
        where = f"{place}/v1" if spoken == "openai" else place
        teacher = Teacher.model_validate(
            {"model": "m", "base_url": where, "protocol": spoken, "api_key_env": "A_KEY"}
        )
        with pytest.raises(ReplyError, match=r"teacher\.t: .* redirects requests to http://127") as caught:
            replies(context(), teacher, [SYSTEM])
        assert not other.served
        right = caught.value.hint.partition(" = ")[2].strip('".')
        (reply,) = replies(context("again"), teacher.model_copy(update={"base_url": right}), [SYSTEM])
        assert reply.text == "سلام #0"


@pytest.mark.parametrize("spoken", ["openai", "anthropic", "azure"])
@pytest.mark.parametrize("status", [301, 307])
def test_nobody_is_sent_on_with_the_key_alone(
    monkeypatch: pytest.MonkeyPatch, status: int, spoken: str
) -> None:
    """A look at a batch is a GET, which HTTP clients follow anywhere."""
    seen: list[str] = []

    async def scene(where: str) -> None:
        teacher = Teacher.model_validate({"model": "m", "base_url": where, "protocol": spoken})
        async with open_transport("teacher.t", teacher, "sk-a", 5.0) as wire:
            await wire.get("/batches/batch_0")

    with serve_provider(echo) as other, sending_on(status, other.address.removesuffix("/v1")) as place:
        handler = other.RequestHandlerClass
        monkeypatch.setattr(handler, "parse_request", spy(handler.parse_request, seen))
        with pytest.raises(ProviderError) as caught:
            asyncio.run(scene(place))
    assert not seen, "the other place hears nothing, and no key"
    assert caught.value.stop is not None
    assert "redirects requests to http://127" in caught.value.stop.message


@contextmanager
def sending_on(status: int, place: str) -> Iterator[str]:
    """Serve redirects to `place` on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", place + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_a_key_that_anthropic_refuses_is_a_sentence(context: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    prices = {"usd_per_million_in": 1.0, "usd_per_million_out": 1.0}
    teacher = Teacher.model_validate({"model": "c", "base_url": "https://api.anthropic.com", **prices})
    with pytest.raises(ReplyError, match="ANTHROPIC_API_KEY is not set"):
        replies(context(), teacher, [SYSTEM])
