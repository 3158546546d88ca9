"""A chat server on loopback that answers each request with its last message, and sends some answers twice."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

TOKENS = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
ANSWER_S = 0.004
LATE_S = 0.02


def http(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def completion(text: str, name: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"id": name, "model": "m", "choices": [choice], "usage": TOKENS}).encode()


class RepeatingServer:
    """Repeats every tenth answer: "late" (after 20 ms), "at once" (same packet) or "in parts"."""

    def __init__(self, habit: str, respond: Callable[[str, int], bytes]) -> None:
        self.habit, self.respond = habit, respond
        self.connections = self.answered = self.repeated = 0
        self.address = ""
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def push(self, raw: bytes) -> None:
        """Send bytes on every open connection, and return when they are sent."""

        async def send() -> None:
            for writer in list(self._writers):
                writer.write(raw)
                await writer.drain()

        asyncio.run_coroutine_threadsafe(send(), self._loop).result(5)

    async def run(self, started: threading.Event, context: ssl.SSLContext | None) -> None:
        """Serve until `stop` is called from another thread."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context) as server:
            self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            started.set()
            await self._stopping.wait()
        for writer in self._writers:
            writer.transport.abort()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
                )
                raw = await reader.readexactly(int(length.partition(b":")[2]))
                await asyncio.sleep(ANSWER_S)
                self.answered += 1
                self._send(writer, self.respond(json.loads(raw)["messages"][-1]["content"], self.answered))
                await writer.drain()
        self._writers.discard(writer)
        writer.close()

    def _send(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        again = answer if self.habit and self.answered % 10 == 0 else b""
        self.repeated += bool(again)
        now = {"at once": len(again), "in parts": len(again) // 2}.get(self.habit, 0)
        writer.write(answer + again[:now])
        if again[now:]:
            self._tasks.add(asyncio.create_task(self._later(writer, again[now:])))

    async def _later(self, writer: asyncio.StreamWriter, raw: bytes) -> None:
        await asyncio.sleep(LATE_S)
        if not writer.is_closing():
            writer.write(raw)


@contextmanager
def repeating(
    habit: str = "", respond: Callable[[str, int], bytes] | None = None, context: ssl.SSLContext | None = None
) -> Iterator[RepeatingServer]:
    """Run the server during the block; `respond` turns the last message and its number into a response."""
    server = RepeatingServer(
        habit, respond or (lambda text, number: http(completion(text, f"chatcmpl-{number}")))
    )
    started = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server.run(started, context)), daemon=True)
    thread.start()
    assert started.wait(5)
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
