"""What is going on in a run now: its steps, how far the one is that runs, what is spent; and since when.

All of it is read from the run's folder, so a run that a terminal started is seen too, and a copied one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from alif import recipe as recipes
from alif.desk.database import Database, event
from alif.desk.run_pictures import Picture
from alif.errors import AlifError
from alif.formatting import format_usd
from alif.llm.budget import price_of
from alif.llm.money_status import Money, money_status
from alif.records import STEP_NAMES
from alif.runs import Run, StepState
from alif.runs.curves import CURVE
from alif.runs.progress import WorkProgress, read_progress
from alif.settings import Endpoint, Recipe

__all__ = ["RunView", "list_prices", "review_pace", "stored_recipe", "view_run"]

CURVE_EVERY_S = 30
"""How often the page's figures follow a training that is going on."""
DAY_MS = 86_400_000


class RunView(NamedTuple):
    """A run as it is now."""

    going: bool
    begun: bool
    steps: Sequence[StepState]
    work: WorkProgress | None
    money: Money
    rows_stamp: str
    """Another one: steps were done or have changed, and with them the pictures of rows and scores."""
    stamp: str
    """Another one: anything of the page has changed."""


def stored_recipe(run: Run) -> Recipe | None:
    """Return the recipe that the run keeps; None before it has begun."""
    path = run.root / "recipe.toml"
    return recipes.load_recipe(path) if path.is_file() else None


def view_run(run: Run, recipe: Recipe) -> RunView:
    """Return the run as it is now."""
    steps = [run.state(name) for name in STEP_NAMES]
    going, files = run.busy(), [run.root / "recipe.toml"]
    files += [run.folder(name) / "step.json" for name in STEP_NAMES]
    changed = [path.stat().st_mtime_ns if path.is_file() else 0 for path in files]
    curves = [run.scratch(name) / CURVE for name in STEP_NAMES]
    grown = [int(path.stat().st_mtime // CURVE_EVERY_S) for path in curves if path.is_file()]
    told = [(step["state"], step["message"]) for step in steps]
    work = read_progress(run) if going else None
    stamps = (_stamp(changed), _stamp(changed, grown, going, told))
    return RunView(going, files[0].is_file(), steps, work, money_status(run, recipe), *stamps)


def _stamp(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def list_prices(recipe: Recipe) -> list[tuple[str, str, str, str]]:
    """Return (recipe key, model, price of a million tokens in, out); an unknown one is "?", never 0."""
    tables: Mapping[str, Mapping[str, Endpoint]] = {
        "teacher": recipe.teacher,
        "system": {name: one for name, one in recipe.system.items() if one.base_url},
        "judge": recipe.judge,
    }
    found = []
    for table, endpoints in tables.items():
        for name, one in endpoints.items():
            try:
                price = price_of(f"{table}.{name}", one)
                told = (format_usd(price.usd_per_million_in), format_usd(price.usd_per_million_out))
            except AlifError:
                told = ("?", "?")
            found.append((f"{table}.{name}", one.model, *told))
    return found


def review_pace(db: Database) -> Picture | None:
    """Return the verdicts of each day, of everybody together: nobody's pace stands beside another's."""
    day = (event.c.at_ms // DAY_MS).label("day")
    kinds = ("approve", "edit", "reject", "adjudicate")
    query = sa.select(day, event.c.kind, sa.func.count()).where(event.c.kind.in_(kinds))
    by_day: dict[int, dict[str, int]] = {}
    with db.reading() as connection:
        for place, kind, count in connection.execute(query.group_by(day, event.c.kind).order_by(day)):
            by_day.setdefault(place, {})[kind] = count
    if not by_day:
        return None
    rows = [
        (
            f"{datetime.fromtimestamp(place * DAY_MS / 1000, UTC):%Y-%m-%d}",
            *(counts.get(kind, 0) for kind in kinds),
            sum(counts.values()),
        )
        for place, counts in by_day.items()
    ]
    return Picture(
        "pace", sum(sum(counts.values()) for counts in by_day.values()), ("day", *kinds, "all"), rows
    )
