"""The fake provider's batches: files and batches as OpenAI has them, and Anthropic's Message Batches.

    POST /v1/files · GET /v1/files/ID/content · POST /v1/batches · GET /v1/batches[/ID] · POST
        /v1/batches/ID/cancel
    POST /v1/messages/batches · GET /v1/messages/batches[/ID[/results]] · POST /v1/messages/batches/ID/cancel

A batch is done after so many status requests; its results are in another order than its requests.
`BatchFaults` says what goes wrong."""

from __future__ import annotations

import email
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from alif.llm.chat_model import ScriptedReply
from tests.fake_provider.replies import completion, counted, error, named

__all__ = ["BatchFaults", "FakeBatches", "ServedRequest"]

Sent = tuple[int, bytes]


@dataclass(frozen=True)
class ServedRequest:
    """What the server did with one attempt: its own record, to be compared with the ledger."""

    id: str
    """The reply's id, made of model, messages, settings and draw."""
    attempt: int
    fault: str
    """"" where a reply was sent, else which fault, or the status of a refusal."""
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True)
class BatchFaults:
    """How the batch counters behave."""

    looks: int = 2
    """Looks at a batch until it is done."""
    errors: float = 0.0
    """Share of the requests that fail with 500 the first time that they are in a batch."""
    expired: float = 0.0
    """Share of the requests that the first batch leaves undone when it expires."""
    refused: str = ""
    """Error code with which the first batch is refused as a whole."""
    made_s: float = 0.0
    """How long the answer to a new batch takes after the batch is there."""
    closed: bool = False
    """Whether there are no batch counters here."""


@dataclass
class Held:
    """A batch at the server."""

    id: str
    requests: list[tuple[str, dict[str, Any]]]
    """Name and body of each request."""
    anthropic: bool
    first: bool
    metadata: dict[str, str]
    made: datetime
    looks: int = 0
    word: str = "in_progress"
    results: list[dict[str, Any]] = field(default_factory=list)


