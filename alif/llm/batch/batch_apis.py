"""The two batch interfaces, seen as one: hand a batch in, look how far it is, fetch what came of it, cancel it.

OpenAI, Azure and their like     POST /files ─▶ POST /batches ─▶ GET /batches/ID ─▶ GET /files/ID/content (output, errors)
Anthropic                        POST /v1/messages/batches ─▶ GET …/ID ─▶ GET …/ID/results

Each function is one try; whoever calls it tries again. Results come in any order, under the names that the requests were given.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alif.llm.batch.batch_store import Batch
from alif.llm.http import HttpResponse
from alif.llm.provider_error import ProviderError

__all__ = ["AnthropicBatchApi", "BatchApi", "BatchProgress", "BatchResult", "OpenAIBatchApi"]

MOST_REQUESTS = 10_000
"""Ours, for both: results are read as a whole. OpenAI takes 50,000 requests a batch, Anthropic 100,000."""
BATCHES_LOOKED_THROUGH = 100
"""How many of the last batches are searched for one that was made just before a kill."""

Ask = Callable[..., Awaitable[HttpResponse]]
"""ask(path, body=None, files=None): POST with a body or files, else GET; an answer below status 400, or a Fault."""


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch is."""

    word: str
    """The provider's word for it."""
    ended: bool
    done: int
    """Requests that are done, with a reply or without."""
    why: str = ""
    """Why the provider refused the whole batch."""
    crowded: bool = False
    """Whether it did so because too much is queued."""
    files: tuple[str, ...] = ()
    """Where results lie."""


@dataclass(frozen=True)
class BatchResult:
    """What came of one request."""

    name: str
    answer: HttpResponse | None
    """None: it was never asked, because the batch expired or was cancelled."""
    why: str = ""


class BatchApi(Protocol):
    """A provider's batch interface."""

    @property
    def most_bytes(self) -> int:
        """Most bytes of one batch."""

    def line(self, name: str, body: Mapping[str, Any]) -> bytes:
        """Return a request as it stands in a batch."""

    async def make(self, token: str, lines: Sequence[bytes]) -> str:
        """Hand a batch in; return its id."""

    async def find(self, batch: Batch) -> str:
        """Return the id of a batch that was handed in before its id could be written, "" if there is none."""

    async def look(self, id: str) -> BatchProgress:
        """Return how far a batch is."""

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Fetch the results of a batch that has ended."""

    async def cancel(self, id: str) -> None:
        """Ask for the end of a batch; what is done stays."""


@dataclass(frozen=True)
class OpenAIBatchApi:
    """Files and Batches. Source: platform.openai.com/docs/guides/batch, read through openai 3.54's types."""

    ask: Ask
    endpoint: str = "/v1/chat/completions"
    most_bytes: int = 190_000_000
    """Source: the file can be up to 200 MB."""

    def line(self, name: str, body: Mapping[str, Any]) -> bytes:
        """Return one line of the input file."""
        return _json({"custom_id": name, "method": "POST", "url": self.endpoint, "body": body}) + b"\n"

    async def make(self, token: str, lines: Sequence[bytes]) -> str:
        """Upload the file and make a batch of it; the token is its metadata."""
        form = ("file", ("alif.jsonl", b"".join(lines), "application/jsonl"))
        file = _object(await self.ask("/files", body={"purpose": "batch"}, files=[form]))
        body = {"input_file_id": file.get("id"), "endpoint": self.endpoint, "completion_window": "24h"}
        return str(
            _object(await self.ask("/batches", body=body | {"metadata": {"alif": token}})).get("id") or ""
        )

    async def find(self, batch: Batch) -> str:
        """Search the last batches for the token."""
        found = _object(await self.ask(f"/batches?limit={BATCHES_LOOKED_THROUGH}")).get("data") or []
        return next(
            (str(one["id"]) for one in found if (one.get("metadata") or {}).get("alif") == batch.token), ""
        )

    async def look(self, id: str) -> BatchProgress:
        """Read the batch object."""
        found = _object(await self.ask(f"/batches/{id}"))
        counts, word = found.get("request_counts") or {}, str(found.get("status"))
        errors = (found.get("errors") or {}).get("data") or []
        return BatchProgress(
            word=word,
            ended=word in ("completed", "failed", "expired", "cancelled"),
            done=int(counts.get("completed") or 0) + int(counts.get("failed") or 0),
            why=str(errors[0].get("message") or errors[0].get("code")) if word == "failed" and errors else "",
            crowded=any(error.get("code") == "token_limit_exceeded" for error in errors),
            files=tuple(found[key] for key in ("output_file_id", "error_file_id") if found.get(key)),
        )

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Read the output file and the file of errors."""
        found = []
        for file in progress.files:
            for line in _lines(await self.ask(f"/files/{file}/content")):
                response, error = line.get("response"), line.get("error") or {}
                answer = (
                    HttpResponse(int(response["status_code"]), {}, _json(response["body"]))
                    if response
                    else None
                )
                found.append(
                    BatchResult(str(line.get("custom_id")), answer, str(error.get("code") or "no response"))
                )
        return found

    async def cancel(self, id: str) -> None:
        """Ask for the end of the batch."""
        await self.ask(f"/batches/{id}/cancel", body={})


STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The statuses of Anthropic's errors, which a batch names by type. Source: docs.anthropic.com/en/api/errors."""


