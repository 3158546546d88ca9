"""A run of `alif generate` against a real HTTP server, `transformers serve` or vLLM, with a small model.

    python benchmarks/real_server.py --with ENVIRONMENT/bin/transformers [--model FOLDER]

The model has memorised a few rows (item_writer.py) and writes them, and variations of them, in the requested
format. Checked: some rows are accepted, all others are dropped with a reason, the cost is zero, and a second
run sends no request. The rows are useless; the server and the parsed text are real.
"""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import item_writer
import measure
import processes
import tomli_w

from alif import store
from alif.data.demo.demo_files import read_demo_rows, to_triple
from alif.language import pack as packs
from alif.release import serve

PACKAGES = ("torch", "transformers", "fastapi", "uvicorn")
GENERATE = {"target_rows": 16, "requests_per_round": 4, "rows_per_request": item_writer.ITEMS}
MAX_TOKENS = 384
TEMPERATURE = 0.5


def main() -> None:
    """Train the model where none is given, serve it, run the checks, and write the result."""
    parser = measure.arguments(__doc__, "real_server")
    parser.add_argument(
        "--with", dest="by", default="", help="a vllm or transformers program in an environment of its own"
    )
    parser.add_argument("--model", type=Path, help="a model folder; by default one is trained")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name), time.monotonic()
        model, trained = options.model, {}
        if model is None:
            model = folder / "model"
            trained = {"model": item_writer.train_item_writer(model)}
            trained["model"]["seconds"] = round(time.monotonic() - began, 1)
        measured = measure_served(folder, model, options.by) | trained
    python = str(serve.find_program(options.by).parent / "python")
    result = measure.result(
        "real_server", measured, ("alif-llm", "aiohttp", "torch", "transformers", "tokenizers")
    )
    result["server_versions"] = processes.versions_of(python, PACKAGES)
    given = " --model FOLDER" if options.model else ""
    result["command"] = f"python benchmarks/real_server.py --with ENVIRONMENT/bin/transformers{given}"
    measure.write(options.json, result)
    print(json.dumps(measured, ensure_ascii=False, indent=2))


