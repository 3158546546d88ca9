"""Generate rows with Bespoke Curator: 64 requests in flight, no rate limits. Prints one JSON object.

PYTHON benchmarks/clients/curator_client.py ADDRESS PROMPTS.json
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ |= {
    "TELEMETRY_ENABLED": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "CURATOR_DISABLE_RICH_DISPLAY": "1",
}
os.environ |= {"CURATOR_CACHE_DIR": tempfile.mkdtemp(), "OPENAI_API_KEY": "none", "HF_DATASETS_OFFLINE": "1"}

LITELLM = importlib.util.find_spec("litellm")
if LITELLM and LITELLM.origin:  # tiktoken's file, which would be fetched, comes with litellm
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(LITELLM.origin).parent / "litellm_core_utils" / "tokenizers")

from bespokelabs import curator

IN_FLIGHT = 64


class Rows(curator.LLM):
    """Asks with the messages of a row, and cuts the reply into rows."""

    def prompt(self, row: dict) -> list[dict[str, str]]:
        return row["messages"]

    def parse(self, row: dict, response: str) -> list[dict[str, str]]:
        return [{"text": piece} for piece in response.split("\n###\n") if "\nOutput:" in piece]


def cpu_s() -> float:
    """Return CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(address: str, prompts: list[list[dict[str, str]]]) -> None:
    """Ask, and count rows."""
    began, cpu = time.perf_counter(), cpu_s()
    model = Rows(
        model_name="teacher",
        backend="openai",
        generation_params={"max_tokens": 4096, "temperature": 1.0},
        backend_params={
            "base_url": address,
            "api_key": "none",
            "max_concurrent_requests": IN_FLIGHT,
            "max_requests_per_minute": 1_000_000,
            "max_tokens_per_minute": 1_000_000_000,
            "max_retries": 20,
            "require_all_responses": False,
        },
    )
    made = model([{"messages": messages} for messages in prompts])
    rows = len(made.dataset if hasattr(made, "dataset") else made)
    found = {
        "requests": len(prompts),
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "cpu_s": cpu_s() - cpu,
        "start_cpu_s": cpu,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
