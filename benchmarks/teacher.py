"""A scripted teacher: an OpenAI-compatible server on loopback with latency, faults and endless new rows.

    python benchmarks/teacher.py --latency-s 1 --faults 0.05

It prints its address and ends when its standard input is closed. A new request is answered with the next
items of an endless stream of instructions (urdu_texts.py), the same request with the same items. A share of
the attempts fails: 429 with and without Retry-After, 500, or half a body and a closed connection. It counts
the attempts of a request itself, so that any client can be measured against it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator

from urdu_texts import SHARED, instructions, sentences

from alif.language import pack as packs

FAULTS = ("429", "429 with Retry-After", "500", "closed")
OUTPUT_SENTENCES = (1, 4)


class Teacher:
    """Replies by request, and counts of attempts and outcomes."""

    def __init__(self, latency_s: float, faults: float, items: int) -> None:
        self.latency_s, self.faults, self.items = latency_s, faults, items
        self.attempts: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._replies: dict[str, str] = {}
        self._stream = stream()

    def reply(self, name: str) -> str:
        """Return the text for a request, the same for the same request."""
        if name not in self._replies:
            self._replies[name] = "\n###\n".join(itertools.islice(self._stream, self.items))
        return self._replies[name]

    def fault(self, name: str) -> str:
        """Return the fault of this attempt, or ""."""
        self.attempts[name] += 1
        rng = random.Random(f"{name}/{self.attempts[name]}")
        return rng.choice(FAULTS) if rng.random() < self.faults else ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(
            (int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0
        )
        body = await reader.readexactly(length)
        draw = next((line for line in lines if line.startswith("x-alif-draw:")), "")
        name = hashlib.sha256(body + draw.encode()).hexdigest()
        await asyncio.sleep(self.latency_s)
        fault = self.fault(name)
        self.done[fault or "answered"] += 1
        status, extra, content = self._content(name, fault, len(body), body)
        raw = json.dumps(content).encode()
        headers = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
        writer.write(f"{headers}{extra}\r\n".encode() + (raw[: len(raw) // 2] if fault == "closed" else raw))
        await writer.drain()
        return fault != "closed"

    def _content(self, name: str, fault: str, length: int, body: bytes) -> tuple[str, str, dict[str, object]]:
        if fault.startswith("429"):
            error = {
                "message": "too many requests",
                "type": "rate_limit_exceeded",
                "code": "rate_limit_exceeded",
            }
            wait = "Retry-After: 1\r\n" if "Retry" in fault else ""
            return "429 Too Many Requests", wait, {"error": error}
        if fault == "500":
            error = {"message": "trouble", "type": "server_error", "code": "x"}
            return "500 Internal Server Error", "", {"error": error}
        text = self.reply(name)
        sent, received = length // 4, len(text.encode()) // 4
        message = {"role": "assistant", "content": text}
        content = {
            "id": f"chatcmpl-{name[:24]}",
            "object": "chat.completion",
            "created": 0,
            "model": json.loads(body).get("model", "teacher") if body else "teacher",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received},
        }
        return "200 OK", "", content


def stream() -> Iterator[str]:
    """Yield items without end: an instruction, no input, and real sentences as the answer."""
    pack = packs.load_pack("ur")
    real = sentences(SHARED, pack, str.split)
    rng = random.Random(7)
    for words in instructions(real, str.split, seed=7):
        answer = " ".join(word for _ in range(rng.randint(*OUTPUT_SENTENCES)) for word in rng.choice(real))
        yield f"Instruction: {' '.join(words)}\nInput: <noinput>\nOutput: {answer}"


async def main() -> None:
    """Serve until standard input is closed, then print the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency-s", type=float, default=1.0)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--items", type=int, default=20)
    options = parser.parse_args()
    teacher = Teacher(options.latency_s, options.faults, options.items)
    teacher.reply("warm")
    server = await asyncio.start_server(teacher.serve, "127.0.0.1", 0, limit=1 << 24, backlog=256)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(teacher.done), flush=True)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
