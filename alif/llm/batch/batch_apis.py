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
from alif.llm.reply_body import stated_status, value_at

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
        file = _read_id(await self.send("/files", body={"purpose": "batch"}, files=[form]))
        body = {"input_file_id": file, "endpoint": self.endpoint, "completion_window": "24h"}
        return _read_id(await self.send("/batches", body=body | {"metadata": {"alif": token}}))

    async def find_by_token(self, batch: Batch, known_ids: Collection[str]) -> str:
        """Return the id of a batch that was created before its id could be stored, "" if there is none."""
        found = _read_list(await self.send(f"/batches?limit={LISTED_BATCHES}"))
        mine = (one for one in found if value_at(one, "metadata", "alif") == batch.token)
        return str(value_at(next(mine, None), "id") or "")

    async def status(self, id: str) -> BatchProgress:
        """Return how far a batch is."""
        found = _read(await self.send(f"/batches/{id}"))
        state, counts, errors = str(found.get("status")), found.get("request_counts"), found.get("errors")
        files = (found.get("output_file_id"), found.get("error_file_id"))
        errors = value_at(errors, "data") or errors
        listed: list[object] = errors if isinstance(errors, list) else [errors] if errors else []
        words = [value_at(one, "message") or value_at(one, "code") or one for one in listed]
        return BatchProgress(
            state=state,
            ended=state in ("completed", "failed", "expired", "cancelled"),
            done=sum(_count(value_at(counts, key)) for key in ("completed", "failed")),
            files=tuple(f"/files/{file}/content" for file in files if file),
            refusal=str(words[0]) if state == "failed" and words else "",
            queue_full=any(value_at(one, "code") == "token_limit_exceeded" for one in listed),
        )

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Fetch the results of a batch that has ended."""
        found = []
        for line in [line for path in progress.files for line in _read_lines(await self.send(path))]:
            said, error = line.get("response"), line.get("error")
            reason = str(value_at(error, "code") or (error if isinstance(error, str) else "no response"))
            response = None
            if isinstance(said, dict):
                body = said.get("body", said)
                status = _count(said.get("status_code")) or (stated_status(error) or 500 if error else 200)
                response = HttpResponse(status, {}, _json(body))
            found.append(BatchResult(str(line.get("custom_id")), response, reason))
        return found

    async def cancel(self, id: str) -> None:
        """Ask for the end of a batch; what is done stays."""
        await self.send(f"/batches/{id}/cancel", body={})


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
        return _read_id(await self.send("/v1/messages/batches", body=body))

    async def find_by_token(self, batch: Batch, known_ids: Collection[str]) -> str:
        """Return the id of the unknown batch of this size that was created nearest to that time, or "".

        Where it is somebody else's, its results have other names, and none of them is stored.
        """
        found = _read_list(await self.send(f"/v1/messages/batches?limit={LISTED_BATCHES}"))
        written_at = datetime.fromisoformat(batch.written_at)
        ages_s = {
            str(one["id"]): (datetime.fromisoformat(str(one["created_at"])) - written_at).total_seconds()
            for one in found
            if _count_requests(one) == batch.size and str(one["id"]) not in known_ids
        }
        possible = [name for name, age_s in ages_s.items() if age_s > -CLOCK_TOLERANCE_S]
        return min(possible, key=lambda name: abs(ages_s[name]), default="")

    async def status(self, id: str) -> BatchProgress:
        """Return how far a batch is."""
        found = _read(await self.send(f"/v1/messages/batches/{id}"))
        state = str(found.get("processing_status"))
        if ended := state == "ended":
            state = "cancelled" if found.get("cancel_initiated_at") else "completed"
        done = _count_requests(found) - _count(value_at(found, "request_counts", "processing"))
        return BatchProgress(state, ended, done, (f"/v1/messages/batches/{id}/results",))

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Fetch the results of a batch that has ended."""
        found = []
        for line in _read_lines(await self.send(progress.files[0])):
            result, response = line.get("result"), None
            kind = str(value_at(result, "type"))
            if kind == "succeeded":
                response = HttpResponse(200, {}, _json(value_at(result, "message")))
            elif kind == "errored":
                error = value_at(result, "error", "error") or value_at(result, "error")
                response = HttpResponse(stated_status(error) or 500, {}, _json({"error": error}))
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


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _count_requests(batch: Mapping[str, Any]) -> int:
    counts = batch.get("request_counts")
    return sum(map(_count, counts.values())) if isinstance(counts, dict) else 0


def _read(response: HttpResponse) -> dict[str, Any]:
    """Return the JSON object in a response.

    Raises:
        ProviderError: there is none; it is fetched again.
    """
    try:
        found = json.loads(response.raw)
    except (ValueError, RecursionError) as error:
        raise ProviderError("broken JSON", may_be_billed=True) from error
    if not isinstance(found, dict):
        raise ProviderError("a body that is no object", may_be_billed=True)
    return found


def _read_id(response: HttpResponse) -> str:
    """Return the id in a response.

    Raises:
        ProviderError: there is none; perhaps something was created all the same.
    """
    if not (id := _read(response).get("id")):
        raise ProviderError("a body without an id", may_be_billed=True)
    return str(id)


def _read_list(response: HttpResponse) -> list[dict[str, Any]]:
    """Return the batches in a list, those that have an id."""
    found = _read(response).get("data")
    return [one for one in found if value_at(one, "id")] if isinstance(found, list) else []


def _read_lines(response: HttpResponse) -> list[dict[str, Any]]:
    """Read a file of results; a line ends at a line feed and nowhere else.

    A line that is no object is left out: its request counts as one without a result.

    Raises:
        ProviderError: there are lines, and none is an object: it is no such file.
    """
    found, refused = [], None
    for line in response.raw.split(b"\n"):
        if line.strip():
            try:
                found.append(_read(HttpResponse(200, {}, line)))
            except ProviderError as error:
                refused = error
    if refused and not found:
        raise refused
    return found
