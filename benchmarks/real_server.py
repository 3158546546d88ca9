"""A run of `alif generate` through a real HTTP server that is not ours: `transformers serve` with a small model.

    python benchmarks/real_server.py --with ENVIRONMENT/bin/transformers [--model FOLDER]

The model has learnt a few rows by heart (item_writer.py) and writes them, and what it makes of them, in the format asked for:
some rows must be accepted, every other piece must end dropped with a reason, nothing may cost anything, and a second run must
ask nothing. The rows are no use to anybody; the server is real, and so is the text that is read.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import item_writer
import measure
import processes
import tomli_w

from alif import store
from alif.data.demo.demo_files import read_triples
from alif.language import pack as packs
from alif.release import serve

PACKAGES = ("torch", "transformers", "fastapi", "uvicorn")
GENERATE = {"accepted": 16, "round": 4, "items": item_writer.ITEMS}
MAX_TOKENS = 384
TEMPERATURE = 0.5


def main() -> None:
    """Serve, run, compare, write."""
    arguments = measure.arguments(__doc__, "real_server")
    arguments.add_argument(
        "--with", dest="by", default="", help="a vllm or transformers program in an environment of its own"
    )
    arguments.add_argument("--model", type=Path, help="a model folder; left out: one is made")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        began = time.monotonic()
        model = given.model or folder / "model"
        learnt = (
            {}
            if given.model
            else {"model": item_writer.make(model) | {"seconds": round(time.monotonic() - began, 1)}}
        )
        measured = served(folder, model, given.by) | learnt
    python = str(serve.find_program(given.by).parent / "python")
    result = measure.result(
        "real_server", measured, ("alif-llm", "aiohttp", "torch", "transformers", "tokenizers")
    )
    result["server_versions"] = processes.versions_of(python, PACKAGES)
    result["command"] = "python benchmarks/real_server.py --with ENVIRONMENT/bin/transformers"
    measure.write(given.json, result)
    print(json.dumps(measured, ensure_ascii=False, indent=2))


def alif(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Do an alif command in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "alif", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )  # fmt: skip


def served(folder: Path, model: Path, by: str) -> dict[str, Any]:
    """Serve the model, do everything with it, and return what was found."""
    with serve.serve_model(model, folder / "serve.log", by=by) as child:
        recipe(folder, "real", child.address, child.model)
        recipe(folder, "misnamed", child.address, "no/such-model")
        found = {"server": f"{child.by} serve", "parameters": parameters(model), **through(folder)}
        pid = child.process.pid
    found["ends_with_the_block"] = not Path(f"/proc/{pid}").exists()
    return found | {"ends_when_alif_is_killed": tethered(folder, model, by)}


def recipe(folder: Path, name: str, address: str, model: str) -> None:
    """Write a recipe whose one teacher is at `address`."""
    student = {"model": model, "address": address, "max_tokens": MAX_TOKENS, "temperature": TEMPERATURE}
    values = {
        "extends": "demo",
        "name": name,
        "teacher": {"scripted": False, "student": student},
        "generate": GENERATE,
        "runtime": {"max_concurrency": 4, "timeout_s": 300.0},
    }
    (folder / f"{name}.toml").write_text(tomli_w.dumps(values), encoding="utf-8")


def through(folder: Path) -> dict[str, Any]:
    """Ask for one token, for a model that is not there, for a whole run, and for the same run under another name."""
    live = alif(folder, "check", "real.toml", "--live", "--json")
    wrong = alif(folder, "check", "misnamed.toml", "--live", "--json")
    began = time.monotonic()
    done = alif(folder, "generate", "real.toml", "--json")
    seconds = time.monotonic() - began
    require(done.returncode == 0, done.stderr)
    root = folder / "runs" / "real"
    step = json.loads((root / "generate" / "step.json").read_text(encoding="utf-8"))
    counts, facts = step["counts"], step["counts"]["facts"]
    requests, books = ledger(root / "ledger.sqlite")
    require(counts["kept"] + sum(counts["dropped"].values()) == counts["rows_in"], "kept + dropped = in")
    require(counts["kept"] > 0, "rows are accepted")
    require(step["cost_usd"] == books["usd"] == 0.0, "a local model costs nothing")
    require("Traceback" not in done.stderr + live.stderr + wrong.stderr, "no traceback")
    again = alif(
        folder,
        "generate",
        "real.toml",
        "--set",
        'name="again"',
        "--set",
        f'runtime.ledger="{root}/ledger.sqlite"',
    )
    require(
        again.returncode == 0 and ledger(root / "ledger.sqlite")[0] == requests,
        "the same run again asks nothing",
    )
    same = all(
        (root / "generate" / name).read_bytes() == (root.parent / "again" / "generate" / name).read_bytes()
        for name in DATA
    )
    return {
        "check_live": json.loads(live.stdout)["live"][0]
        | {"host": "127.0.0.1", "model": "FOLDER", "answered_by": "FOLDER"},
        "check_live_wrong_model": {"code": wrong.returncode, "message": said(wrong)},
        "generate_s": round(seconds, 1),
        "requests": requests,
        "requests_a_second": round(requests / seconds, 2),
        "rows_in": counts["rows_in"],
        "kept": counts["kept"],
        "dropped": counts["dropped"],
        "tolerances": facts["tolerances"],
        "learnt_by_heart": by_heart(root / "generate" / "examples.jsonl"),
        "saturated": len(facts["saturated"]),
        "tasks": len(facts["targets"]),
        "books": books,
        "again_asks_nothing_and_has_the_same_bytes": same,
    }


DATA = ("examples.jsonl", "dropped.jsonl", "requests.jsonl")


def by_heart(path: Path) -> int:
    """Return how many accepted rows are, word for word, rows that the model was shown."""
    pack = packs.load_pack("ur")
    shown = {row for name in pack.tasks for _, row in read_triples(pack, f"demo/candidates/{name}.jsonl")}
    return sum((row["instruction"], row["input"], row["output"]) in shown for _, row in store.read_rows(path))


def require(true: bool, what: str) -> None:
    """End here if something does not hold."""
    if not true:
        sys.exit(f"does not hold: {what}")


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed check says, without this machine's ports and folders."""
    words: str = json.loads(done.stdout)["live"][0]["message"]
    words = re.sub(r":[0-9]+", ":PORT", words)
    return " ".join("FOLDER;" if "/" in word and "such-model" not in word else word for word in words.split())


