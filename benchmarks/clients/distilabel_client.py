"""Generate rows with distilabel: load the prompts, ask for text, 64 at a time. Prints one JSON object.

PYTHON benchmarks/clients/distilabel_client.py ADDRESS PROMPTS.json
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

IN_FLIGHT = 64


def cpu_s() -> float:
    """Return CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(address: str, prompts: list[list[dict[str, str]]]) -> None:
    """Ask, and count rows."""
    data = [{"system_prompt": system["content"], "instruction": user["content"]} for system, user in prompts]
    began, cpu = time.perf_counter(), cpu_s()
    with Pipeline("rehearsal") as pipeline:
        load = LoadDataFromDicts(data=data, batch_size=IN_FLIGHT)
        model = OpenAILLM(
            model="teacher",
            base_url=address,
            api_key="none",
            generation_kwargs={"max_new_tokens": 4096, "temperature": 1.0},
        )
        load >> TextGeneration(llm=model, input_batch_size=IN_FLIGHT)
    made = pipeline.run(use_cache=False)["default"]["train"]
    answered = [text for text in made["generation"] if text]
    found = {
        "requests": len(prompts),
        "unanswered": len(prompts) - len(answered),
        "rows": sum(text.count("\nOutput:") for text in answered),
        "seconds": time.perf_counter() - began,
        "cpu_s": cpu_s() - cpu,
        "start_cpu_s": cpu,
        "children_max_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
