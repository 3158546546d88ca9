"""A provider on loopback for tests: it answers from a function, in three protocols, and fails on request.

    POST /v1/chat/completions, /openai/deployments/NAME/chat/completions     OpenAI's protocol and Azure's
    POST /v1/messages              the same in Anthropic's protocol
    GET  /v1/models                the one model there is
    files and batches              see `batches`

`InjectedFaults` says what goes wrong, by the request and the attempt (header X-Alif-Attempt).
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from alif.llm.chat_model import ReplyFunction, ScriptedReply
from tests.fake_provider.batches import BatchFaults, FakeBatches, ServedRequest
from tests.fake_provider.faults import InjectedFaults
from tests.fake_provider.replies import completion, counted, error, is_anthropic, messages, named

__all__ = ["BatchFaults", "FakeProvider", "InjectedFaults", "ServedRequest", "serve_provider"]

HANG_S = 60.0
"""How long a hung request stays without an answer."""
_LIVE = re.compile("/v1/chat/completions|/openai/deployments/[^/]+/chat/completions|/v1/messages")


class FakeProvider(ThreadingHTTPServer):
    """A server that answers from a script. `served` lists what it did, in the order that it was done."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, script: ReplyFunction, chaos: InjectedFaults | None = None, habits: BatchFaults | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.chaos = chaos or InjectedFaults()
        self.served: list[ServedRequest] = []
        self.batches = FakeBatches(self.ask, self.served, habits or BatchFaults())
        self.failure: Exception | None = None
        """What the script itself raised: a bug, for whoever closes the server."""
        self.closing = threading.Event()
        self.piece_s = 0.0
        """How long it waits between two pieces of a reply that is streamed."""

    @property
    def address(self) -> str:
        """The address to give to a client."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def ask(self, body: dict[str, Any], draw: int) -> ScriptedReply:
        """Ask the script; its own failure is a refusal for the client and kept for whoever closes the
        server."""
        try:
            return self.script(messages(body), draw)
        except Exception as failure:  # whatever a script can raise must not look like a provider's trouble
            self.failure = failure
            return ScriptedReply(text=f"the script failed: {failure!r}", status=422, code="script_failed")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a client that left; anything else is a bug."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve_provider(
    script: ReplyFunction, chaos: InjectedFaults | None = None, habits: BatchFaults | None = None
) -> Iterator[FakeProvider]:
    """Run a scripted server for the length of a block."""
    server = FakeProvider(script, chaos, habits)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="scripted teacher"
    )
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FakeProvider
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the screen clean."""

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v1/models":
            self._send(
                200, {"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "alif"}]}
            )
        else:
            self._send_bytes(*self.server.batches.get(self.path))

    def do_POST(self) -> None:
        raw = self.rfile.read(length := int(self.headers["Content-Length"]))
        if len(raw) < length:
            raise ConnectionResetError("the client left in the middle of its request")
        path = self.path.partition("?")[0].rstrip("/")
        if _LIVE.fullmatch(path):
            self._live(json.loads(raw), is_anthropic(path))
        else:
            self._send_bytes(*self.server.batches.post(path, raw, self.headers["Content-Type"]))

    def _live(self, body: dict[str, Any], anthropic: bool) -> None:
        draw, attempt = (int(self.headers.get(f"X-Alif-{name}", "0")) for name in ("Draw", "Attempt"))
        name = named(body, draw)
        self.server.closing.wait(self.server.chaos.delay_s(name, attempt))
        fault = self.server.chaos.no_reply(name, attempt)
        if fault in ("crowded", "crowded_until", "error", "hung"):
            self.server.served.append(ServedRequest(name, attempt, fault))
            self._refuse(fault)
            return
        reply = self.server.ask(body, draw)
        if reply.status >= 400:
            self.server.served.append(ServedRequest(name, attempt, str(reply.status)))
            self._send(reply.status, error(reply.text, reply.code))
            return
        content = completion(name, body, reply, self.server.chaos.other_reply(name), anthropic)
        self.server.served.append(ServedRequest(name, attempt, fault, *counted(content)))
        if body.get("stream") and not anthropic and not fault:
            self._stream(content)
        else:
            self._answer(content, fault)

    def _stream(self, content: dict[str, Any]) -> None:
        """Send a completion word by word, as server-sent events."""
        choice = content["choices"][0]
        words = re.findall(r"\s*\S+|\s+$", choice["message"]["content"])
        events: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"content": word}}]} for word in words
        ]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
        events.append({"choices": [], "usage": content["usage"]})
        lines = [json.dumps({"id": content["id"], "model": content["model"], **one}) for one in events]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in [*lines, "[DONE]"]:
            raw = f"data: {line}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
            self.wfile.flush()
            self.server.closing.wait(self.server.piece_s)
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def _refuse(self, fault: str) -> None:
        if fault == "hung":
            self.server.closing.wait(HANG_S)
            self.close_connection = True
        elif fault == "error":
            self._send(500, error("the server had an error", "server_error"))
        else:
            asked = (
                {"Retry-After": f"{self.server.chaos.retry_after_s:g}"} if fault == "crowded_until" else {}
            )
            self._send(429, error("too many requests", "rate_limit_exceeded"), asked)

    def _answer(self, content: dict[str, Any], fault: str) -> None:
        raw = json.dumps(
            content | {"choices": [], "content": None} if fault == "choiceless" else content
        ).encode()
        if fault == "broken":
            raw = raw[: len(raw) // 2]
        elif fault == "empty":
            raw = b""
        self._send_bytes(200, raw, cut=fault == "closed")

    def _send(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(content).encode(), headers)

    def _send_bytes(
        self, status: int, raw: bytes, headers: dict[str, str] | None = None, cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(raw)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw[: len(raw) // 2] if cut else raw)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut
