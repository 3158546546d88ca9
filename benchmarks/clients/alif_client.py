"""Generate rows with Alif: the steps `seeds` and `generate`, as `alif run` does them. Prints one JSON object.

python benchmarks/clients/alif_client.py ADDRESS ACCEPTED FOLDER
"""

from __future__ import annotations

import json
import selectors
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from alif import pipeline, settings, store
from alif.data.synthesis import self_instruct
from alif.dedup import rouge_index
from alif.language import language_id
from alif.llm import session as _session  # noqa: F401 - loaded before the clock starts, as in the other clients
from alif.runs import Run


class Watch:
    """Measures how this process divides its busy time among parts of the work.

    It reads the wall clock, because reading the CPU clock hundreds of thousands of times takes longer than
    the measured work.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def time_method(self, name: str, owner: Any, method: str) -> None:
        """Add the time of a method to the part `name`."""
        work, seconds, clock = getattr(owner, method), self.seconds, time.perf_counter

        def timed(*arguments: Any) -> Any:
            began = clock()
            found = work(*arguments)
            seconds[name] += clock() - began
            return found

        setattr(owner, method, timed)

    def cpu_s(self, wall_s: float, cpu_s: float) -> dict[str, float]:
        """Return the CPU seconds of each part: its share of the time not spent waiting for the network."""
        self.seconds["read_and_check"] = self.seconds["read"] - self.seconds["pool"]
        names = ("pool", "plan", "read_and_check")
        return {
            f"{name}_cpu_s": self.seconds[name] * cpu_s / (wall_s - self.seconds["idle"]) for name in names
        }


def main(address: str, accepted: int, folder: Path) -> None:
    """Generate the rows and print what each part took."""
    watch = Watch()
    for name in ("nearest", "add"):
        watch.time_method("pool", rouge_index.RougeLIndex, name)
    watch.time_method("read", self_instruct.SelfInstruct, "_accept_reply")
    watch.time_method("plan", self_instruct.SelfInstruct, "plan_round")
    watch.time_method("idle", selectors.DefaultSelector, "select")
    recipe = settings.Recipe(
        name=folder.name,
        teacher={"loopback": settings.Teacher(model="teacher", base_url=address)},
        generate=settings.Generate(target_rows=accepted, rows_per_request=20),
        runtime=settings.Runtime(max_concurrency=64),
    )
    language_id.language_classifier()  # loaded before the clock starts: a compressed model of 4.6 MB
    began, cpu = time.perf_counter(), time.process_time()
    pipeline.run_pipeline(recipe, Run(folder), pipeline.required_steps(pipeline.GENERATE))
    record = store.read_json(folder / "generate" / "step.json")
    whole = record["counts"]["facts"]["funnel"]["whole"]
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    found = {
        "accepted": record["counts"]["kept"],
        "requests": whole["requests"],
        "rows": whole["pieces"],
        "seconds": seconds,
        "cpu_s": cpu_s,
        "start_cpu_s": cpu,
        **watch.cpu_s(seconds, cpu_s),
        "ledger_mb": sum(path.stat().st_size for path in folder.glob("ledger.sqlite*")) / 1e6,
        "funnel": record["counts"],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
