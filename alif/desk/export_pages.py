"""Files of the review: exports in the shapes of several tools, and verdicts that were given in one."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import JSONResponse, Response, StreamingResponse

from alif.desk.people import Refused
from alif.desk.review_files import events_lines, export_lines, import_verdicts
from alif.desk.review_formats import READERS, WRITERS
from alif.desk.visit import Page, Visit

__all__ = ["PAGES"]


def show_files(visit: Visit) -> Response:
    """Show what can be fetched and what can be taken in."""
    return visit.page("files.html", writers=list(WRITERS), readers=list(READERS))


def export_rows(visit: Visit) -> Response:
    """Answer all rows under review in the shape that the address names."""
    shape = visit.request.path_params["shape"]
    if shape not in WRITERS:
        raise Refused("no_such_page", 404)
    return _answer(export_lines(visit.office.db, shape), f"{visit.office.run}-{shape}")


def export_events(visit: Visit) -> Response:
    """Answer every event: the audit trail, readable without the desk."""
    return _answer(events_lines(visit.office.db), "events")


def _answer(lines: Iterator[str], name: str) -> Response:
    known = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in name)
    headers = {"Content-Disposition": f'attachment; filename="{known}.jsonl"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="application/jsonl", headers=headers)


def take_in(visit: Visit) -> Response:
    """Store verdicts of another tool, those of one call all or not at all."""
    office, sent, shape = visit.office, visit.json, visit.request.path_params["shape"]
    lines, first = sent.get("lines"), sent.get("first", 1)
    if shape not in READERS or not isinstance(lines, str) or not isinstance(first, int):
        raise Refused("not_understood", 400)
    if office.exchange.is_over:
        raise Refused("frozen", 409)
    taken = import_verdicts(office.db, shape, lines, office.packs, first=first)
    office.exchange.verdict_was_given()
    return JSONResponse(taken._asdict())


PAGES: list[Page] = [
    ("GET", "/files", show_files, "lead"),
    ("GET", "/export/events.jsonl", export_events, "lead"),
    ("GET", "/export/{shape}.jsonl", export_rows, "lead"),
    ("POST", "/api/import/{shape}", take_in, "lead"),
]
