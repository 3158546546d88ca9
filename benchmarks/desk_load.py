"""Load on the desk: annotators over real HTTP, some killed, tabs doubled, the line cut; verdicts counted.

    python benchmarks/desk_load.py --postgresql postgresql+psycopg://…      50 annotators, 5,000 items
    python benchmarks/desk_load.py --items 1000 --cut 5 --databases sqlite

The server is a process of its own, `alif desk`, as a user starts it. Each annotator claims, thinks for a
moment and decides, from one of two tabs; every tenth is killed in mid-item and never comes back, so that its
rows come to others only because a lease ends (the benchmark ends those leases by hand: 15 minutes are long).
While the line is cut, requests fail or their answers are lost, and are sent again under the same key. In the
end each item must have exactly k verdicts: `lost` counts verdicts that were answered and are not there,
`doubled` those beyond one for an item and a person, or beyond k for an item.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import measure
import sqlalchemy as sa

from alif import store
from alif.desk import people
from alif.desk.database import Database, slot
from alif.records import Example, Origin

REVIEWERS = 2
KILLED_EACH = 10
PASSWORD = "a long password"


class Load:
    """What the annotators did, and what the server answered."""

    def __init__(self, think_s: float) -> None:
        self.think_s, self.is_cut = think_s, False
        self.times: list[float] = []
        self.answered: set[tuple[str, str]] = set()
        self.retries = 0

    async def call(self, web: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send until there is an answer, as the browser's outbox does."""
        while True:
            began = time.perf_counter()
            try:
                lost_before = self.is_cut and random.random() < 0.5
                if lost_before:
                    raise aiohttp.ClientConnectionError("the line is cut")
                async with web.post(path, json=body) as response:
                    answer: dict[str, Any] = await response.json()
                if self.is_cut:  # the server has done it, and nobody heard
                    raise aiohttp.ClientConnectionError("the line is cut")
            except (aiohttp.ClientError, TimeoutError):
                self.retries += 1
                await asyncio.sleep(0.5)
                continue
            if path == "/api/verdict":
                self.times.append(time.perf_counter() - began)
            return answer

    async def annotate(self, number: int, base: str, token: str, cookie: str) -> None:
        """Work as one person in two tabs until nothing is left; every tenth is killed in mid-item."""
        rng, name = random.Random(number), f"annotator {number}"
        dies_after = rng.randrange(5, 40) if number % KILLED_EACH == 0 else -1
        headers = {"Origin": base, "Cookie": f"{cookie}={token}"}
        done = idle = 0
        async with (
            aiohttp.ClientSession(base, headers=headers) as one,
            aiohttp.ClientSession(base, headers=headers) as other,
        ):
            while idle < 3:
                web = rng.choice((one, other))
                cards = (await self.call(web, "/api/claim", {}))["cards"]
                idle = 0 if cards else idle + 1
                await asyncio.sleep(0 if cards else 2)
                for card in cards:
                    if done == dies_after:
                        return
                    await asyncio.sleep(rng.expovariate(1 / self.think_s))
                    key = f"{number:04}-{card['slot']:06}-{done:05}"
                    body = {"slot": card["slot"], "key": key, "decision": "approve"}
                    doubled = rng.random() < 0.05  # both tabs decide at the same moment
                    calls = [self.call(web, "/api/verdict", body)]
                    if doubled:
                        calls.append(self.call(other, "/api/verdict", body | {"key": key + "b"}))
                    answers = await asyncio.gather(*calls)
                    if any("repeated" in answer for answer in answers):
                        self.answered.add((card["id"], name))
                    done += 1


def make_run(folder: Path, items: int) -> Path:
    """Write a run that waits for verdicts on `items` rows."""
    root = folder / "runs" / "load"
    origin = Origin(kind="teacher")
    rows = (
        Example.make("ur", "qa", f"3 × {number} کتنے ہوتے ہیں؟", "", f"جواب: {3 * number}", origin)
        for number in range(items)
    )
    store.write_rows(root / "review_requests.jsonl", rows)
    recipe = f'extends = "demo"\nname = "load"\nreview.share = 1.0\nreview.reviewers = {REVIEWERS}\n'
    store.write_text(root / "recipe.toml", recipe)
    return root