@dataclass(frozen=True)
class AnthropicBatchApi:
    """Message Batches. Source: docs.anthropic.com/en/api/creating-message-batches, read through anthropic 2.12's types."""

    ask: Ask
    most_bytes: int = 240_000_000
    """Source: 256 MB a batch."""

    def line(self, name: str, body: Mapping[str, Any]) -> bytes:
        """Return one entry of `requests`."""
        return _json({"custom_id": name, "params": body})

    async def make(self, token: str, lines: Sequence[bytes]) -> str:
        """Make a batch; the interface takes no token."""
        body = {"requests": [json.loads(line) for line in lines]}
        return str(_object(await self.ask("/v1/messages/batches", body=body)).get("id") or "")

    async def find(self, batch: Batch) -> str:
        """Search the last batches for one as large, made since ours was written; foreign results are passed over later."""
        found = (
            _object(await self.ask(f"/v1/messages/batches?limit={BATCHES_LOOKED_THROUGH}")).get("data") or []
        )
        since = batch.written_at[:19]  # to the second: their clock may lag by a fraction
        same = [one for one in found if str(one.get("created_at"))[:19] >= since and _size(one) == batch.size]
        return str(same[-1]["id"]) if same else ""

    async def look(self, id: str) -> BatchProgress:
        """Read the batch object."""
        found = _object(await self.ask(f"/v1/messages/batches/{id}"))
        counts, word = found.get("request_counts") or {}, str(found.get("processing_status"))
        cancelled = word == "ended" and found.get("cancel_initiated_at")
        return BatchProgress(
            word="cancelled" if cancelled else "completed" if word == "ended" else word,
            ended=word == "ended",
            done=_size(found) - int(counts.get("processing") or 0),
            files=(f"/v1/messages/batches/{id}/results",),
        )

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Read the file of results."""
        return [_individual(line) for path in progress.files for line in _lines(await self.ask(path))]

    async def cancel(self, id: str) -> None:
        """Ask for the end of the batch."""
        await self.ask(f"/v1/messages/batches/{id}/cancel", body={})


def _individual(line: Mapping[str, Any]) -> BatchResult:
    """Read one line of Anthropic's results."""
    result = line.get("result") or {}
    name, kind, answer = str(line.get("custom_id")), str(result.get("type")), None
    if kind == "succeeded":
        answer = HttpResponse(200, {}, _json(result["message"]))
    elif kind == "errored":
        error = result.get("error") or {}
        error = error.get("error") or error
        answer = HttpResponse(STATUS.get(str(error.get("type")), 500), {}, _json({"error": error}))
    return BatchResult(name, answer, kind)


def _size(found: Mapping[str, Any]) -> int:
    return sum(int(count or 0) for count in (found.get("request_counts") or {}).values())


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _object(answer: HttpResponse) -> dict[str, Any]:
    """Return the object in an answer.

    Raises:
        Fault: there is none.
    """
    try:
        found = json.loads(answer.raw)
    except ValueError as error:
        raise ProviderError("broken JSON", billed=True) from error
    if not isinstance(found, dict):
        raise ProviderError("a body that is no object", billed=True)
    return found


def _lines(answer: HttpResponse) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file; a line ends at a line feed and nowhere else.

    Raises:
        Fault: a line is none; the file is fetched again.
    """
    for raw in answer.raw.split(b"\n"):
        if raw.strip():
            yield _object(HttpResponse(200, {}, raw))
