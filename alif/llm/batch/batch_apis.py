"""Two batch APIs with the same methods: create a batch, poll its status, fetch its results, cancel it.

OpenAI, Azure and compatible     POST /files ─▶ POST /batches ─▶ GET /batches/ID ─▶ GET /files/ID/content
Anthropic                        POST /v1/messages/batches ─▶ GET …/ID ─▶ GET …/ID/results

Each method is one attempt; the caller retries. Results come in any order, under the names of the requests.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from alif.llm import endpoint as endpoints
from alif.llm.batch.batch_store import Batch
from alif.llm.client import EndpointClient
from alif.llm.http import Files, HttpResponse
from alif.llm.provider_error import ProviderError

__all__ = ["AnthropicBatchApi", "BatchProgress", "BatchResult", "OpenAIBatchApi", "open_batch_api"]

MAX_REQUESTS = 10_000
"""Ours, for both: results are read as a whole. OpenAI takes 50,000 requests a batch, Anthropic 100,000."""
LISTED_BATCHES = 100
"""How many of the latest batches are searched for one that was created just before a kill."""
CLOCK_TOLERANCE_S = 600.0
"""How far the provider's clock may be behind ours."""

Send = Callable[..., Awaitable[HttpResponse]]
"""send(path, body=None, files=()): POST with a body, else GET; raises ProviderError from status 400 on."""


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch is."""

    state: str
    """The provider's word for it."""
    ended: bool
    done: int
    """Requests that are done, with a reply or without."""
    files: tuple[str, ...]
    """Paths of the results."""
    refusal: str = ""
    """Why the provider refused the whole batch."""
    queue_full: bool = False
    """Whether it did so because too much is queued."""


@dataclass(frozen=True)
class BatchResult:
    """The result of one request."""

    name: str
    response: HttpResponse | None
    """None: it was never processed, because the batch expired or was cancelled."""
    reason: str


@dataclass(frozen=True)
class OpenAIBatchApi:
    """Files and Batches. Source: platform.openai.com/docs/guides/batch, read through openai 3.54's types."""

    send: Send
    endpoint: str = "/v1/chat/completions"
    max_bytes: int = 190_000_000
    """Source: the file can be up to 200 MB."""

    def encode(self, name: str, body: Mapping[str, JsonValue]) -> bytes:
        """Return one line of the input file."""
        return _json({"custom_id": name, "method": "POST", "url": self.endpoint, "body": dict(body)}) + b"\n"

    async def create(self, token: str, lines: Sequence[bytes]) -> str:
        """Upload the file, create a batch of it with the token as metadata, and return its id."""
        form = ("file", ("alif.jsonl", b"".join(lines), "application/jsonl"))
        file = _read(await self.send("/files", body={"purpose": "batch"}, files=[form]))
        body = {"input_file_id": file.get("id"), "endpoint": self.endpoint, "completion_window": "24h"}
        return str(_read(await self.send("/batches", body=body | {"metadata": {"alif": token}}))["id"])

    async def find_by_token(self, batch: Batch, known_ids: Collection[str]) -> str:
        """Return the id of a batch that was created before its id could be stored, "" if there is none."""
        found = _read(await self.send(f"/batches?limit={LISTED_BATCHES}")).get("data") or []
        mine = (str(one["id"]) for one in found if (one.get("metadata") or {}).get("alif") == batch.token)
        return next(mine, "")

    async def status(self, id: str) -> BatchProgress:
        """Return how far a batch is."""
        found = _read(await self.send(f"/batches/{id}"))
        state, counts = str(found.get("status")), found.get("request_counts") or {}
        errors = (found.get("errors") or {}).get("data") or []
        files = (found.get("output_file_id"), found.get("error_file_id"))
        return BatchProgress(
            state=state,
            ended=state in ("completed", "failed", "expired", "cancelled"),
            done=(counts.get("completed") or 0) + (counts.get("failed") or 0),
            files=tuple(f"/files/{file}/content" for file in files if file),
            refusal=str(errors[0].get("message") or errors[0].get("code"))
            if state == "failed" and errors
            else "",
            queue_full=any(error.get("code") == "token_limit_exceeded" for error in errors),
        )

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Fetch the results of a batch that has ended."""
        found = []
        for line in [line for path in progress.files for line in _read_lines(await self.send(path))]:
            said, error = line.get("response"), line.get("error") or {}
            response = HttpResponse(int(said["status_code"]), {}, _json(said["body"])) if said else None
            reason = str(error.get("code") or "no response")
            found.append(BatchResult(str(line.get("custom_id")), response, reason))
        return found

    async def cancel(self, id: str) -> None:
        """Ask for the end of a batch; what is done stays."""
        await self.send(f"/batches/{id}/cancel", body={})


ERROR_STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip
"""Statuses of Anthropic's errors, which a batch names by type. Source: docs.anthropic.com/en/api/errors."""


