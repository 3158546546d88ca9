"""The desk as an app: the pages of every feature, and those that let people in."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from alif.desk import (
    chat_pages,
    export_pages,
    people,
    practice_pages,
    review_calls,
    review_pages,
    run_pages,
    seed_pages,
    start_pages,
)
from alif.desk.campaigns import campaign_pages
from alif.desk.office import HERE, Office
from alif.desk.people import Refused
from alif.desk.visit import COOKIE_AGE_S, Page, Visit, add_security_headers, endpoint
from alif.report.html import FONTS

__all__ = ["build_app"]

FEATURES: tuple[list[Page], ...] = (
    review_pages.PAGES, review_calls.PAGES, practice_pages.PAGES, seed_pages.PAGES, export_pages.PAGES,
    run_pages.PAGES, start_pages.PAGES, chat_pages.PAGES, campaign_pages.PAGES,
)  # fmt: skip
"""The pages of each feature's module."""


def build_app(office: Office) -> ASGIApp:
    """Return the desk as an ASGI app."""
    pages = [page for feature in (OWN_PAGES, *FEATURES) for page in feature]
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
    return visit.redirect({"judge": "/campaigns", "viewer": "/progress"}.get(visit.person.role, "/review"))


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
    back = visit.form.get("back", "")
    response = visit.redirect(back if re.fullmatch(r"(/[A-Za-z0-9_-]+)+", back) else "/")
    for name, allowed in (("language", list(visit.office.texts)), ("face", ["naskh", "nastaliq"])):
        if visit.form.get(name) in allowed:
            response.set_cookie(name, visit.form[name], max_age=COOKIE_AGE_S, samesite="lax")
    return response


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


OWN_PAGES: list[Page] = [
    ("GET", "/", open_home, ""),
    ("GET", "/login", show_login, ""),
    ("POST", "/login", log_in, ""),
    ("POST", "/logout", log_out, ""),
    ("GET", "/invite/{token}", show_invite, ""),
    ("POST", "/invite/{token}", accept_invite, ""),
    ("POST", "/settings", change_settings, ""),
    ("GET", "/people", show_people, "admin"),
    ("POST", "/people/invite", invite, "admin"),
    ("POST", "/people/{person:int}", change_person, "admin"),
]