def ledger(path: Path) -> tuple[int, dict[str, Any]]:
    """Return the number of replies of `generate`, and the ledger's sums."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        replies = db.execute(
            "SELECT count(*) FROM attempts WHERE state = 'answered' AND step = 'generate'"
        ).fetchone()[0]
        attempts, usd = db.execute("SELECT count(*), total(cost_usd) FROM attempts").fetchone()
        tokens = db.execute("SELECT sum(tokens_in), sum(tokens_out), count(*) FROM replies").fetchone()
        finish = dict(db.execute("SELECT finish, count(*) FROM replies GROUP BY finish"))
    sums = dict(zip(("tokens_in", "tokens_out", "replies"), tokens, strict=True))
    return replies, {"attempts": attempts, **sums, "finish": finish, "usd": usd}


def parameters(model: Path) -> int:
    """Return how many numbers a model folder holds, from the headers of its weights."""
    total = 0
    for path in model.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        shapes = [one["shape"] for name, one in header.items() if name != "__metadata__"]
        for shape in shapes:
            size = 1
            for length in shape:
                size *= length
            total += size
    return total


TETHER = """
import os, signal, sys
from pathlib import Path
from alif.llm import server
with server.serving(Path(sys.argv[1]), Path(sys.argv[2]), by=sys.argv[3]) as child:
    print(child.process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def tethered(folder: Path, model: Path, by: str) -> bool:
    """Tell whether the server ends when the process that has started it is killed."""
    command = [sys.executable, "-c", TETHER, str(model), str(folder / "tether.log"), by]
    pid = int(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    return within(30.0, lambda: not running(pid))


def running(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Wait until something holds, and tell whether it came to that."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()


if __name__ == "__main__":
    main()
