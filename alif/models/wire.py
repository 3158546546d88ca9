"""The wire to a provider: the only module that loads a provider's client, and where its errors become ours.

An answer is whatever has a status, refusals too; where none came there is a `Fault`. Clients try once: trying again is the
business of `asking`. A local address is reached past any proxy and sent no key unless the recipe names one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import openai

from alif.errors import MissingExtra
from alif.models import address
from alif.models.faults import lost
from alif.recipe import Teacher

if TYPE_CHECKING:
    import anthropic

__all__ = ["Answer", "Wire", "connect"]

CONNECT_S = 10.0
"""How long making a connection may take; no longer than half of what the request may: without one there is nothing to bill."""

Files = Sequence[tuple[str, tuple[str, bytes, str]]]
"""Files of a form: (field, (file name, content, media type))."""


@dataclass(frozen=True)
class Answer:
    """What a provider sent back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 becomes U+FFFD."""
        return self.raw.decode("utf-8", "replace")


@dataclass(frozen=True)
class Wire:
    """An open connection."""

    client: openai.AsyncOpenAI | anthropic.AsyncAnthropic
    failures: tuple[type[Exception], ...]
    """What the client raises where there is no answer, or a refusal."""

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        files: Files | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send a JSON body, or a form with files.

        Raises:
            Fault: there is no answer.
        """
        sent = {**(headers or {}), **({"Content-Type": "multipart/form-data"} if files else {})}
        return await self._answer(
            self.client.post(path, cast_to=httpx2.Response, body=body, files=files, options={"headers": sent}), timeout_s
        )

    async def get(self, path: str, timeout_s: float | None = None) -> Answer:
        """Fetch something.

        Raises:
            Fault: there is no answer.
        """
        return await self._answer(self.client.get(path, cast_to=httpx2.Response), timeout_s)

    async def _answer(self, sending: Any, timeout_s: float | None) -> Answer:
        try:
            async with asyncio.timeout(timeout_s):
                response = await sending
        except self.failures as error:
            response = getattr(error, "response", None)
            if not isinstance(response, httpx2.Response):
                raise lost(error) from error
        return Answer(response.status_code, response.headers, response.content)


@asynccontextmanager
async def connect(name: str, teacher: Teacher, key: str, timeout_s: float, url: str = "") -> AsyncIterator[Wire]:
    """Keep a connection to a teacher for the length of a block; `url` stands for its address where that is no URL.

    Raises:
        MissingExtra: the provider's client is not installed.
    """
    protocol, url = address.protocol(teacher), (url or teacher.address).rstrip("/")
    timeout = httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s / 2))
    http = openai.DefaultAsyncHttpx2Client(trust_env=not address.is_local(teacher.address), timeout=timeout)
    settings: dict[str, Any] = {"api_key": key or "none", "max_retries": 0, "timeout": timeout, "http_client": http}
    async with http:
        if protocol == "anthropic":
            yield _anthropic(name, settings | {"base_url": url.removesuffix("/v1")})
        elif protocol == "azure":
            base_url = url if url.endswith("/openai") else f"{url}/openai"
            client: openai.AsyncOpenAI = openai.AsyncAzureOpenAI(base_url=base_url, api_version=teacher.api_version, **settings)
            yield Wire(client, (openai.OpenAIError, TimeoutError))
        else:
            client = openai.AsyncOpenAI(base_url=url, **settings)
            if not address.is_openai(teacher.address):
                client.organization = client.project = None  # from the environment: nobody else's business
            yield Wire(client, (openai.OpenAIError, TimeoutError))


def _anthropic(name: str, settings: Mapping[str, Any]) -> Wire:
    try:
        import anthropic  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtra(f"teacher.{name}: Anthropic's protocol", "anthropic") from error
    return Wire(anthropic.AsyncAnthropic(**settings), (anthropic.AnthropicError, TimeoutError))
