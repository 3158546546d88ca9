"""What it means that an attempt got no HTTP response: wait and retry, or stop with a sentence.

no connection, also to the proxy     nothing was sent: retry
timeout, connection lost             perhaps billed: retry
certificate, http:// for https://    a person has to act: stop
"""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import aiohttp

from alif.errors import ReplyError
from alif.llm.endpoint import hostname
from alif.llm.keepalive import OversizedBody
from alif.llm.provider_error import TIMEOUT, ProviderError
from alif.llm.proxy import Proxy

__all__ = ["from_network_error", "speaks_tls"]

PROBE_S = 5.0
"""Longest wait for the answer to a TLS handshake."""
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
"""OpenSSL's words for an answer that is no TLS."""
NO_CONNECTION = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
CLOSED = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.ClientResponseError)
"""What becomes of a plain request at a TLS port: reset, closed, or answered with an alert."""


async def from_network_error(
    error: aiohttp.ClientError | TimeoutError, key: str, url: str, proxy: Proxy | None
) -> ProviderError:
    """Classify an attempt at `url` without an HTTP response; `key` is the recipe key of the endpoint."""
    host, stop = hostname(url), None
    if isinstance(error, aiohttp.InvalidURL):
        stop = ReplyError(f"{key}: requests cannot be sent to {host}", f"Check {key}.base_url.")
        return ProviderError("no URL", may_be_billed=False, stop=stop)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "") or error.certificate_error
        stop = ReplyError(
            f"{key}: the certificate of {host} is not trusted ({why})",
            "If your own or your company's authority issued it: export SSL_CERT_FILE=/path/to/authority.pem. "
            "Otherwise check base_url and this machine's clock.",
        )
    elif (
        isinstance(error, aiohttp.ClientConnectorSSLError)
        and getattr(error.os_error, "reason", "") in NOT_TLS
    ):
        stop = ReplyError(
            f"{key}: {host} does not speak TLS, and {key}.base_url begins with https://",
            f"Check the port; if it is a server of your own without TLS, write http:// in {key}.base_url.",
        )
    if isinstance(error, NO_CONNECTION):
        reason = f"no connection: {type(error).__name__}"
        if proxy and isinstance(error, aiohttp.ClientHttpProxyError):
            reason = f"{proxy} refuses with status {error.status}"
        elif proxy and isinstance(error, aiohttp.ClientProxyConnectionError):
            reason = f"no connection to {proxy}"
        elif isinstance(error, aiohttp.ClientConnectorSSLError):
            reason = f"no TLS connection: {error.os_error.reason}"
        return ProviderError(reason, may_be_billed=False, unreachable=True, stop=stop)
    if isinstance(error, OversizedBody):
        return ProviderError(str(error), may_be_billed=True, unreadable=True)
    if isinstance(error, TimeoutError):
        return ProviderError(TIMEOUT, may_be_billed=True)
    lost = ProviderError(f"connection lost: {type(error).__name__}", may_be_billed=True)
    if not proxy and url.startswith("http://") and isinstance(error, CLOSED) and await speaks_tls(url):
        lost.may_be_billed, lost.unreachable = False, True
        lost.stop = ReplyError(
            f"{key}: {host} speaks TLS, and {key}.base_url begins with http://",
            f"Write https:// in {key}.base_url.",
        )
    return lost


async def speaks_tls(url: str) -> bool:
    """Tell whether the server of a URL answers a TLS handshake; nothing else is sent."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(PROBE_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, ssl=context)
    except (OSError, TimeoutError):  # of which a failed handshake is one
        return False
    writer.transport.abort()
    return True
