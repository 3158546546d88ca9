"""The offline teacher of `base_url = "scripted"`: an OpenAI-compatible server on loopback.

It is a real HTTP server in a daemon thread, so it ends with the process, and the demo takes the same path as
a paid teacher: client, ledger, budget, limiter. Equal requests get equal bytes; the draw comes in the header
X-Alif-Draw.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import JsonValue

from alif.llm.chat_model import ReplyFunction, ScriptedReply
from alif.records import FrozenModel, Message

__all__ = ["DemoServer", "serve_demo"]

BYTES_PER_TOKEN = 4
"""How this server counts tokens: UTF-8 bytes, about what GPT-4o's tokenizer makes of Urdu."""


class DemoRequest(FrozenModel, extra="ignore"):
    """What the server reads of a request's body."""

    model: str
    messages: Sequence[Message]
    max_tokens: int = sys.maxsize


class DemoServer(ThreadingHTTPServer):
    """A server that answers from a function."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, reply_function: ReplyFunction) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply_function = reply_function
        self.failure: Exception | None = None
        """What the function itself raised: a bug, for whoever closes the server."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect; anything else is a bug."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # private types


@contextmanager
def serve_demo(reply_function: ReplyFunction) -> Iterator[DemoServer]:
    """Run the offline teacher for the length of a block."""
    server = DemoServer(reply_function)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="offline teacher"
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: DemoServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing to the terminal."""

    def do_POST(self) -> None:
        raw = self.rfile.read(length := int(self.headers["Content-Length"]))
        if len(raw) < length:
            raise ConnectionResetError("the client disconnected in the middle of its request")
        request, draw = DemoRequest.model_validate_json(raw), int(self.headers.get("X-Alif-Draw", "0"))
        try:
            reply = self.server.reply_function(request.messages, draw)
        except Exception as failure:  # a bug in the function must not look like a provider's error
            self.server.failure = self.server.failure or failure
            reply = ScriptedReply(text=f"the reply function failed: {failure!r}", status=422, code="failed")
        body: dict[str, JsonValue] = {
            "error": {"message": reply.text, "type": reply.code, "code": reply.code}
        }
        if reply.status == 200:
            name = hashlib.sha256(json.dumps([json.loads(raw), draw], sort_keys=True).encode()).hexdigest()[
                :24
            ]
            body = completion(name, request, reply)
        content = json.dumps(body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def completion(name: str, request: DemoRequest, reply: ScriptedReply) -> dict[str, JsonValue]:
    """Return a reply's body, cut off at the request's max_tokens as real servers do."""
    text, finish = reply.text, reply.finish
    if count_tokens(text) > request.max_tokens:
        text = text.encode()[: request.max_tokens * BYTES_PER_TOKEN].decode("utf-8", "ignore")
        finish = "length"
    tokens_in = sum(count_tokens(message.content) + 4 for message in request.messages)
    tokens_out = count_tokens(text)
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": 0,
        "model": request.model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def count_tokens(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
