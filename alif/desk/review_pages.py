"""Pages of a review: card, guide, progress and agreement, what a lead decides."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from starlette.responses import Response

from alif.desk import adjudication, decisions
from alif.desk.cards import direction_of, fields_of, preview_of
from alif.desk.database import item
from alif.desk.desk_settings import has_opted_out
from alif.desk.people import Refused
from alif.desk.visit import Page, Visit
from alif.records import Example
from alif.review.verdicts import TEXTS

__all__ = ["PAGES"]


def show_guide(visit: Visit) -> Response:
    """Tell reviewers what to look for."""
    return visit.page(f"guide_{visit.language}.html")


def show_progress(visit: Visit) -> Response:
    """Show where the review stands and how far reviewers agree."""
    progress = adjudication.measure_progress(visit.office.db)
    agreement = adjudication.measure_agreement(visit.office.db)
    return visit.page("progress.html", progress=progress, agreement=agreement)


def show_review(visit: Visit) -> Response:
    """Show the empty card, which the browser fills."""
    with visit.office.db.reading() as connection:
        return visit.page("review.html", has_opted_out=has_opted_out(connection, visit.person.id))


def show_dispute(visit: Visit) -> Response:
    """Show a lead the next row on which reviewers disagree."""
    office = visit.office
    found = adjudication.find_dispute(office.db)
    if found is None:
        return visit.page("adjudicate.html", row=None)
    shown = [preview_of(found.row, one["texts"], office.packs) for one in found.verdicts]
    return visit.page(
        "adjudicate.html",
        row=found.row,
        fields=fields_of(found.row, office.packs),
        way=direction_of(found.row, office.packs),
        verdicts=list(zip(found.verdicts, shown, strict=True)),
        left=found.left,
        key=secrets.token_hex(16),
    )


def decide_dispute(visit: Visit) -> Response:
    """Store a lead's decision: a reviewer's verdict that was picked, or the lead's own."""
    form, office, item_id = visit.form, visit.office, visit.request.path_params["item"]
    if office.exchange.is_over:
        raise Refused("frozen", 409)
    with office.db.reading() as connection:
        found = connection.scalar(sa.select(item.c.row).where(item.c.id == item_id))
    if found is None:
        raise Refused("not_disputed", 409)
    row = Example.model_validate_json(found)
    texts = {name: form[f"text_{name}"] for name in TEXTS if f"text_{name}" in form}
    sent = {
        "decision": form.get("decision"), "note": form.get("note", ""), "texts": texts,
        "reasons": [reason for reason in form.get("reasons", "").split(",") if reason],
    }  # fmt: skip
    decision = decisions.read_decision(row, visit.person.name, sent, office.packs)
    if decision["decision"] == decisions.SKIP:
        raise Refused("not_understood", 400)
    adjudication.adjudicate(office.db, visit.person, item_id, form.get("key", ""), decision)
    office.exchange.verdict_was_given()
    return visit.redirect("/adjudicate")


PAGES: list[Page] = [
    ("GET", "/guide", show_guide, "viewer"),
    ("GET", "/progress", show_progress, "viewer"),
    ("GET", "/review", show_review, "annotator"),
    ("GET", "/adjudicate", show_dispute, "lead"),
    ("POST", "/adjudicate/{item}", decide_dispute, "lead"),
]
