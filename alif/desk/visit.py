"""One request at the desk: who asks, what was sent, and whether it came from a page of ours.

Every page and every call is answered through `endpoint`, so nothing passes without the limit of size, the
check against forged requests, the session and the role. A browser on plain HTTP beyond loopback sends no
`Sec-Fetch-Site`, but it sends `Origin` with every POST.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alif.desk.people import DeskPerson, Refused, find_session
from alif.errors import AlifError
from alif.records import sanitize_text

if TYPE_CHECKING:
    from alif.desk.office import Office

__all__ = ["Handler", "Page", "Visit", "add_security_headers", "endpoint"]

MAX_BODY = 1_000_000
"""Bytes: the longest row with its edits is far below."""
MAX_FIELDS = 50
COOKIE_AGE_S = 365 * 86_400
SAFE = ("GET", "HEAD")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without a referrer a form's Origin would be "null"
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Visit:
    """A request that may be answered."""

    office: Office
    request: Request
    body: bytes
    guest: DeskPerson | None

    @property
    def person(self) -> DeskPerson:
        """Return who has logged in."""
        if self.guest is None:
            raise Refused("log_in_first", 401)
        return self.guest

    @property
    def form(self) -> Mapping[str, str]:
        """Return the fields of a form, the last of each name."""
        try:
            fields = parse_qs(self.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError as error:
            raise Refused("not_understood", 400) from error
        return {name: values[-1].replace("\0", "") for name, values in fields.items()}

    @property
    def json(self) -> Mapping[str, object]:
        """Return the JSON object that was sent."""
        try:
            found = storable(json.loads(self.body))
        except (ValueError, RecursionError) as error:
            raise Refused("not_understood", 400) from error
        if not isinstance(found, dict):
            raise Refused("not_understood", 400)
        return found

    @property
    def token(self) -> str:
        """Return the session's token, as the browser sent it."""
        return self.request.cookies.get(self.office.cookie, "")

    @property
    def language(self) -> str:
        """Return the language of the pages: this browser's choice, else the run's."""
        chosen = self.request.cookies.get("language", "")
        return chosen if chosen in self.office.texts else self.office.language

    def page(self, template: str, status: int = 200, /, **values: object) -> HTMLResponse:
        """Return a page from a template."""
        texts = self.office.texts[self.language]
        face = "naskh" if self.request.cookies.get("face") == "naskh" else "nastaliq"
        html = self.office.templates.get_template(template).render(
            t=texts, language=self.language, languages=self.office.texts, face=face, person=self.guest,
            office=self.office, path=self.request.url.path, **values,
        )  # fmt: skip
        return HTMLResponse(html, status, {"Cache-Control": "no-store"})

    def redirect(self, path: str, token: str | None = None) -> Response:
        """Return a redirect within the desk; `token` begins a session, "" ends it."""
        response = RedirectResponse(path, 303)
        if token:
            secure = self.request.url.scheme == "https"
            response.set_cookie(self.office.cookie, token, httponly=True, samesite="lax", secure=secure)
        elif token == "":
            response.delete_cookie(self.office.cookie, httponly=True, samesite="lax")
        return response

    def refuse(self, refusal: Refused) -> Response:
        """Return why something was not done, as a page or, to a call, as JSON."""
        told = self.office.texts[self.language]["told"].get(refusal.message, refusal.message)
        if self.request.url.path.startswith("/api/"):
            answer = {"error": refusal.message, "told": told, "hint": refusal.hint}
            return JSONResponse(answer, refusal.status)
        if refusal.status == 401:
            return self.redirect("/login")
        return self.page("told.html", refusal.status, told=told, hint=refusal.hint)


def storable(value: object) -> object:
    """Return JSON without what a database does not keep: no NUL, no half of a surrogate pair."""
    if isinstance(value, str):
        return sanitize_text(value.replace("\0", ""))
    if isinstance(value, dict):
        return {str(storable(name)): storable(one) for name, one in value.items()}
    return [storable(one) for one in value] if isinstance(value, list) else value


Handler = Callable[[Visit], Response]
Page = tuple[str, str, Handler, str]
"""Method, path, what answers, and the role that it asks for ("": nobody has to log in).

A module of pages has a list of them, `PAGES`, which `desk_app` joins.
"""


def endpoint(office: Office, handler: Handler, role: str = "") -> Callable[[Request], Awaitable[Response]]:
    """Return the ASGI side of a handler: its role is asked for, its database work runs on a thread."""

    async def respond(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return Visit(office, request, b"", None).refuse(Refused("too_large", 413))
        return await run_in_threadpool(answer, request, body)

    def answer(request: Request, body: bytes) -> Response:
        visit = Visit(office, request, body, None)
        try:
            if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                raise Refused("not_understood", 400)  # PostgreSQL keeps no NUL
            if request.method not in SAFE and not is_own_page(request):
                raise Refused("foreign_request", 403)
            visit = Visit(office, request, body, find_session(office.db, visit.token))
            if role and not visit.person.may(role):
                raise Refused("not_allowed", 403)
            return handler(visit)
        except Refused as refusal:
            return visit.refuse(refusal)
        except AlifError as error:  # a damaged file of the run, a full disk
            return visit.refuse(Refused("went_wrong", 500, f"{error.message}. {error.hint}"))

    return respond


def is_own_page(request: Request) -> bool:
    """Tell whether a browser sent this from a page of the desk, and no other site made it do so.

    Source: OWASP's CSRF cheat sheet, Fetch Metadata with Origin as the fallback.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin") or request.headers.get("referer", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def add_security_headers(app: ASGIApp) -> ASGIApp:
    """Return an app whose every answer, errors and files included, carries HEADERS."""

    async def secured(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await app(scope, receive, send_with_headers if scope["type"] == "http" else send)

    return secured
