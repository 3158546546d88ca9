"""A teacher for rehearsals: an OpenAI-compatible server on loopback, in a process of its own, that never runs out of ideas.

    python benchmarks/teacher.py --latency-s 1 --faults 0.05        prints its address; ends when its standard input is closed

A request that it has not seen yet is answered with the next items of an endless stream of instructions (see urdu_texts); the
same request sent again gets the same items. Of the attempts a share is met by a fault: 429 with and without Retry-After, 500,
half a body and a closed connection. It knows the attempts of a request by itself, so any client can be sent against it.
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
    """What is answered, and how often what was sent."""

    def __init__(self, latency_s: float, faults: float, items: int) -> None:
        self.latency_s, self.faults, self.items = latency_s, faults, items
        self.attempts: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self._replies: dict[str, str] = {}
        self._stream = stream()

    def reply(self, name: str) -> str:
        """Return the text for a request; the same one for the same request."""
        if name not in self._replies:
            self._replies[name] = "\n###\n".join(itertools.islice(self._stream, self.items))
        return self._replies[name]

    def fault(self, name: str) -> str:
        """Return what this attempt meets, "" if nothing."""
        self.attempts[name] += 1
        numbers = random.Random(f"{name}/{self.attempts[name]}")
        return numbers.choice(FAULTS) if numbers.random() < self.faults else ""

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
        headers = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n{extra}\r\n"
        writer.write(headers.encode() + (raw[: len(raw) // 2] if fault == "closed" else raw))
        await writer.drain()
        return fault != "closed"

    def _content(self, name: str, fault: str, length: int, body: bytes) -> tuple[str, str, dict[str, object]]:
        if fault.startswith("429"):
            error = {
                "error": {
                    "message": "too many requests",
                    "type": "rate_limit_exceeded",
                    "code": "rate_limit_exceeded",
                }
            }
            return "429 Too Many Requests", "Retry-After: 1\r\n" if "Retry" in fault else "", error
        if fault == "500":
            return (
                "500 Internal Server Error",
                "",
                {"error": {"message": "trouble", "type": "server_error", "code": "x"}},
            )
        text = self.reply(name)
        tokens = (length // 4, len(text.encode()) // 4)
        return "200 OK", "", {
            "id": f"chatcmpl-{name[:24]}",
            "object": "chat.completion",
            "created": 0,
            "model": json.loads(body).get("model", "teacher") if body else "teacher",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
        }  # fmt: skip


def stream() -> Iterator[str]:
    """Yield items for ever: an instruction of `urdu_texts`, no input, and real sentences as the answer."""
    pack = packs.load_pack("ur")
    real = sentences(SHARED, pack, str.split)
    numbers = random.Random(7)
    for words in instructions(real, str.split, seed=7):
        answer = " ".join(
            word for _ in range(numbers.randint(*OUTPUT_SENTENCES)) for word in numbers.choice(real)
        )
        yield f"Instruction: {' '.join(words)}\nInput: <noinput>\nOutput: {answer}"


async def main() -> None:
    """Serve until standard input is closed, then print what was done."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency-s", type=float, default=1.0)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--items", type=int, default=20)
    told = parser.parse_args()
    teacher = Teacher(told.latency_s, told.faults, told.items)
    teacher.reply("warm")
    server = await asyncio.start_server(teacher.serve, "127.0.0.1", 0, limit=1 << 24, backlog=256)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(teacher.done), flush=True)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