class FakeBatches:
    """Every file and batch at the server."""

    def __init__(
        self,
        ask: Callable[[dict[str, Any], int], ScriptedReply],
        served: list[ServedRequest],
        habits: BatchFaults,
    ) -> None:
        self.held: dict[str, Held] = {}
        self.habits = habits
        self._ask, self._served = ask, served
        self._files: dict[str, bytes] = {}
        self._failed: set[str] = set()
        self._lock = threading.Lock()

    def post(self, path: str, raw: bytes, kind: str) -> Sent:
        """Answer a POST with status and body."""
        if self.habits.closed:
            return _sent(404, error(f"no such path: {path}", "not_found"))
        with self._lock:
            status, content = self._post(path, raw, kind)
        if path.endswith("/batches"):
            time.sleep(self.habits.made_s)
        return _sent(status, content)

    def _post(self, path: str, raw: bytes, kind: str) -> tuple[int, dict[str, Any]]:
        parts = path.strip("/").split("/")
        if path == "/v1/files":
            id = f"file-{len(self._files)}"
            self._files[id] = _form_file(raw, kind)
            return 200, {"id": id, "object": "file", "bytes": len(self._files[id]), "purpose": "batch"}
        body = json.loads(raw)
        if path == "/v1/batches":
            lines = [json.loads(line) for line in self._files[body["input_file_id"]].split(b"\n") if line]
            requests = [(line["custom_id"], line["body"]) for line in lines]
            return 200, self._shown(self._make("batch", requests, body.get("metadata") or {}))
        if path == "/v1/messages/batches":
            requests = [(one["custom_id"], one["params"]) for one in body["requests"]]
            return 200, self._shown(self._make("msgbatch", requests, {}))
        if parts[-1] == "cancel" and (held := self.held.get(parts[-2])):
            if held.word == "in_progress":
                self._end(held, held.requests[: len(held.requests) // 2], "cancelled")
            return 200, self._shown(held)
        return 404, error(f"no such path: {path}", "not_found")

    def get(self, path: str) -> Sent:
        """Answer a GET with status and body."""
        path, _, _ = path.partition("?")
        parts = path.strip("/").split("/")
        with self._lock:
            if path in ("/v1/batches", "/v1/messages/batches"):
                shown = [
                    self._shown(held)
                    for held in reversed(self.held.values())
                    if held.anthropic == ("messages" in parts)
                ]
                return _sent(200, {"data": shown})
            if parts[-1] == "results" and parts[-2] in self.held:
                return 200, _lines(self.held[parts[-2]].results)
            if parts[-1] == "content" and parts[-2] in self._files:
                return 200, self._files[parts[-2]]
            if parts[-2:-1] == ["batches"] and (held := self.held.get(parts[-1])):
                self._look(held)
                return _sent(200, self._shown(held))
        return _sent(404, error(f"no such path: {path}", "not_found"))

    def _make(self, kind: str, requests: list[tuple[str, dict[str, Any]]], metadata: dict[str, str]) -> Held:
        number = len(self.held)
        held = Held(
            f"{kind}_{number}", requests, kind == "msgbatch", number == 0, metadata, datetime.now(UTC)
        )
        self.held[held.id] = held
        if number == 0 and self.habits.refused:
            held.word = "failed"
        return held

    def _look(self, held: Held) -> None:
        held.looks += 1
        if held.word != "in_progress" or held.looks < self.habits.looks:
            return
        left = self.habits.expired if held.first else 0.0
        done = [(name, body) for name, body in held.requests if _share(f"expired {name}") >= left]
        self._end(held, done, "expired" if left else "completed")

    def _end(self, held: Held, done: list[tuple[str, dict[str, Any]]], word: str) -> None:
        """Ask the script for every request that is done, and lay the results down in another order."""
        held.word = word
        names = {name for name, _ in done}
        results = [self._result(name, body, held.anthropic) for name, body in done]
        undone = [name for name, _ in held.requests if name not in names]
        if held.anthropic:
            results += [
                {"custom_id": name, "result": {"type": word.replace("cancelled", "canceled")}}
                for name in undone
            ]
        else:
            code = f"batch_{word}"
            results += [
                {"custom_id": name, "response": None, "error": {"code": code, "message": code}}
                for name in undone
            ]
        held.results = sorted(
            results, key=lambda result: hashlib.sha256(str(result["custom_id"]).encode()).digest()
        )
        if not held.anthropic:
            good = [one for one in held.results if (one["response"] or {}).get("status_code") == 200]
            self._files[f"{held.id}-output"] = _lines(good)
            self._files[f"{held.id}-errors"] = _lines([one for one in held.results if one not in good])

    def _result(self, name: str, body: dict[str, Any], anthropic: bool) -> dict[str, Any]:
        draw = int(name.rpartition("-")[2])
        id = named(body, draw)
        if name not in self._failed and _share(f"error {name}") < self.habits.errors:
            self._failed.add(name)
            status, content = 500, error("the server had an error", "api_error")
        else:
            reply = self._ask(body, draw)
            status, content = reply.status, error(reply.text, reply.code)
            if status == 200:
                content = completion(id, body, reply, "", anthropic)
        tokens = counted(content) if status == 200 else (0, 0)
        self._served.append(ServedRequest(id, 0, "" if status == 200 else str(status), *tokens))
        if anthropic:
            errored = {"type": "errored", "error": content}
            return {
                "custom_id": name,
                "result": {"type": "succeeded", "message": content} if status == 200 else errored,
            }
        return {
            "custom_id": name,
            "response": {"status_code": status, "request_id": id, "body": content},
            "error": None,
        }

    def _shown(self, held: Held) -> dict[str, Any]:
        """Return a batch as its protocol shows it."""
        ended = held.word != "in_progress"
        size = len(held.requests)
        if held.anthropic:
            counts = {"processing": 0 if ended else size, "succeeded": size if ended else 0}
            return {
                "id": held.id,
                "type": "message_batch",
                "processing_status": "ended" if ended else "in_progress",
                "request_counts": counts,
                "created_at": held.made.isoformat(),
                "cancel_initiated_at": held.made.isoformat() if held.word == "cancelled" else None,
                "results_url": f"/v1/messages/batches/{held.id}/results" if ended else None,
            }
        done = size if ended else size * held.looks // self.habits.looks
        failure = {"data": [{"code": self.habits.refused, "message": f"refused: {self.habits.refused}"}]}
        there = ended and held.word != "failed"
        return {
            "id": held.id,
            "object": "batch",
            "status": held.word,
            "metadata": held.metadata,
            "request_counts": {"total": size, "completed": done, "failed": 0},
            "errors": failure if held.word == "failed" else None,
            "output_file_id": f"{held.id}-output" if there else None,
            "error_file_id": f"{held.id}-errors" if there else None,
        }


def _share(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64


def _form_file(raw: bytes, kind: str) -> bytes:
    """Return the file in a form."""
    parts: Iterator[Any] = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw).walk()
    return next(bytes(part.get_payload(decode=True)) for part in parts if part.get_filename())


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _sent(status: int, content: dict[str, Any]) -> Sent:
    return status, json.dumps(content).encode()
