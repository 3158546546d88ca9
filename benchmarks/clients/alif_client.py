"""Rows by Alif: the steps `seeds` and `generate`, as `alif run` does them. Prints one JSON object.

python benchmarks/clients/alif_client.py ADDRESS ACCEPTED FOLDER
"""

from __future__ import annotations

import json
import selectors
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from alif import pipeline, recipe
from alif.data.synthesis import generate, self_instruct
from alif.dedup import rouge_index
from alif.language import language_id
from alif.llm import session as _client  # noqa: F401 - loaded before the clock starts, as the others load theirs
from alif.runs import Run


class Watch:
    """What each part takes of the time in which this process is busy.

    Only the cheap clock is read: asking the system for CPU time some hundred thousand times takes longer than what is measured.
    """

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def part(self, name: str, owner: Any, method: str) -> None:
        """Time a method as the part `name`."""
        work, seconds, clock = getattr(owner, method), self.seconds, time.perf_counter

        def timed(*arguments: Any) -> Any:
            began = clock()
            found = work(*arguments)
            seconds[name] += clock() - began
            return found

        setattr(owner, method, timed)

    def cpu_s(self, wall_s: float, cpu_s: float) -> dict[str, float]:
        """Return the parts' CPU seconds: their shares of the wall time that was not spent waiting for the network."""
        self.seconds["read_and_check"] = self.seconds["read"] - self.seconds["pool"]
        names = ("pool", "plan", "read_and_check", "finish")
        return {
            f"{name}_cpu_s": self.seconds[name] * cpu_s / (wall_s - self.seconds["idle"]) for name in names
        }


def main(address: str, accepted: int, folder: Path) -> None:
    """Make the rows, and say what each part took."""
    watch = Watch()
    for name in ("nearest", "add"):
        watch.part("pool", rouge_index.RougeLIndex, name)
    watch.part("read", self_instruct.SelfInstruct, "_read")
    watch.part("plan", self_instruct.SelfInstruct, "plan")
    watch.part("finish", generate, "finish")
    watch.part("idle", selectors.DefaultSelector, "select")
    made = recipe.Recipe(
        name=folder.name,
        teacher={"loopback": recipe.Teacher(model="teacher", base_url=address)},
        generate=recipe.Generate(target_rows=accepted),
        runtime=recipe.Runtime(max_concurrency=64),
    )
    language_id.language_classifier()  # the same: a model of 4.6 MB that comes packed
    began, cpu = time.perf_counter(), time.process_time()
    pipeline.run_pipeline(made, Run(folder), pipeline.required_steps(pipeline.GENERATE))
    counts = (Run(folder).record("generate") or {})["counts"]
    whole = counts["facts"]["funnel"]["whole"]
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    found = {
        "accepted": counts["kept"],
        "requests": whole["requests"],
        "rows": whole["pieces"],
        "seconds": seconds,
        "cpu_s": cpu_s,
        "start_cpu_s": cpu,
        **watch.cpu_s(seconds, cpu_s),
        "ledger_mb": sum(path.stat().st_size for path in folder.glob("ledger.sqlite*")) / 1e6,
        "funnel": counts,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
