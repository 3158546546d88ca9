"""Generation of 51,686 rows from a loopback teacher: time, memory and CPU of Alif, distilabel and Curator.

    python benchmarks/rehearsal.py [--distilabel-python PATH] [--curator-python PATH]

The options name interpreters in environments of their own: distilabel's with `distilabel[openai]` and
requests, Curator's with bespokelabs-curator and litellm 1.83.7.

All clients use the same scripted teacher (teacher.py: a process of its own, 1 s latency, 5 % faults, 20 items
per reply) with 64 requests in flight, one client at a time, in turns. Alif does everything that it does in a
run: ledger, budget, limiter, parsing, language checks, near-duplicate search. The bare loop stores nothing,
and the peers check and compare nothing.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import measure
from processes import cpu_s, load, memory_mb, versions_of

from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis import prompts, seeds
from alif.language import pack as packs

HERE = Path(__file__).resolve().parent
LITELLM_REFUSED = ("1.82.7", "1.82.8")
"""Releases that contained a credential stealer."""
SHOWN = 6
"""Example rows in a request."""


@contextlib.contextmanager
def teacher(found: dict[str, Any]) -> Iterator[str]:
    """Run a fresh teacher during the block; yield its address, and add its counts to `found` at the end."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "teacher.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
        found["teacher_cpu_s"] = round(cpu_s(process.pid), 2)
        process.stdin.close()
        found["teacher"] = json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def run_client(name: str, python: str, *arguments: str) -> dict[str, Any]:
    """Run one client against a fresh teacher; return its result, its peak memory, and the machine's load."""
    beside: dict[str, Any] = {"load_before": load()}
    command = [python, str(HERE / "clients" / f"{name}_client.py")]
    with (
        tempfile.TemporaryDirectory() as folder,
        Path(folder, "out").open("w+") as out,
        teacher(beside) as address,
    ):
        process = subprocess.Popen(
            [*command, address, *arguments], stdout=out, stderr=subprocess.DEVNULL, cwd=folder
        )
        most = 0.0
        while process.poll() is None:
            with contextlib.suppress(OSError):
                most = max(most, memory_mb(process.pid, most=True))
            time.sleep(0.2)
        out.seek(0)
        results = [line for line in out if line.startswith('{"')]
        failed = process.returncode or not results
        found = {"failed": process.returncode} if failed else json.loads(results[-1])
    found = found | {"memory_mb": round(most)} | beside | {"load_after": load()}
    print(name, {key: value for key, value in found.items() if key != "funnel"}, file=sys.stderr, flush=True)
    return found


def write_prompts(requests: int, path: Path) -> None:
    """Write messages as Alif sends them, all different, for the clients that read theirs from a file."""
    pack, texts, rng = packs.load_pack("ur"), load_prompt_texts(), random.Random(1)
    rows = list(seeds.read_seeds(pack))
    found = []
    for task in rng.choices(list(pack.tasks), k=requests):
        shown = rng.sample(rows, SHOWN)
        messages = prompts.synthesis_messages(texts, pack.tasks[task], pack, shown, 20)
        found.append([message.model_dump() for message in messages])
    path.write_text(json.dumps(found), encoding="utf-8")


def add_rates(found: Mapping[str, Any]) -> dict[str, Any]:
    """Add the cost of one request and of one row."""
    if "failed" in found:
        return dict(found)
    return {
        **found,
        "rows_per_s": round(found["rows"] / found["seconds"], 1),
        "cpu_ms_per_request": round(1e3 * found["cpu_s"] / found["requests"], 3),
        "cpu_ms_per_row": round(1e3 * found["cpu_s"] / found["rows"], 4) if found["rows"] else None,
    }


