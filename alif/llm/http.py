"""HTTP to a provider; errors of the HTTP library become `ProviderError`.

    openai       Authorization: Bearer KEY      /chat/completions
    azure        api-key: KEY                   /openai/deployments/MODEL/chat/completions?api-version=…
    anthropic    x-api-key: KEY                 /v1/messages

A response is whatever has a status, refusals included. A request is sent once: retrying is done by `client`.
A local address is reached past any proxy and sent no key unless the recipe names one. `keepalive` decides
which connections are reused.
"""

from __future__ import annotations

import io
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import aiohttp
import truststore
from pydantic import JsonValue

from alif import console
from alif.errors import ReplyError
from alif.llm import endpoint as endpoints
from alif.llm.keepalive import CheckedConnector, CheckedResponse, RepeatedBody
from alif.llm.network_error import from_network_error
from alif.llm.provider_error import ProviderError
from alif.llm.proxy import Proxy, find_proxy
from alif.llm.reply_body import decode_body
from alif.settings import Endpoint

__all__ = ["HttpResponse", "HttpTransport", "open_transport"]

CONNECT_S = 10.0
"""Longest time to connect, at most half of the request's timeout; without a connection nothing can be
billed."""
KEEPALIVE_S = 4.0
"""How long an idle connection is kept. Servers close them too, uvicorn (vLLM, transformers serve) after 5
s."""
LONGEST_RESULTS = 2**30
"""Bytes of the longest file of a batch's results."""
ANTHROPIC_VERSION = "2023-06-01"
"""Source: docs.anthropic.com, API versioning."""
OPENAI_HEADERS = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
"""Who pays, where a key belongs to several: headers and the environment variables that fill them."""

Files = Sequence[tuple[str, tuple[str, bytes, str]]]
"""Files of a form: (field, (file name, content, media type))."""


@dataclass(frozen=True)
class HttpResponse:
    """What a provider sent back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    url: str = ""
    """Where it comes from; empty for a result of a batch."""

    @property
    def text(self) -> str:
        """The body as text; bytes that are not in its encoding become U+FFFD."""
        return decode_body(self.raw)


@dataclass(frozen=True)
class HttpTransport:
    """Open connections to one endpoint."""

    key: str
    """The recipe key of its table."""
    session: aiohttp.ClientSession
    unpooled: aiohttp.ClientSession
    """For GET, with one connection a request: a batch's status may rightly be the same twice, so a repeated
    response could not be detected."""
    url: str
    query: Mapping[str, str]
    proxy: Proxy | None
    silence_s: float
    """How long a provider may send nothing."""
    watch: Callable[[bytes], None] | None = None
    """Called with what has come of a response's body, while it comes."""

    async def post(
        self,
        path: str,
        body: Mapping[str, JsonValue],
        *,
        headers: Mapping[str, str] | None = None,
        files: Files = (),
        timeout_s: float | None = None,
    ) -> HttpResponse:
        """Send a JSON body, or a form with files.

        Raises:
            ProviderError: there is no response.
        """
        if files:
            form = aiohttp.FormData({name: str(value) for name, value in body.items()})
            for field, (name, content, media) in files:
                form.add_field(field, io.BytesIO(content), filename=name, content_type=media)
            return await self._request("POST", path, timeout_s, form, headers or {})
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        return await self._request("POST", path, timeout_s, io.BytesIO(raw), headers)

    async def get(self, path: str) -> HttpResponse:
        """Fetch something.

        Raises:
            ProviderError: there is no response.
        """
        return await self._request("GET", path, None, None, {})

    async def _request(
        self,
        method: str,
        path: str,
        timeout_s: float | None,
        data: io.BytesIO | aiohttp.FormData | None,
        headers: Mapping[str, str],
    ) -> HttpResponse:
        session = self.unpooled if method == "GET" else self.session
        connect_s = min(CONNECT_S, self.silence_s / 2)
        timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s, sock_read=self.silence_s)
        try:
            async with session.request(
                method,
                self.url + path,
                params=self.query,
                proxy=self.proxy.url if self.proxy else None,
                timeout=timeout,
                allow_redirects=False,
                data=data,
                headers=headers,
            ) as response:
                if "Location" in response.headers and 300 <= response.status < 400:
                    # refused: the key and the prompt would go to another place
                    target = urljoin(str(response.url), response.headers["Location"]).partition("?")[0]
                    message = f"{self.key}: {urlsplit(self.url).netloc} redirects requests to {target}"
                    hint = f'If that is right, write {self.key}.base_url = "{target.removesuffix(path)}".'
                    stop = ReplyError(message, hint)
                    raise ProviderError(str(response.status), may_be_billed=False, stop=stop)
                if method == "GET" and isinstance(response, CheckedResponse):
                    response.longest_bytes = LONGEST_RESULTS
                if self.watch and isinstance(response, CheckedResponse):
                    response.watch = self.watch
                return HttpResponse(response.status, response.headers, await response.read(), self.url + path)
        except (aiohttp.ClientError, TimeoutError) as error:
            pool = self.session.connector
            if isinstance(error, RepeatedBody) and isinstance(pool, CheckedConnector) and pool.reuse:
                pool.reuse = False  # a server that repeats one response repeats others
                twice = f"{self.key}: {urlsplit(self.url).netloc} sent an answer twice"
                console.log(f"{twice}; from now on each request has its own connection")
            raise await from_network_error(error, self.key, self.url, self.proxy) from error


@asynccontextmanager
async def open_transport(
    key: str, endpoint: Endpoint, api_key: str, timeout_s: float, demo_url: str = ""
) -> AsyncIterator[HttpTransport]:
    """Keep connections to an endpoint, or to the offline teacher at `demo_url`, for the length of a block.

    Raises:
        ReplyError: the environment names a proxy or certificates that cannot be used.
    """
    protocol = endpoints.protocol_of(endpoint)
    url = demo_url or endpoints.base_url(endpoint)
    headers = {"User-Agent": "alif", "Accept": "application/json"}
    if protocol == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION
    elif protocol == "openai" and endpoints.is_openai(endpoint.base_url):
        headers |= {
            name: value for name, variable in OPENAI_HEADERS.items() if (value := os.environ.get(variable))
        }
    if api_key:
        authorization = ("Authorization", f"Bearer {api_key}")
        name, value = {"anthropic": ("x-api-key", api_key), "azure": ("api-key", api_key)}.get(
            protocol, authorization
        )
        headers[name] = value
    query = {endpoints.VERSION: endpoint.api_version} if protocol == "azure" else {}
    proxy = None if endpoints.is_local(endpoint.base_url) else find_proxy(key, url)
    tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts what this machine's browser does
    if file := os.environ.get("SSL_CERT_FILE"):
        try:
            tls.load_verify_locations(file)
        except OSError as error:  # ssl.SSLError is one
            hint = "Set it to a file of certificates (PEM), or unset it."
            raise ReplyError(f"SSL_CERT_FILE: {file} holds no certificates", hint) from error
    async with (
        _open_session(headers, tls, reuse=True) as session,
        _open_session(headers, tls, reuse=False) as unpooled,
    ):
        yield HttpTransport(key, session, unpooled, url, query, proxy, timeout_s)


def _open_session(headers: Mapping[str, str], tls: ssl.SSLContext, *, reuse: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=CheckedConnector(tls, KEEPALIVE_S, reuse=reuse),
        response_class=CheckedResponse,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
