"""The offline teacher: an OpenAI-compatible server on loopback that answers from a script, and misbehaves on request.

    POST /v1/chat/completions      answered by a Script: a pure function of the messages and the draw (header X-Alif-Draw)
    GET  /v1/models                the one model there is

It is a real HTTP server in a daemon thread, so it ends with the process, and everything on the way to a paid teacher is on the
way to it: client, ledger, budget, limiter. `Chaos` says how it misbehaves, by the request and the attempt (X-Alif-Attempt).
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from alif.models.chaos import Chaos
from alif.models.chat import Message, Script, ScriptedReply

__all__ = ["Chaos", "ScriptedServer", "Served", "serve"]

BYTES_PER_TOKEN = 4
"""How this server counts tokens: UTF-8 bytes, about what GPT-4o's tokenizer makes of Urdu."""
HUGE_BYTES = 1_000_000
HANG_S = 60.0
"""How long a hung request stays without an answer."""


@dataclass(frozen=True)
class Served:
    """What the server did with one attempt: its own record, to be compared with the ledger."""

    id: str
    """The reply's id, made of model, messages, settings and draw."""
    attempt: int
    fault: str
    """"" where a reply was sent, else which fault, or the status of a refusal."""
    tokens_in: int = 0
    tokens_out: int = 0


class ScriptedServer(ThreadingHTTPServer):
    """A server that answers from a script. `served` lists what it did, in the order that it was done."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, script: Script, chaos: Chaos | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.chaos = chaos or Chaos()
        self.served: list[Served] = []
        self.failure: Exception | None = None
        """What the script itself raised: a bug, for whoever closes the server."""
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        """The address to give to a client."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a client that left; anything else is a bug."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(script: Script, chaos: Chaos | None = None) -> Iterator[ScriptedServer]:
    """Run a scripted server for the length of a block."""
    server = ScriptedServer(script, chaos)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="scripted teacher")
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the screen clean."""

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v1/models":
            self._send(200, {"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "alif"}]})
        else:
            self._send(404, _error(f"no such path: {self.path}", "not_found"))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.rstrip("/") != "/v1/chat/completions":
            self._send(404, _error(f"no such path: {self.path}", "not_found"))
            return
        draw, attempt = (int(self.headers.get(f"X-Alif-{name}", "0")) for name in ("Draw", "Attempt"))
        name = hashlib.sha256(json.dumps([body, draw], sort_keys=True).encode()).hexdigest()[:24]
        self.server.closing.wait(self.server.chaos.delay_s(name, attempt))
        fault = self.server.chaos.no_reply(name, attempt)
        if fault in ("crowded", "crowded_until", "error", "hung"):
            self.server.served.append(Served(name, attempt, fault))
            self._refuse(fault)
            return
        reply = self._ask(body, draw)
        if reply.status >= 400:
            self.server.served.append(Served(name, attempt, str(reply.status)))
            self._send(reply.status, _error(reply.text, reply.code))
            return
        content = _completion(name, body, reply, self.server.chaos.other_reply(name))
        usage = content["usage"]
        self.server.served.append(Served(name, attempt, fault, usage["prompt_tokens"], usage["completion_tokens"]))
        self._answer(content, fault)

    def _ask(self, body: dict[str, Any], draw: int) -> ScriptedReply:
        """Ask the script; its own failure is a refusal for the client and kept for whoever closes the server."""
        try:
            return self.server.script([Message.model_validate(message) for message in body["messages"]], draw)
        except Exception as error:  # whatever a script can raise must not look like a provider's trouble
            self.server.failure = error
            return ScriptedReply(text=f"the script failed: {error!r}", status=422, code="script_failed")

    def _refuse(self, fault: str) -> None:
        if fault == "hung":
            self.server.closing.wait(HANG_S)
            self.close_connection = True
        elif fault == "error":
            self._send(500, _error("the server had an error", "server_error"))
        else:
            asked = {"Retry-After": f"{self.server.chaos.retry_after_s:g}"} if fault == "crowded_until" else {}
            self._send(429, _error("too many requests", "rate_limit_exceeded"), asked)

    def _answer(self, content: dict[str, Any], fault: str) -> None:
        raw = json.dumps(content | {"choices": []} if fault == "choiceless" else content).encode()
        if fault == "broken":
            raw = raw[: len(raw) // 2]
        elif fault == "empty":
            raw = b""
        self._send_bytes(200, raw, cut=fault == "closed")

    def _send(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(content).encode(), headers)

    def _send_bytes(self, status: int, raw: bytes, headers: dict[str, str] | None = None, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2] if cut else raw)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": code, "code": code}}


def _completion(name: str, body: dict[str, Any], reply: ScriptedReply, fault: str) -> dict[str, Any]:
    """Return a whole completion, cut off at the request's max_tokens as real servers do; the same request, the same bytes."""
    most = body.get("max_tokens") or body.get("max_completion_tokens") or sys.maxsize
    text, finish = reply.text, reply.finish
    if _tokens(text) > most:
        text = text.encode()[: most * BYTES_PER_TOKEN].decode("utf-8", "ignore")
        finish = "length"
    tokens_in, tokens_out = sum(_tokens(message["content"]) + 4 for message in body["messages"]), _tokens(text)
    ends = {"huge": "\n" + " " * HUGE_BYTES, "nul": "\x00", "surrogate": "\ud83d"}
    message = {"role": "assistant", "content": text + ends.get(fault, "")}
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out},
    }


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