def compare_clients(requests: int, repeats: int, folder: Path, pythons: Mapping[str, str]) -> dict[str, Any]:
    """Return each client at about the same number of requests, and the peers as ratios to Alif.

    The clients take turns, because the load of the machine varies; the run with the median CPU time is kept.
    """
    file = folder / "prompts.json"
    write_prompts(requests, file)
    turns: dict[str, list[dict[str, Any]]] = {}
    for turn in range(repeats):
        for name, python in {"alif": sys.executable, "bare": sys.executable, **pythons}.items():
            arguments = (str(requests * 14), str(folder / f"turn{turn}")) if name == "alif" else (str(file),)
            turns.setdefault(name, []).append(add_rates(run_client(name, python, *arguments)))
    found = {name: median_run(runs) for name, runs in turns.items()}
    ours = found["alif"]
    for name, theirs in found.items():
        if name != "alif" and "failed" not in theirs and "failed" not in ours:
            theirs["alif_rows_per_s_is_times"] = round(ours["rows_per_s"] / theirs["rows_per_s"], 2)
            theirs["its_cpu_per_row_is_times_alifs"] = round(
                theirs["cpu_ms_per_row"] / ours["cpu_ms_per_row"], 2
            )
    return found


def median_run(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the run with the median CPU time per row, and the times of all; a failed run if there is one."""
    if failed := next((run for run in runs if "failed" in run), None):
        return failed
    ordered = sorted(runs, key=lambda run: run["cpu_ms_per_row"])
    return ordered[len(runs) // 2] | {"cpu_ms_per_row_of_all_turns": [run["cpu_ms_per_row"] for run in runs]}


def run_whole(accepted: int, folder: Path) -> dict[str, Any]:
    """Return the result of the whole rehearsal, and its CPU time without that of the bare loop."""
    found = add_rates(run_client("alif", sys.executable, str(accepted), str(folder / "whole")))
    if "failed" in found:
        return found
    file = folder / "whole.json"
    write_prompts(found["requests"], file)
    bare = add_rates(run_client("bare", sys.executable, str(file)))
    own = found["cpu_s"] - found["pool_cpu_s"] - bare["cpu_s"] * found["requests"] / bare["requests"]
    return found | {
        "minutes": round(found["seconds"] / 60, 2),
        "bare": bare,
        "own_cpu_ms_per_request_beyond_bare_without_pool": round(1e3 * own / found["requests"], 3),
        "own_cpu_us_per_candidate_beyond_bare_without_pool": round(1e6 * own / found["rows"], 1),
        "pool_cpu_us_per_candidate": round(1e6 * found["pool_cpu_s"] / found["rows"], 1),
    }


def main() -> None:
    """Compare the clients, run the whole rehearsal, and write the result."""
    parser = measure.arguments(__doc__, "rehearsal")
    parser.add_argument("--accepted", type=int, default=51_686, help="rows of the whole rehearsal; 0: none")
    parser.add_argument("--requests", type=int, default=1_000, help="of each client, side by side; 0: none")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each client, side by side")
    parser.add_argument("--distilabel-python", default="")
    parser.add_argument("--curator-python", default="")
    options = parser.parse_args()
    named = {"distilabel": options.distilabel_python, "curator": options.curator_python}
    pythons = {name: python for name, python in named.items() if python}
    packages = {
        "distilabel": ("distilabel", "openai"),
        "curator": ("bespokelabs-curator", "litellm", "openai"),
    }
    others = {name: versions_of(python, packages[name]) for name, python in pythons.items()}
    if others.get("curator", {}).get("litellm") in LITELLM_REFUSED:
        sys.exit(f"litellm {', '.join(LITELLM_REFUSED)} contained a credential stealer: use another release")
    compared: dict[str, Any] = {}
    rehearsed: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        if options.requests:
            compared = compare_clients(options.requests, options.repeats, Path(name), pythons)
        if options.accepted:
            rehearsed = run_whole(options.accepted, Path(name))
    content = measure.result(
        "rehearsal",
        {**rehearsed, "side_by_side": compared},
        ("alif-llm", "aiohttp", "openai", "httpx2", "rapidfuzz", "numpy"),
    )
    measure.write(options.json, content | {"peers": others})
    print(json.dumps({key: value for key, value in rehearsed.items() if key != "funnel"}, indent=2))


if __name__ == "__main__":
    main()
