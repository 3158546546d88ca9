"""Pages of seeds: write one while the nearest is shown, and approve what others wrote."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from alif.desk.decisions import MAX_NOTE
from alif.desk.exchange import find_flags
from alif.desk.people import Refused
from alif.desk.visit import Page, Visit
from alif.language.marked_text import MarkedParagraph, mark_text
from alif.language.pack import Pack
from alif.records import Example
from alif.review.verdicts import TEXTS

__all__ = ["PAGES"]

SHOWN_AT_ONCE = 50


def show_seeds(visit: Visit) -> Response:
    """Show the form, what waits for the visitor's approval, and what became of the visitor's own."""
    return _show(visit, {}, "")


def _show(visit: Visit, form: Mapping[str, str], told: str, status: int = 200) -> Response:
    desk, who = visit.office.seeds, visit.person
    found = desk.list_seeds()
    shown = found[:SHOWN_AT_ONCE]
    views = {one.id: _views(one.row, desk.pack) for one in shown}
    typed = {name: form.get(name, "") for name in ("task", *TEXTS)}
    return visit.page(
        "seeds.html", status, pack=desk.pack, views=views, typed=typed, told=told,
        waiting=[one for one in shown if one.state == "waiting" and one.author_id != who.id],
        own=[one for one in shown if one.author_id == who.id],
        place="" if desk.is_ours else desk.path_of(""),
    )  # fmt: skip


def propose_seed(visit: Visit) -> Response:
    """Have a seed wait for a second person; one that cannot be is shown again with the reason."""
    desk, form = visit.office.seeds, visit.form
    try:
        desk.propose(visit.person, desk.read_seed(visit.person, form))
    except Refused as refusal:
        if refusal.status == 400:
            raise
        return _show(visit, form, visit.office.texts[visit.language]["told"][refusal.message], refusal.status)
    return visit.redirect("/seeds")


def decide_seed(visit: Visit) -> Response:
    """Approve or reject a seed that somebody else wrote."""
    form = visit.form
    note = form.get("note", "")
    if form.get("decision") not in ("approve", "reject") or len(note) > MAX_NOTE:
        raise Refused("not_understood", 400)
    seed_id = visit.request.path_params["seed"]
    visit.office.seeds.decide(visit.person, seed_id, approve=form["decision"] == "approve", note=note)
    return visit.redirect("/seeds")


def check_seed(visit: Visit) -> Response:
    """Answer how a seed reads, what a machine notices in it, and which seed is nearest."""
    desk = visit.office.seeds
    sent = {name: value for name, value in visit.json.items() if isinstance(value, str)}
    row = desk.read_seed(visit.person, sent)
    nearest = desk.find_nearest(row)
    return JSONResponse({
        "views": _views(row, desk.pack),
        "flags": find_flags(row, desk.pack),
        "nearest": nearest and {"view": mark_text(nearest.text, desk.pack), "similarity": nearest.similarity},
        "too_near": desk.is_too_near(nearest),
    })  # fmt: skip


def _views(row: Example, pack: Pack) -> dict[str, list[MarkedParagraph]]:
    return {name: mark_text(getattr(row, name), pack) for name in TEXTS if getattr(row, name)}


PAGES: list[Page] = [
    ("GET", "/seeds", show_seeds, "annotator"),
    ("POST", "/seeds", propose_seed, "annotator"),
    ("POST", "/seeds/{seed:int}", decide_seed, "annotator"),
    ("POST", "/api/seeds/check", check_seed, "annotator"),
]