def alif(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an alif command in `folder`."""
    command = [sys.executable, "-m", "alif", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def measure_served(folder: Path, model: Path, by: str) -> dict[str, Any]:
    """Serve the model, run Alif against it, and return the measurements and checks."""
    with serve.serve_model(model, folder / "serve.log", by=by) as child:
        write_recipe(folder, "real", child.address, child.model)
        write_recipe(folder, "misnamed", child.address, "no/such-model")
        found = {"server": f"{child.by} serve", "parameters": count_parameters(model), **run_alif(folder)}
        pid = child.process.pid
    found["ends_with_the_block"] = not Path(f"/proc/{pid}").exists()
    return found | {"ends_when_alif_is_killed": ends_with_parent(folder, model, by)}


def write_recipe(folder: Path, name: str, address: str, model: str) -> None:
    """Write a recipe whose only teacher is at `address`."""
    student = {"model": model, "base_url": address, "max_tokens": MAX_TOKENS, "temperature": TEMPERATURE}
    values = {
        "extends": "demo",
        "name": name,
        "teacher": {"scripted": False, "student": student},
        "generate": GENERATE,
        "runtime": {"max_concurrency": 4, "timeout_s": 300.0},
    }
    (folder / f"{name}.toml").write_text(tomli_w.dumps(values), encoding="utf-8")


def run_alif(folder: Path) -> dict[str, Any]:
    """Ping the server, ping it for a missing model, and generate rows in two runs that share a ledger."""
    live = alif(folder, "ping", "real.toml", "--json")
    wrong = alif(folder, "ping", "misnamed.toml", "--json")
    began = time.monotonic()
    done = alif(folder, "generate", "real.toml", "--json")
    seconds = time.monotonic() - began
    require(done.returncode == 0, done.stderr)
    root = folder / "runs" / "real"
    step = json.loads((root / "generate" / "step.json").read_text(encoding="utf-8"))
    counts, facts = step["counts"], step["counts"]["facts"]
    requests, sums = read_ledger(root / "ledger.sqlite")
    require(counts["kept"] + sum(counts["dropped"].values()) == counts["rows_in"], "kept + dropped = rows in")
    require(counts["kept"] > 0, "some rows are accepted")
    require(step["cost_usd"] == sums["usd"] == 0.0, "a local model costs nothing")
    require("Traceback" not in done.stderr + live.stderr + wrong.stderr, "no traceback")
    shared = f'runtime.ledger="{root}/ledger.sqlite"'
    again = alif(folder, "generate", "real.toml", "--set", 'name="again"', "--set", shared)
    repeated = read_ledger(root / "ledger.sqlite")[0]
    require(again.returncode == 0 and repeated == requests, "a second run sends no request")
    same = all(
        (root / "generate" / name).read_bytes() == (root.parent / "again" / "generate" / name).read_bytes()
        for name in DATA
    )
    answer = json.loads(live.stdout)["live"][0]
    return {
        "ping": answer | {"host": "127.0.0.1", "model": "FOLDER", "answered_by": "FOLDER"},
        "ping_missing_model": {"code": wrong.returncode, "message": error_message(wrong)},
        "generate_s": round(seconds, 1),
        "requests": requests,
        "requests_per_s": round(requests / seconds, 2),
        "rows_in": counts["rows_in"],
        "kept": counts["kept"],
        "dropped": counts["dropped"],
        "format_deviations": facts["format_deviations"],
        "memorised": count_memorised(root / "generate" / "examples.jsonl"),
        "saturated": len(facts["saturated"]),
        "tasks": len(facts["targets"]),
        "ledger": sums,
        "second_run_sends_no_request_and_has_the_same_bytes": same,
    }


DATA = ("examples.jsonl", "dropped.jsonl", "requests.jsonl")


def count_memorised(path: Path) -> int:
    """Return how many accepted rows are copies of the model's training rows."""
    pack = packs.load_pack("ur")
    names = (f"demo/candidates/{task}.jsonl" for task in pack.tasks)
    shown = {to_triple(row) for name in names for row in read_demo_rows(pack, name)}
    return sum((row["instruction"], row["input"], row["output"]) in shown for _, row in store.read_rows(path))


def require(holds: bool, what: str) -> None:
    """Exit with a message if a check fails."""
    if not holds:
        sys.exit(f"failed check: {what}")


def error_message(done: subprocess.CompletedProcess[str]) -> str:
    """Return the message of a failed ping without this machine's ports and folders."""
    words: str = json.loads(done.stdout)["live"][0]["message"]
    words = re.sub(r":[0-9]+", ":PORT", words)
    return " ".join("FOLDER;" if "/" in word and "such-model" not in word else word for word in words.split())


def read_ledger(path: Path) -> tuple[int, dict[str, Any]]:
    """Return the number of answered requests of `generate`, and the ledger's sums."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        replies = db.execute(
            "SELECT count(*) FROM attempts WHERE state = 'answered' AND step = 'generate'"
        ).fetchone()[0]
        attempts, usd = db.execute("SELECT count(*), total(cost_usd) FROM attempts").fetchone()
        tokens = db.execute("SELECT sum(tokens_in), sum(tokens_out), count(*) FROM replies").fetchone()
        finish = dict(db.execute("SELECT finish, count(*) FROM replies GROUP BY finish"))
    sums = dict(zip(("tokens_in", "tokens_out", "replies"), tokens, strict=True))
    return replies, {"attempts": attempts, **sums, "finish": finish, "usd": usd}


def count_parameters(model: Path) -> int:
    """Return the number of parameters of a model folder, from the headers of its weight files."""
    total = 0
    for path in model.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        total += sum(math.prod(one["shape"]) for name, one in header.items() if name != "__metadata__")
    return total


KILLED_PARENT = """
import os, signal, sys
from pathlib import Path
from alif.release import serve
with serve.serve_model(Path(sys.argv[1]), Path(sys.argv[2]), by=sys.argv[3]) as child:
    print(child.process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def ends_with_parent(folder: Path, model: Path, by: str) -> bool:
    """Return whether the server ends within 30 s after the process that started it is killed."""
    command = [sys.executable, "-c", KILLED_PARENT, str(model), str(folder / "killed.log"), by]
    pid = int(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    deadline = time.monotonic() + 30.0
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not is_running(pid)


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False


if __name__ == "__main__":
    main()
