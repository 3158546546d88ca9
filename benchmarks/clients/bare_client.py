"""Generate rows with the openai package in a loop, a lower bound of the cost. Prints one JSON object.

python benchmarks/clients/bare_client.py ADDRESS PROMPTS.json
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import openai

IN_FLIGHT = 64


async def main(address: str, prompts: list[list[dict[str, str]]]) -> None:
    """Send each prompt until it is answered, and count the rows."""
    semaphore = asyncio.Semaphore(IN_FLIGHT)
    client = openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0)

    async def ask(messages: list[dict[str, str]]) -> int:
        async with semaphore:
            while True:
                try:
                    reply = await client.chat.completions.create(
                        model="teacher",
                        messages=messages,  # type: ignore[arg-type]  # plain dicts
                        max_tokens=4096,
                        temperature=1.0,
                    )
                    return (reply.choices[0].message.content or "").count("\nOutput:")
                except openai.OpenAIError:
                    await asyncio.sleep(1)

    began, cpu = time.perf_counter(), time.process_time()
    rows = sum(await asyncio.gather(*(ask(messages) for messages in prompts)))
    found = {
        "requests": len(prompts),
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "start_cpu_s": cpu,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))))