@dataclass(frozen=True)
class AnthropicBatchApi:
    """Message Batches, with the methods of `OpenAIBatchApi`.

    Source: docs.anthropic.com/en/api/creating-message-batches, read through anthropic 2.12's types.
    """

    send: Send
    max_bytes: int = 240_000_000
    """Source: 256 MB a batch."""

    def encode(self, name: str, body: Mapping[str, JsonValue]) -> bytes:
        """Return one entry of `requests`."""
        return _json({"custom_id": name, "params": dict(body)})

    async def create(self, token: str, lines: Sequence[bytes]) -> str:
        """Create a batch and return its id; the API takes no token."""
        body = {"requests": [json.loads(line) for line in lines]}
        return str(_read(await self.send("/v1/messages/batches", body=body))["id"])

    async def find_by_token(self, batch: Batch, known_ids: Collection[str]) -> str:
        """Return the id of the unknown batch of this size that was created nearest to that time, or "".

        Where it is somebody else's, its results have other names, and none of them is stored.
        """
        found = _read(await self.send(f"/v1/messages/batches?limit={LISTED_BATCHES}")).get("data") or []
        written_at = datetime.fromisoformat(batch.written_at)
        ages_s = {
            str(one["id"]): (datetime.fromisoformat(one["created_at"]) - written_at).total_seconds()
            for one in found
            if _count_requests(one) == batch.size and one["id"] not in known_ids
        }
        possible = [name for name, age_s in ages_s.items() if age_s > -CLOCK_TOLERANCE_S]
        return min(possible, key=lambda name: abs(ages_s[name]), default="")

    async def status(self, id: str) -> BatchProgress:
        """Return how far a batch is."""
        found = _read(await self.send(f"/v1/messages/batches/{id}"))
        state = str(found.get("processing_status"))
        if ended := state == "ended":
            state = "cancelled" if found.get("cancel_initiated_at") else "completed"
        done = _count_requests(found) - int((found.get("request_counts") or {}).get("processing") or 0)
        return BatchProgress(state, ended, done, (f"/v1/messages/batches/{id}/results",))

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Fetch the results of a batch that has ended."""
        found = []
        for line in _read_lines(await self.send(progress.files[0])):
            result = line.get("result") or {}
            kind, response = str(result.get("type")), None
            if kind == "succeeded":
                response = HttpResponse(200, {}, _json(result["message"]))
            elif kind == "errored":
                error = result.get("error") or {}
                error = error.get("error") or error
                status = ERROR_STATUS.get(str(error.get("type")), 500)
                response = HttpResponse(status, {}, _json({"error": error}))
            found.append(BatchResult(str(line.get("custom_id")), response, kind))
        return found

    async def cancel(self, id: str) -> None:
        """Ask for the end of a batch; what is done stays."""
        await self.send(f"/v1/messages/batches/{id}/cancel", body={})


def open_batch_api(live: EndpointClient) -> OpenAIBatchApi | AnthropicBatchApi:
    """Return the batch API of an endpoint."""

    async def send(path: str, body: Mapping[str, JsonValue] | None = None, files: Files = ()) -> HttpResponse:
        transport = live.transport
        response = await (transport.get(path) if body is None else transport.post(path, body, files=files))
        if response.status >= 400:
            raise live.classify(response)
        return response

    name = endpoints.protocol_of(live.settings)
    if name == "anthropic":
        return AnthropicBatchApi(send)
    return OpenAIBatchApi(send, "/chat/completions" if name == "azure" else "/v1/chat/completions")


def _json(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _count_requests(batch: Mapping[str, Any]) -> int:
    return sum(int(count or 0) for count in (batch.get("request_counts") or {}).values())


def _read(response: HttpResponse) -> dict[str, Any]:
    """Return the JSON object in a response.

    Raises:
        ProviderError: there is none; it is fetched again.
    """
    try:
        found = json.loads(response.raw)
    except ValueError as error:
        raise ProviderError("broken JSON", may_be_billed=True) from error
    if not isinstance(found, dict):
        raise ProviderError("a body that is no object", may_be_billed=True)
    return found


def _read_lines(response: HttpResponse) -> list[dict[str, Any]]:
    """Read a file of results; a line ends at a line feed and nowhere else."""
    lines = (line for line in response.raw.split(b"\n") if line.strip())
    return [_read(HttpResponse(200, {}, line)) for line in lines]
