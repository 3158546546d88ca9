"""Connections are kept and checked; these tests also fail where a new aiohttp no longer calls what
`keepalive` overrides."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from alif.llm.keepalive import CheckedConnection, CheckedConnector, CheckedResponse, RepeatedBody
from tests.repeating_server import RepeatingServer, completion, http, repeating

Post = Callable[[str], Awaitable[str]]


def talk(
    server: RepeatingServer,
    scene: Callable[[Post], Awaitable[None]],
    context: ssl.SSLContext | None = None,
    reuse: bool = True,
) -> None:
    """Run `scene` with a function that sends a message and returns the body of the answer."""
    url = server.address if context is None else server.address.replace("http:", "https:")

    async def run() -> None:
        connector = CheckedConnector(context or ssl.create_default_context(), 4.0, reuse=reuse)
        async with aiohttp.ClientSession(connector=connector, response_class=CheckedResponse) as session:

            async def post(text: str) -> str:
                async with session.post(url, json={"messages": [{"content": text}]}) as response:
                    assert isinstance(response, CheckedResponse)
                    assert isinstance(response.arrived_on, CheckedConnection), (
                        "aiohttp makes its connections otherwise"
                    )
                    return await response.text()

            await scene(post)

    asyncio.run(run())


async def ask_twenty(post: Post) -> None:
    for number in range(20):
        assert f"message {number}" in await post(f"message {number}")
        await asyncio.sleep(0.001)


def test_a_connection_is_kept_open() -> None:
    with repeating() as server:
        talk(server, ask_twenty)
        assert server.connections == 1


def test_no_connection_is_kept_open_where_reuse_is_off() -> None:
    with repeating() as server:
        talk(server, ask_twenty, reuse=False)
        assert server.connections == 20


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here to make a certificate")
def test_an_encrypted_connection_is_kept_open_and_checked(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = [
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run(
        ["openssl", "req", "-x509", *asked, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def scene(post: Post) -> None:
        await ask_twenty(post)
        assert server.connections == 1
        server.push(http(completion("of another", "chatcmpl-x")))
        assert "message" in await post("message")
        assert server.connections == 2

    with repeating(context=context) as server:
        talk(server, scene, ssl.create_default_context(cafile=str(certificate)))


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize(
    "unsolicited", [http(completion("of another", "chatcmpl-x")), b"HTTP/1.1 200 OK\r\nConte"]
)
def test_unsolicited_bytes_close_a_connection(unsolicited: bytes, read: bool) -> None:
    async def scene(post: Post) -> None:
        await post("first")
        server.push(unsolicited)
        await asyncio.sleep(0.02 if read else 0.0)
        assert "second" in await post("second")

    with repeating() as server:
        talk(server, scene)
        assert server.connections == 2


@pytest.mark.parametrize(
    "refusal", [http(b"busy", "429 Too Many Requests"), http(b"x" * 500_000, "500 Error"), http(b"")]
)
def test_no_connection_is_kept_open_after_a_refusal(refusal: bytes) -> None:
    async def scene(post: Post) -> None:
        for _ in range(3):
            await post("message")

    with repeating(respond=lambda text, number: refusal) as server:
        talk(server, scene)
        assert server.connections == 3


def test_a_body_is_brought_once_by_each_connection() -> None:
    async def scene(post: Post) -> None:
        assert await post("message") == "yes"
        with pytest.raises(RepeatedBody):
            await post("message")
        assert await post("message") == "yes"

    with repeating(respond=lambda text, number: http(b"yes")) as server:
        talk(server, scene)
        assert server.connections == 2
