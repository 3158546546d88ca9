"""Rows by Alif: the steps `seeds` and `generate`, as `alif run` does them. Prints one JSON object.

python benchmarks/clients/alif_client.py ADDRESS ACCEPTED FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alif import pipeline, pool, recipe
from alif.data import expansion, generate
from alif.models import client as _client  # noqa: F401 - loaded before the clock starts, as the others load theirs
from alif.runs import Run


class Watch:
    """Times parts of the work: the CPU seconds of a part, and of the pool in it as its part of that part's wall time."""

    def __init__(self) -> None:
        self.cpu_s: Counter[str] = Counter()
        self._pool_s = 0.0

    def part(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return `work`, adding what it takes to the part `name`, less what the pool takes."""

        def timed(*arguments: Any) -> Any:
            began, cpu, self._pool_s = time.perf_counter(), time.process_time(), 0.0
            try:
                return work(*arguments)
            finally:
                cpu_s = time.process_time() - cpu
                pool_s = cpu_s * self._pool_s / (time.perf_counter() - began)
                self.cpu_s.update({name: cpu_s - pool_s, "pool": pool_s})

        return timed

    def pool(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return `work`, which is the pool's: called so often that only the cheap clock is read."""

        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*arguments)
            finally:
                self._pool_s += time.perf_counter() - began

        return timed


def main(address: str, accepted: int, folder: Path) -> None:
    """Make the rows, and say what each part took."""
    watch = Watch()
    for name in ("nearest", "add"):
        setattr(pool.Pool, name, watch.pool(getattr(pool.Pool, name)))
    for name, method in {"plan": "plan", "read_and_check": "_read"}.items():
        setattr(expansion.Expansion, method, watch.part(name, getattr(expansion.Expansion, method)))
    generate.finish = watch.part("finish", generate.finish)
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
        **{f"{name}_cpu_s": watch.cpu_s[name] for name in ("pool", "plan", "read_and_check", "finish")},
        "ledger_mb": sum(path.stat().st_size for path in folder.glob("ledger.sqlite*")) / 1e6,
        "funnel": counts,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
