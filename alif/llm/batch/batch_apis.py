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
from typing import TypeVar

from pydantic import JsonValue

from alif.llm.batch.batch_store import Batch
from alif.llm.http import HttpResponse
from alif.llm.provider_error import ProviderError
from alif.records import FrozenModel

__all__ = ["AnthropicBatchApi", "BatchApi", "BatchProgress", "BatchResult", "OpenAIBatchApi"]

Model = TypeVar("Model", bound=FrozenModel)

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


class _Error(FrozenModel, extra="ignore"):
    code: str | None = None
    message: str | None = None


class _Errors(FrozenModel, extra="ignore"):
    data: Sequence[_Error] | None = None


class _Object(FrozenModel, extra="ignore"):
    """A file or batch of either API; the last three fields are Anthropic's."""

    id: str
    status: str = ""
    metadata: Mapping[str, str] | None = None
    request_counts: Mapping[str, int | None] | None = None
    errors: _Errors | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    processing_status: str = ""
    created_at: datetime | None = None
    cancel_initiated_at: str | None = None

    def count(self, *names: str) -> int:
        """Return how many requests are in these states; without names, in all."""
        counts = self.request_counts or {}
        return sum(counts.get(name) or 0 for name in names or counts)


class _Listing(FrozenModel, extra="ignore"):
    data: Sequence[_Object] = ()


class _Response(FrozenModel, extra="ignore"):
    status_code: int
    body: JsonValue = None


class _Outcome(FrozenModel, extra="ignore"):
    type: str = ""
    message: JsonValue = None
    error: JsonValue = None


class _Result(FrozenModel, extra="ignore"):
    """A line of results: `response` or `error` in OpenAI's API, `result` in Anthropic's."""

    custom_id: str = ""
    response: _Response | None = None
    error: _Error | None = None
    result: _Outcome = _Outcome()


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
        file = _parse(_Object, await self.send("/files", body={"purpose": "batch"}, files=[form]))
        body = {"input_file_id": file.id, "endpoint": self.endpoint, "completion_window": "24h"}
        return _parse(_Object, await self.send("/batches", body=body | {"metadata": {"alif": token}})).id

    async def find_by_token(self, batch: Batch, known_ids: Collection[str]) -> str:
        """Return the id of a batch that was created before its id could be stored, "" if there is none."""
        found = _parse(_Listing, await self.send(f"/batches?limit={LISTED_BATCHES}")).data
        return next((one.id for one in found if (one.metadata or {}).get("alif") == batch.token), "")

    async def status(self, id: str) -> BatchProgress:
        """Return how far a batch is."""
        found = _parse(_Object, await self.send(f"/batches/{id}"))
        errors = (found.errors and found.errors.data) or ()
        files = (found.output_file_id, found.error_file_id)
        return BatchProgress(
            state=found.status,
            ended=found.status in ("completed", "failed", "expired", "cancelled"),
            done=found.count("completed", "failed"),
            files=tuple(f"/files/{file}/content" for file in files if file),
            refusal=str(errors[0].message or errors[0].code) if found.status == "failed" and errors else "",
            queue_full=any(error.code == "token_limit_exceeded" for error in errors),
        )

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Fetch the results of a batch that has ended."""
        found = []
        for line in [line for path in progress.files for line in _parse_lines(await self.send(path))]:
            said = line.response
            response = HttpResponse(said.status_code, {}, _json(said.body)) if said else None
            reason = (line.error and line.error.code) or "no response"
            found.append(BatchResult(line.custom_id, response, reason))
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
        return _parse(_Object, await self.send("/v1/messages/batches", body=body)).id

    async def find_by_token(self, batch: Batch, known_ids: Collection[str]) -> str:
        """Return the id of the batch of this size, created nearest to that time, that the ledger does not
        have.

        Where it is somebody else's, its results have other names, and none of them is stored.
        """
        found = _parse(_Listing, await self.send(f"/v1/messages/batches?limit={LISTED_BATCHES}")).data
        written_at = datetime.fromisoformat(batch.written_at)
        ages_s = {
            one.id: (one.created_at - written_at).total_seconds()
            for one in found
            if one.created_at and one.count() == batch.size and one.id not in known_ids
        }
        possible = [name for name, age_s in ages_s.items() if age_s > -CLOCK_TOLERANCE_S]
        return min(possible, key=lambda name: abs(ages_s[name]), default="")

    async def status(self, id: str) -> BatchProgress:
        """Return how far a batch is."""
        found = _parse(_Object, await self.send(f"/v1/messages/batches/{id}"))
        ended, state = found.processing_status == "ended", found.processing_status
        if ended:
            state = "cancelled" if found.cancel_initiated_at else "completed"
        done = found.count() - found.count("processing")
        return BatchProgress(state, ended, done, (f"/v1/messages/batches/{id}/results",))

    async def results(self, progress: BatchProgress) -> list[BatchResult]:
        """Fetch the results of a batch that has ended."""
        found = []
        for line in _parse_lines(await self.send(progress.files[0])):
            response, error = None, line.result.error
            if line.result.type == "succeeded":
                response = HttpResponse(200, {}, _json(line.result.message))
            elif line.result.type == "errored":
                error = error.get("error", error) if isinstance(error, dict) else error
                kind = str(error.get("type")) if isinstance(error, dict) else ""
                response = HttpResponse(ERROR_STATUS.get(kind, 500), {}, _json({"error": error}))
            found.append(BatchResult(line.custom_id, response, line.result.type))
        return found

    async def cancel(self, id: str) -> None:
        """Ask for the end of a batch; what is done stays."""
        await self.send(f"/v1/messages/batches/{id}/cancel", body={})


BatchApi = OpenAIBatchApi | AnthropicBatchApi


def _json(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _parse(model: type[Model], response: HttpResponse) -> Model:
    """Parse a response.

    Raises:
        ProviderError: it is something else; it is fetched again.
    """
    try:
        return model.model_validate(json.loads(response.raw))
    except ValueError as error:
        raise ProviderError("broken JSON", may_be_billed=True) from error


def _parse_lines(response: HttpResponse) -> list[_Result]:
    """Parse a file of results; a line ends at a line feed and nowhere else."""
    lines = (line for line in response.raw.split(b"\n") if line.strip())
    return [_parse(_Result, HttpResponse(200, {}, line)) for line in lines]
