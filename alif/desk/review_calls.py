"""What the browser's module asks while somebody reviews: claim, verdict, undo, draft, preview."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from alif.desk import decisions, review_slots
from alif.desk.adjudication import measure_own
from alif.desk.cards import card_of, preview_of
from alif.desk.desk_settings import read_settings
from alif.desk.people import Refused
from alif.desk.practice import find_known, waits_for_others
from alif.desk.visit import Page, Visit
from alif.language.marked_text import mark_text

__all__ = ["PAGES"]


def claim(visit: Visit) -> Response:
    """Answer the rows that the person holds now."""
    office = visit.office
    work = review_slots.claim_slots(office.db, visit.person, add_checks=office.checks.add_beside)
    cards = [card_of(one, office.packs) for one in work]
    with office.db.reading() as connection:
        sensitive = read_settings(connection).sensitive_tasks
        waits = not cards and waits_for_others(connection, visit.person)
    for card in cards:
        card["sensitive"] = card["task"] in sensitive
    return JSONResponse({"cards": cards, "waits": waits, **measure_own(office.db, visit.person)})


def give_verdict(visit: Visit) -> Response:
    """Store a decision; the same key again is answered the same."""
    sent, office = visit.json, visit.office
    slot_id = _slot_id(sent)
    row = review_slots.find_row(office.db, slot_id)
    decision = decisions.read_decision(row, visit.person.name, sent, office.packs)
    repeated = review_slots.decide_slot(office.db, visit.person, slot_id, str(sent.get("key")), decision)
    office.exchange.verdict_was_given()
    with office.db.reading() as connection:
        known = find_known(connection, slot_id)
    if known is None:
        return JSONResponse({"repeated": repeated})
    view = mark_text(known["note"], office.packs.get(row.language))
    return JSONResponse({"repeated": repeated, "known": {**known, "view": view}})


def undo(visit: Visit) -> Response:
    """Take back the person's last decision."""
    office = visit.office
    if office.exchange.is_over:
        raise Refused("frozen", 409)
    work = review_slots.undo_last(office.db, visit.person, str(visit.json.get("key")))
    office.exchange.verdict_was_given()
    return JSONResponse({"cards": [card_of(one, office.packs) for one in work]})


def save_draft(visit: Visit) -> Response:
    """Keep what the person types."""
    sent = visit.json
    body = {"texts": _texts(sent), "note": str(sent.get("note", ""))}
    review_slots.save_draft(visit.office.db, visit.person, _slot_id(sent), body)
    return JSONResponse({})


def preview(visit: Visit) -> Response:
    """Answer texts that are being edited, as readers will see them."""
    row = review_slots.find_row(visit.office.db, _slot_id(visit.json), visit.person)
    return JSONResponse(preview_of(row, _texts(visit.json), visit.office.packs))


PAGES: list[Page] = [
    ("POST", "/api/claim", claim, "annotator"),
    ("POST", "/api/verdict", give_verdict, "annotator"),
    ("POST", "/api/undo", undo, "annotator"),
    ("POST", "/api/draft", save_draft, "annotator"),
    ("POST", "/api/preview", preview, "annotator"),
]


def _slot_id(sent: Mapping[str, object]) -> int:
    found = sent.get("slot")
    if not isinstance(found, int) or not 0 < found < 2**53:
        raise Refused("not_understood", 400)
    return found


def _texts(sent: Mapping[str, object]) -> dict[str, str]:
    found = sent.get("texts")
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise Refused("not_understood", 400)
    return found
