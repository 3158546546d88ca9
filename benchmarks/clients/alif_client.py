"""Rows by Alif: the steps `seeds` and `generate`, as `alif run` does them. Prints one JSON object.

python benchmarks/clients/alif_client.py ADDRESS ACCEPTED FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alif import pipeline, pool, recipe
from alif.data import expansion
from alif.models import client as _client  # noqa: F401 - loaded before the clock starts, as the others load theirs
from alif.runs import Run


def timed(spent: list[float], work: Callable[..., Any]) -> Callable[..., Any]:
    """Return `work`, adding the CPU seconds that it takes to `spent`."""

    def with_time(*arguments: Any) -> Any:
        began = time.process_time()
        try:
            return work(*arguments)
        finally:
            spent[0] += time.process_time() - began

    return with_time


def main(address: str, accepted: int, folder: Path) -> None:
    """Make the rows, and say what each part took."""
    spent = {"pool": [0.0], "plan": [0.0], "take": [0.0]}
    for name in ("nearest", "add"):
        setattr(pool.Pool, name, timed(spent["pool"], getattr(pool.Pool, name)))
    for name in ("plan", "take"):
        setattr(expansion.Expansion, name, timed(spent[name], getattr(expansion.Expansion, name)))
    made = recipe.Recipe(
        name=folder.name,
        teacher={"loopback": recipe.Teacher(model="teacher", address=address)},
        generate=recipe.Generate(accepted=accepted),
        runtime=recipe.Runtime(workers=64),
    )
    began, cpu = time.perf_counter(), time.process_time()
    pipeline.run(made, Run(folder), pipeline.needed(pipeline.GENERATE))
    counts = (Run(folder).record("generate") or {})["counts"]
    tasks = counts["facts"]["tasks"].values()
    found = {
        "accepted": counts["kept"],
        "requests": sum(task["requests"] for task in tasks),
        "rows": sum(task["candidates"] for task in tasks),
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "start_cpu_s": cpu,
        "pool_cpu_s": spent["pool"][0],
        "plan_cpu_s": spent["plan"][0],
        "read_and_check_cpu_s": spent["take"][0] - spent["pool"][0],
        "ledger_mb": sum(path.stat().st_size for path in folder.glob("ledger.sqlite*")) / 1e6,
        "funnel": counts,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
