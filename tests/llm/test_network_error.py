from __future__ import annotations

import asyncio
from unittest.mock import Mock

import aiohttp
import pytest

from alif.llm.keepalive import OversizedBody
from alif.llm.network_error import from_network_error, speaks_tls
from alif.llm.provider_error import ProviderError
from alif.llm.proxy import Proxy
from tests.fake_provider import serve_provider
from tests.llm.conftest import echo

PROXY = Proxy("http://me:secret@proxy.example:3128", "HTTPS_PROXY")


def classify(error: aiohttp.ClientError | TimeoutError, proxy: Proxy | None = None) -> ProviderError:
    return asyncio.run(from_network_error(error, "teacher.gpt", "https://api.example.org/v1", proxy))


@pytest.mark.parametrize(
    "error", [aiohttp.ClientConnectorError(Mock(), OSError()), aiohttp.ConnectionTimeoutError()]
)
def test_a_connection_that_never_was_is_not_billed(error: aiohttp.ClientError | TimeoutError) -> None:
    found = classify(error)
    assert (found.unreachable, found.may_be_billed, found.stop) == (True, False, None)


@pytest.mark.parametrize(
    "error",
    [
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        aiohttp.SocketTimeoutError(),
        TimeoutError(),
        OversizedBody("a body of more than 32 MB"),
    ],
)
def test_a_lost_one_may_be(error: aiohttp.ClientError | TimeoutError) -> None:
    found = classify(error)
    assert (found.unreachable, found.may_be_billed, found.stop) == (False, True, None)
    assert found.unreadable is isinstance(error, OversizedBody)


def test_what_is_no_url_was_never_sent() -> None:
    found = classify(aiohttp.InvalidURL("http://me:secret@x:port"))
    assert found.stop is not None
    assert not found.may_be_billed
    assert "secret" not in str(found.stop)


def test_a_proxy_is_named_without_its_password() -> None:
    nowhere = classify(aiohttp.ClientProxyConnectionError(Mock(), OSError()), PROXY)
    refused = classify(aiohttp.ClientHttpProxyError(Mock(), (), status=407), PROXY)
    for found in (nowhere, refused):
        assert (found.unreachable, found.may_be_billed) == (True, False)
        assert "the proxy proxy.example:3128 that HTTPS_PROXY names" in found.reason
        assert "secret" not in found.reason
    assert "407" in refused.reason


def test_a_server_of_plain_http_and_a_closed_port_do_not_speak_tls() -> None:
    with serve_provider(echo) as server:
        address = server.address
    assert not asyncio.run(speaks_tls(address)), "nobody is there any more"
