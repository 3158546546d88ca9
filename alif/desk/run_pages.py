"""Pages of the run: progress, money, funnel, rows, trainings, review pace, scores; live while it goes.

The page holds no truth of its own. Its module asks for one small JSON every five seconds and writes what
stands there; where the `stamp` is another one, it fetches the page again and takes over its tables.
"""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from starlette.responses import JSONResponse, Response

from alif.desk.office import Office, Texts
from alif.desk.people import WATCHER, Refused
from alif.desk.run_pictures import Picture, draw_rows, draw_training, strict_svg
from alif.desk.run_watch import RunView, list_prices, review_pace, stored_recipe, view_run
from alif.desk.visit import Page, Visit
from alif.formatting import format_duration, format_usd
from alif.language.marked_text import mark_text
from alif.report.html import format_number
from alif.report.snapshot import DroppedRow, read_run, sample_dropped

__all__ = ["PAGES", "live_words", "show_cell"]

MONEY = ("usd", "usd_per_accepted")
"""Columns in dollars."""
SHOWN_CHARS = 600
"""Of a dropped row that is shown as an example."""
VIEW_S = 2.0
"""How long what was looked at serves everybody who watches."""


class DrawnRun(NamedTuple):
    """What a page shows of a run's files, with the stamps of its two parts."""

    rows_stamp: str
    stamp: str
    rows: Sequence[Picture]
    training: Sequence[Picture]
    dropped: Sequence[tuple[str, DroppedRow]]


_drawing = threading.Lock()  # matplotlib's settings are those of all threads
_drawn: dict[Path, DrawnRun] = {}
_seen: dict[Path, tuple[float, RunView]] = {}


def show_run(visit: Visit) -> Response:
    """Show all that is known of the run now."""
    office, t = visit.office, visit.office.texts[visit.language]
    view, drawn = look_at(office), draw_run(office)
    return visit.page(
        "run.html",
        view=view,
        live=live_words(view, t),
        pictures=list_pictures(office),
        prices=list_prices(stored_recipe(office.folder) or office.recipe),
        money=format_usd,
        svg=strict_svg,
        duration=lambda seconds: duration_words(seconds, t),
        cell=show_cell,
        dropped=[
            (step, row.reason, mark_text((row.raw or row.instruction or row.text)[:SHOWN_CHARS], office.pack))
            for step, row in (drawn.dropped if drawn else ())
        ],
    )


def answer_state(visit: Visit) -> Response:
    """Answer what changes while the run goes, as the page's words."""
    view = look_at(visit.office)
    words = live_words(view, visit.office.texts[visit.language])
    return JSONResponse({"stamp": view.stamp, **words}, headers={"Cache-Control": "no-store"})


def answer_table(visit: Visit) -> Response:
    """Answer the table of a picture as CSV; what a spreadsheet would run as a formula is text."""
    name = visit.request.path_params["name"]
    found = next((one for one in list_pictures(visit.office) if one.name == name), None)
    if found is None:
        raise Refused("no_such_page", 404)
    written = io.StringIO()
    csv.writer(written).writerows(
        [
            f"'{one}" if isinstance(one, str) and one.startswith(("=", "+", "-", "@", "\t")) else one
            for one in row
        ]
        for row in (found.columns, *found.rows)
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response(written.getvalue(), media_type="text/csv", headers=headers)


def look_at(office: Office) -> RunView:
    """Return the run as it is now, or was a moment ago."""
    root = office.folder.root
    at, view = _seen.get(root, (0.0, None))
    if view is None or time.monotonic() > at + VIEW_S:
        view = view_run(office.folder, stored_recipe(office.folder) or office.recipe)
        _seen[root] = (time.monotonic(), view)
    return view


def draw_run(office: Office) -> DrawnRun | None:
    """Return the run's pictures; rows are counted anew where a step was done, curves while they grow."""
    root, view = office.folder.root, look_at(office)
    if not view.begun:
        return None
    with _drawing:
        drawn = _drawn.get(root)
        if drawn is None or drawn.stamp != view.stamp:
            run = read_run(root)
            same = drawn if drawn and drawn.rows_stamp == view.rows_stamp else None
            rows, dropped = (same.rows, same.dropped) if same else (draw_rows(run), sample_dropped(run))
            drawn = DrawnRun(view.rows_stamp, view.stamp, rows, list(draw_training(run)), dropped)
            _drawn[root] = drawn
        return drawn


def list_pictures(office: Office) -> list[Picture]:
    """Return the run's pictures, and today's pace of the review."""
    drawn, pace = draw_run(office), review_pace(office.db)
    return [*(drawn.rows if drawn else ()), *(drawn.training if drawn else ()), *([pace] if pace else [])]


def live_words(view: RunView, t: Texts) -> dict[str, str | float | None]:
    """Return what changes while the run goes, as words of the page's language."""
    told, work, money = t["run"], view.work, view.money
    states = [step["state"] for step in view.steps]
    state = "going" if view.going else "begun" if view.begun else "not_begun"
    if not view.going:
        state = next((one for one in ("waiting", "cap reached", "failed") if one in states), state)
        state = "done" if all(one == "done" for one in states) else state
    left = work.left_s if work else None
    ends = list(dict.fromkeys(duration_words(seconds, t) for seconds in left or ()))
    unsettled = money["unsettled"]["usd"]
    return {
        "state": t["states"][state],
        "work": t["steps"].get(work.name, work.name) if work else "–",
        "done": f"{work.done:,.0f}{f' / {work.total:,.0f}' * bool(work.total)} {work.unit}" if work else "",
        "share": work.share if work else None,
        "left": told[("left_unknown", "left_one", "left")[len(ends)]].format(*ends) if work else "",
        "spent": f"{format_usd(money['spent_usd'])} / {format_usd(money['cap_usd'])}",
        "spent_share": min(1.0, money["spent_usd"] / money["cap_usd"]) if money["cap_usd"] else None,
        "unsettled": f"+ {format_usd(unsettled)}" if unsettled else "",
    }


def duration_words(seconds: float, t: Texts) -> str:
    """Return a duration in the page's language."""
    words = format_duration(seconds)
    for unit in ("min", "h", "s"):
        words = words.replace(f" {unit}", f" {t['units'][unit]}")
    return words


def show_cell(column: str, value: object, t: Mapping[str, Mapping[str, str]]) -> str:
    """Return a cell as people read it; what is not known is "–", an unknown price "?"."""
    if isinstance(value, int | float):
        return format_usd(value) if column in MONEY else format_number(value)
    if value is None:
        return "?" if column == "usd" else "–"
    words = {"step": "steps", "task": "", "sure": "verdict_words"}.get(column, "")
    return t[words].get(str(value), str(value)) if words else str(value)


PAGES: list[Page] = [
    ("GET", "/run", show_run, WATCHER),
    ("GET", "/run/state.json", answer_state, WATCHER),
    ("GET", "/run/{name}.csv", answer_table, WATCHER),
]
