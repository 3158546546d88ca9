"""The desk's pages and calls, each with the role that it asks for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from alif.desk import adjudication, people, review_slots
from alif.desk.cards import direction_of, fields_of, preview_of
from alif.desk.database import event, item, person
from alif.desk.office import HERE, Office
from alif.desk.people import Refused
from alif.desk.review_calls import CALLS
from alif.desk.visit import COOKIE_AGE_S, Handler, Visit, add_security_headers, endpoint
from alif.records import Example
from alif.report.html import FONTS
from alif.review.verdicts import TEXTS

__all__ = ["build_app"]

Page = tuple[str, str, Handler, str]


def build_app(office: Office) -> ASGIApp:
    """Return the desk as an ASGI app."""
    pages: list[Page] = [
        ("GET", "/", open_home, ""),
        ("GET", "/login", show_login, ""),
        ("POST", "/login", log_in, ""),
        ("POST", "/logout", log_out, ""),
        ("GET", "/invite/{token}", show_invite, ""),
        ("POST", "/invite/{token}", accept_invite, ""),
        ("POST", "/settings", change_settings, ""),
        ("GET", "/guide", show_guide, "viewer"),
        ("GET", "/progress", show_progress, "viewer"),
        ("GET", "/review", show_review, "annotator"),
        *(("POST", f"/api/{name}", call, "annotator") for name, call in CALLS.items()),
        ("GET", "/adjudicate", show_dispute, "lead"),
        ("POST", "/adjudicate/{item}", decide_dispute, "lead"),
        ("GET", "/export/events.jsonl", export_events, "lead"),
        ("GET", "/people", show_people, "admin"),
        ("POST", "/people/invite", invite, "admin"),
        ("POST", "/people/{person:int}", change_person, "admin"),
    ]
    routes = [
        Route(path, endpoint(office, handler, role), methods=[method])
        for method, path, handler, role in pages
    ]
    places = {"/static": HERE / "static", "/fonts": FONTS}
    files = [Mount(path, StaticFiles(directory=folder)) for path, folder in places.items()]

    async def no_such_page(request: Request, error: Exception) -> Response:
        return await endpoint(office, lambda visit: visit.refuse(Refused("no_such_page", 404)))(request)

    return add_security_headers(Starlette(routes=[*routes, *files], exception_handlers={404: no_such_page}))


def open_home(visit: Visit) -> Response:
    """Lead everybody to the page of their work."""
    return visit.redirect("/review" if visit.person.may("annotator") else "/progress")


def show_login(visit: Visit) -> Response:
    """Ask for name and password."""
    return visit.page("login.html", told="", name="")


def log_in(visit: Visit) -> Response:
    """Begin a new session, whatever cookie the browser brought."""
    form, client = visit.form, visit.request.client
    name = form.get("name", "")
    try:
        token = people.log_in(visit.office.db, name, form.get("password", ""), client.host if client else "")
    except Refused as refusal:
        told = visit.office.texts[visit.language]["told"][refusal.message]
        return visit.page("login.html", refusal.status, told=told, name=name)
    return visit.redirect("/", token)


def log_out(visit: Visit) -> Response:
    """End the session here and on the server."""
    people.end_session(visit.office.db, visit.token)
    return visit.redirect("/login", "")


def show_invite(visit: Visit) -> Response:
    """Ask an invited person for a name and a password; looking at the page uses nothing up."""
    name = people.find_invite(visit.office.db, visit.request.path_params["token"])
    if name is None:
        raise Refused("invite_over", 410)
    return visit.page("invite.html", told="", name=name, is_new=not name)


def accept_invite(visit: Visit) -> Response:
    """Use the invite up and begin a session."""
    form, token = visit.form, visit.request.path_params["token"]
    name = form.get("name", "")
    try:
        started = people.accept_invite(visit.office.db, token, name, form.get("password", ""))
    except Refused as refusal:
        if refusal.status == 410:
            raise
        told = visit.office.texts[visit.language]["told"][refusal.message]
        is_new = not people.find_invite(visit.office.db, token)
        return visit.page("invite.html", refusal.status, told=told, name=name, is_new=is_new)
    return visit.redirect("/", started)


def change_settings(visit: Visit) -> Response:
    """Keep the language of the pages and the face of the texts in this browser."""
    pages = ("/review", "/progress", "/guide", "/adjudicate", "/people", "/login")
    back = visit.form.get("back", "")
    response = visit.redirect(back if back in pages or back.startswith("/invite/") else "/")
    for name, allowed in (("language", list(visit.office.texts)), ("face", ["naskh", "nastaliq"])):
        if visit.form.get(name) in allowed:
            response.set_cookie(name, visit.form[name], max_age=COOKIE_AGE_S, samesite="lax")
    return response


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
    return visit.page("review.html")


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
    decision = review_slots.read_decision(row, visit.person.name, sent, office.packs)
    if decision["decision"] == review_slots.SKIP:
        raise Refused("not_understood", 400)
    adjudication.adjudicate(office.db, visit.person, item_id, form.get("key", ""), decision)
    office.exchange.verdict_was_given()
    return visit.redirect("/adjudicate")


def export_events(visit: Visit) -> Response:
    """Answer every event as JSON Lines: the audit trail, readable without the desk."""
    query = sa.select(event, person.c.name).select_from(event.join(person)).order_by(event.c.id)

    def lines() -> Iterator[str]:
        with visit.office.db.reading() as connection:
            for row in connection.execution_options(yield_per=500).execute(query).mappings():
                yield json.dumps(dict(row), ensure_ascii=False) + "\n"

    headers = {"Content-Disposition": 'attachment; filename="events.jsonl"', "Cache-Control": "no-store"}
    return StreamingResponse(lines(), media_type="application/jsonl", headers=headers)


def show_people(visit: Visit) -> Response:
    """List everybody, for an admin."""
    return visit.page("people.html", everybody=people.list_people(visit.office.db), link="")


def invite(visit: Visit) -> Response:
    """Show a new one-time link, once."""
    form = visit.form
    known = int(form["person"]) if form.get("person", "").isdecimal() else None
    token = people.make_invite(visit.office.db, form.get("role", ""), known)
    link = str(visit.request.url.replace(path=f"/invite/{token}", query=""))
    return visit.page("people.html", everybody=people.list_people(visit.office.db), link=link)


def change_person(visit: Visit) -> Response:
    """Shut a person out, or let them in again; nobody shuts themselves out."""
    known = visit.request.path_params["person"]
    if known == visit.person.id:
        raise Refused("not_yourself", 409)
    people.set_active(visit.office.db, known, active=visit.form.get("active") == "yes")
    return visit.redirect("/people")