async def run_load(options: Any, base: str, db: Database, tokens: list[str], cookie: str) -> Load:
    """Let everybody work; cut the line once; end the leases of the dead."""
    load = Load(options.think)

    async def disturb() -> None:
        await asyncio.sleep(options.cut / 2)
        load.is_cut = True
        await asyncio.sleep(options.cut)
        load.is_cut = False
        while True:
            await asyncio.sleep(2)
            with db.writing() as connection:  # of those who hold rows and are gone
                dead = [number + 1 for number in range(options.annotators) if number % KILLED_EACH == 0]
                over = slot.c.person_id.in_(dead) & slot.c.open
                connection.execute(slot.update().where(over).values(leased_ms=0))

    disturbing = asyncio.create_task(disturb())
    work = (load.annotate(number, base, token, cookie) for number, token in enumerate(tokens))
    await asyncio.gather(*work)
    disturbing.cancel()
    return load


def measure_load(options: Any, database: str) -> dict[str, Any]:
    """Serve a run on `database` ("": SQLite), load it, count what is there."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        root = make_run(Path(place), options.items)
        command = [sys.executable, "-m", "alif", "desk", "load", "--port", "0", "--json"]
        command += ["--database", database] if database else []
        served = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        assert served.stdout
        text = ""
        while not text.endswith("}\n"):
            text += served.stdout.readline()
        base = json.loads(text)["address"]
        db = Database(database) if database else Database.at(root / "desk.sqlite")
        invites = [people.make_invite(db, "annotator") for _ in range(options.annotators)]
        tokens = [
            people.accept_invite(db, invite, f"annotator {number}", PASSWORD)
            for number, invite in enumerate(invites)
        ]
        from alif.desk.office import cookie_name

        began = time.perf_counter()
        load = asyncio.run(run_load(options, base, db, tokens, cookie_name(root)))
        seconds = time.perf_counter() - began
        served.send_signal(signal.SIGINT)
        served.wait(60)
        with db.reading() as connection:
            names = {one.id: one.name for one in people.list_people(db)}
            query = sa.select(slot.c.item_id, slot.c.person_id).where(slot.c.verdict.is_not(None))
            stored = [(found.item_id, names[found.person_id]) for found in connection.execute(query)]
        db.close()
        lines = [json.loads(line) for line in (root / "verdicts.jsonl").read_text("utf-8").splitlines()]
    each = Counter(item for item, _ in stored)
    cuts = statistics.quantiles(load.times, n=100)
    return {
        "annotators": options.annotators,
        "items": options.items,
        "verdicts": len(stored),
        "lost": len(load.answered - set(stored)) + max(0, REVIEWERS * options.items - len(stored)),
        "doubled": len(stored) - len(set(stored)) + sum(max(0, count - REVIEWERS) for count in each.values()),
        "p50_ms": round(cuts[49] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "lines": len(lines),
        "retries": load.retries,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Measure each database and write benchmarks/results/desk_load.json."""
    parser = measure.arguments(__doc__, "desk_load")
    parser.add_argument("--annotators", type=int, default=50)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--think", type=float, default=0.5, help="mean seconds before a decision")
    parser.add_argument("--cut", type=float, default=30.0, help="seconds without a line")
    parser.add_argument("--postgresql", default="", help="postgresql+psycopg://… of an empty database")
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    options = parser.parse_args()
    measured = {}
    for name in options.databases:
        measured[name] = measure_load(options, options.postgresql if name == "postgresql" else "")
        print(name, json.dumps(measured[name]), flush=True)
    packages = ("alif-llm", "starlette", "uvicorn", "sqlalchemy", "psycopg")
    measure.write(options.json, measure.result("desk_load", measured, packages))


if __name__ == "__main__":
    main()
