"""51,686 accepted rows through a loopback teacher: minutes, memory, CPU a request; and distilabel and Curator beside it.

    python benchmarks/rehearsal.py --json benchmarks/results/rehearsal.json
           [--distilabel-python PATH] [--curator-python PATH]      their interpreters, in environments of their own

distilabel's environment needs `distilabel[openai]` and requests, Curator's bespokelabs-curator and litellm 1.83.7.

Every client is sent against the same teacher (benchmarks/teacher.py: a process of its own, 1 s latency, 5 % faults, 20 items a
reply) with 64 requests in flight, one client after another, in turns. Alif does all that it does in a run: ledger, budget,
limiter, parsing, language checks, pool. The bare loop keeps nothing, and the peers are not asked to check or compare anything.
"""

from __future__ import annotations

import argparse
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

from alif.data.synthesis import prompts, seeds
from alif.language import pack as packs

HERE = Path(__file__).resolve().parent
LITELLM_REFUSED = ("1.82.7", "1.82.8")
"""Releases that carried a credential stealer."""
SHOWN = 6


@contextlib.contextmanager
def teacher(found: dict[str, Any]) -> Iterator[str]:
    """Run a fresh teacher for the length of a block; yield its address, and say at the end what it did."""
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


def client(name: str, python: str, *arguments: str) -> dict[str, Any]:
    """Send one client against a fresh teacher; return what it says, its largest memory, and the load beside it."""
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
        told = [line for line in out if line.startswith('{"')]
        found = json.loads(told[-1]) if told and not process.returncode else {"failed": process.returncode}
    found = found | {"memory_mb": round(most)} | beside | {"load_after": load()}
    print(name, {key: value for key, value in found.items() if key != "funnel"}, file=sys.stderr, flush=True)
    return found


def asked(requests: int) -> list[list[dict[str, str]]]:
    """Return messages as Alif sends them, for those who are given theirs: no two alike."""
    pack = packs.load_pack("ur")
    rows = list(seeds.read_pack_seeds(pack))
    numbers = random.Random(1)
    return [
        [
            message.model_dump()
            for message in prompts.synthesis_messages(pack.tasks[task], pack, numbers.sample(rows, SHOWN), 20)
        ]
        for task in numbers.choices(list(pack.tasks), k=requests)
    ]


def per(found: Mapping[str, Any]) -> dict[str, Any]:
    """Add what one request and one row take."""
    if "failed" in found:
        return dict(found)
    return {
        **found,
        "rows_per_s": round(found["rows"] / found["seconds"], 1),
        "cpu_ms_per_request": round(1e3 * found["cpu_s"] / found["requests"], 3),
        "cpu_ms_per_row": round(1e3 * found["cpu_s"] / found["rows"], 4) if found["rows"] else None,
    }


def side_by_side(requests: int, repeats: int, folder: Path, pythons: Mapping[str, str]) -> dict[str, Any]:
    """Return each client at about the same number of requests, and the peers as ratios to Alif.

    The clients take turns, since the machine is never equally quiet; of each the run with the middle CPU time is kept.
    """
    file = folder / "prompts.json"
    file.write_text(json.dumps(asked(requests)), encoding="utf-8")
    turns: dict[str, list[dict[str, Any]]] = {}
    for turn in range(repeats):
        for name, python in {"alif": sys.executable, "bare": sys.executable, **pythons}.items():
            told = (str(requests * 14), str(folder / f"turn{turn}")) if name == "alif" else (str(file),)
            turns.setdefault(name, []).append(per(client(name, python, *told)))
    found = {name: middle(runs) for name, runs in turns.items()}
    ours = found["alif"]
    for name, theirs in found.items():
        if name != "alif" and "failed" not in theirs and "failed" not in ours:
            theirs["alif_rows_per_s_is_times"] = round(ours["rows_per_s"] / theirs["rows_per_s"], 2)
            theirs["its_cpu_per_row_is_times_alifs"] = round(
                theirs["cpu_ms_per_row"] / ours["cpu_ms_per_row"], 2
            )
    return found


def middle(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the run with the middle CPU time a row, and the times of all; a failed run if there is one."""
    if failed := next((run for run in runs if "failed" in run), None):
        return failed
    ordered = sorted(runs, key=lambda run: run["cpu_ms_per_row"])
    return ordered[len(runs) // 2] | {"cpu_ms_per_row_of_all_turns": [run["cpu_ms_per_row"] for run in runs]}


def whole(accepted: int, folder: Path) -> dict[str, Any]:
    """Return the whole rehearsal, and what of its CPU is not the bare loop's."""
    found = per(client("alif", sys.executable, str(accepted), str(folder / "whole")))
    if "failed" in found:
        return found
    file = folder / "whole.json"
    file.write_text(json.dumps(asked(found["requests"])), encoding="utf-8")
    bare = per(client("bare", sys.executable, str(file)))
    own = found["cpu_s"] - found["pool_cpu_s"] - bare["cpu_s"] * found["requests"] / bare["requests"]
    return found | {
        "minutes": round(found["seconds"] / 60, 2),
        "bare": bare,
        "own_cpu_ms_per_request_beyond_bare_without_pool": round(1e3 * own / found["requests"], 3),
        "own_cpu_us_per_candidate_beyond_bare_without_pool": round(1e6 * own / found["rows"], 1),
        "pool_cpu_us_per_candidate": round(1e6 * found["pool_cpu_s"] / found["rows"], 1),
    }


def main() -> None:
    """Rehearse, compare, and write both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=HERE / "results" / "rehearsal.json")
    parser.add_argument("--accepted", type=int, default=51_686)
    parser.add_argument("--requests", type=int, default=1_000, help="of each client, side by side")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each client, side by side")
    parser.add_argument("--distilabel-python", default="")
    parser.add_argument("--curator-python", default="")
    told = parser.parse_args()
    pythons = {
        name: python for name in ("distilabel", "curator") if (python := getattr(told, f"{name}_python"))
    }
    packages = {
        "distilabel": ("distilabel", "openai"),
        "curator": ("bespokelabs-curator", "litellm", "openai"),
    }
    others = {name: versions_of(python, packages[name]) for name, python in pythons.items()}
    if others.get("curator", {}).get("litellm") in LITELLM_REFUSED:
        sys.exit(f"litellm {', '.join(LITELLM_REFUSED)} carried a credential stealer: use another release")
    with tempfile.TemporaryDirectory() as name:
        compared = side_by_side(told.requests, told.repeats, Path(name), pythons) if told.requests else {}
        rehearsed = whole(told.accepted, Path(name)) if told.accepted else {}
    content = measure.result(
        "rehearsal",
        {**rehearsed, "side_by_side": compared},
        ("alif-llm", "aiohttp", "openai", "httpx2", "rapidfuzz", "numpy"),
    )
    measure.write(told.json, content | {"peers": others})
    print(json.dumps({key: value for key, value in rehearsed.items() if key != "funnel"}, indent=2))


if __name__ == "__main__":
    main()
