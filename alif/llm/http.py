"""The wire to a provider: requests go out by HTTP here, and its errors become ours.

    openai       Authorization: Bearer KEY      /chat/completions
    azure        api-key: KEY                   /openai/deployments/MODEL/chat/completions?api-version=…
    anthropic    x-api-key: KEY                 /v1/messages

An answer is whatever has a status, refusals too; where none came there is a `Fault`. What is sent is sent once: trying again is
the business of `asking`. A local address is reached past any proxy and sent no key unless the recipe names one. Which
connections are used again is decided in `keepalive`.
"""

from __future__ import annotations

import functools
import io
import json
import os
import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import truststore

from alif import console
from alif.errors import ReplyError
from alif.llm import endpoint
from alif.llm.keepalive import CheckedConnector, CheckedResponse, RepeatedBody
from alif.llm.provider_error import ProviderError, from_network_error
from alif.recipe import Teacher

__all__ = ["HttpResponse", "HttpTransport", "open_transport"]

CONNECT_S = 10.0
"""How long making a connection may take, at most half of what the request may; without a connection nothing can be billed."""
KEPT_OPEN_S = 4.0
"""How long an idle connection is kept. Servers hang up too, uvicorn (vLLM, transformers serve) after 5 s: not while we send."""
ANTHROPIC_VERSION = "2023-06-01"
"""Source: docs.anthropic.com, API versioning."""
OF_OPENAI = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
"""Who pays, where a key belongs to several: headers and the variables of the environment that fill them."""

Files = Sequence[tuple[str, tuple[str, bytes, str]]]
"""Files of a form: (field, (file name, content, media type))."""


@dataclass(frozen=True)
class HttpResponse:
    """What a provider sent back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    url: str = ""
    """Where it comes from; empty for an answer out of a batch."""

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 becomes U+FFFD."""
        return self.raw.decode("utf-8", "replace")


@dataclass(frozen=True)
class HttpTransport:
    """An open connection."""

    name: str
    """The recipe's name of the teacher."""
    session: aiohttp.ClientSession
    unpooled: aiohttp.ClientSession
    """For GET, with one connection a request: the status of a batch may be the same twice, so a copy could not be told."""
    url: str
    query: Mapping[str, str]
    proxy: str | None
    silence_s: float
    """How long a provider may send nothing."""

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        files: Files | None = None,
        timeout_s: float | None = None,
    ) -> HttpResponse:
        """Send a JSON body, or a form with files.

        Raises:
            Fault: there is no answer.
        """
        if files:
            return await self._answer("POST", path, timeout_s, data=_form(body, files), headers=headers)
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        return await self._answer("POST", path, timeout_s, data=io.BytesIO(raw), headers=sent)

    async def get(self, path: str, timeout_s: float | None = None) -> HttpResponse:
        """Fetch something.

        Raises:
            Fault: there is no answer.
        """
        return await self._answer("GET", path, timeout_s)

    async def _answer(self, method: str, path: str, timeout_s: float | None, **sent: Any) -> HttpResponse:
        session = self.unpooled if method == "GET" else self.session
        connect_s = min(CONNECT_S, self.silence_s / 2)
        timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s, sock_read=self.silence_s)
        try:
            async with session.request(
                method,
                self.url + path,
                params=self.query,
                proxy=self.proxy,
                timeout=timeout,
                allow_redirects=False,
                **sent,
            ) as response:
                if "Location" in response.headers and 300 <= response.status < 400:
                    raise self._sent_on(response, path)
                return HttpResponse(response.status, response.headers, await response.read(), self.url + path)
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error, RepeatedBody):
                self._stop_reuse()
            raise from_network_error(error) from error

    def _stop_reuse(self) -> None:
        """Give each request a connection of its own: a server that repeats one answer repeats others, and each is lost."""
        pool = self.session.connector
        assert isinstance(pool, CheckedConnector)
        if pool.reuse:
            host = urlsplit(self.url).netloc
            console.log(
                f"teacher.{self.name}: {host} sent an answer twice; from now on each request has its own connection"
            )
        pool.reuse = False

    def _sent_on(self, response: aiohttp.ClientResponse, path: str) -> ProviderError:
        place = urljoin(str(response.url), response.headers["Location"]).partition("?")[0]
        where = f"teacher.{self.name}: {urlsplit(self.url).netloc} sends requests on to {place}"
        cure = f'If that is right, write teacher.{self.name}.address = "{place.removesuffix(path)}".'
        return ProviderError(str(response.status), billed=False, stop=ReplyError(where, cure))


def _form(body: Mapping[str, Any], files: Files) -> aiohttp.FormData:
    form = aiohttp.FormData(dict(body))
    for field, (name, content, media) in files:
        form.add_field(field, io.BytesIO(content), filename=name, content_type=media)
    return form


@asynccontextmanager
async def open_transport(
    name: str, teacher: Teacher, key: str, timeout_s: float, url: str = ""
) -> AsyncIterator[HttpTransport]:
    """Keep a connection to a teacher for the length of a block; `url` stands for its address where that is no URL.

    Raises:
        ReplyError: the environment names a proxy that cannot be used.
    """
    url, spoken = endpoint.base_url(teacher, url), endpoint.protocol_of(teacher)
    query = {endpoint.VERSION: teacher.api_version} if spoken == "azure" else {}
    proxy = None if endpoint.is_local(teacher.base_url) else _proxy(name, url)
    headers = _headers(teacher, spoken, key)
    async with _session(headers, reuse=True) as session, _session(headers, reuse=False) as unpooled:
        yield HttpTransport(name, session, unpooled, url, query, proxy, timeout_s)


def _session(headers: Mapping[str, str], *, reuse: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=CheckedConnector(_trust(), KEPT_OPEN_S, reuse=reuse),
        response_class=CheckedResponse,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _headers(teacher: Teacher, spoken: str, key: str) -> dict[str, str]:
    """Return what opens the door, in the words of the protocol."""
    headers = {"User-Agent": "alif", "Accept": "application/json"}
    if spoken == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION
    elif spoken == "openai" and endpoint.is_openai(teacher.base_url):
        headers |= {
            header: value for header, variable in OF_OPENAI.items() if (value := os.environ.get(variable))
        }
    if key:
        headers |= {"anthropic": {"x-api-key": key}, "azure": {"api-key": key}}.get(
            spoken, {"Authorization": f"Bearer {key}"}
        )
    return headers


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return who is trusted: the certificates of this machine, as its browser does."""
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy(name: str, url: str) -> str | None:
    """Return the proxy that the environment names for an address: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, unless NO_PROXY."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or urllib.request.proxy_bypass(parts.netloc):
        return None
    found = found if "://" in found else f"http://{found}"
    if (kind := urlsplit(found).scheme) not in ("http", "https"):
        raise ReplyError(
            f"teacher.{name}: the environment names a proxy of the kind {kind}, only http and https can be used",
            "Set HTTPS_PROXY to an HTTP proxy, or NO_PROXY to the teacher's host.",
        )
    return found
