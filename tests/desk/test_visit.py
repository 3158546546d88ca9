"""What passes the door: requests from our own pages, of a bounded size, under headers that let nothing in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from alif.desk.desk_app import FEATURES, OWN_PAGES
from alif.desk.office import Office
from alif.desk.visit import MAX_BODY
from tests.desk.conftest import HOSTILE, PASSWORD, Site, serving

LOGIN = f"name=x&password={PASSWORD}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),  # neither Origin nor Referer: no browser sends a form so
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://{host}.evil.example"}, 403),
        ({"Referer": "http://evil.example/http://{host}/"}, 403),
        ({"Origin": "http://{host}", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://{host}", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://{host}"}, 303),  # plain HTTP in a LAN
        ({"Referer": "http://{host}/login"}, 303),
    ],
)
def test_forged_requests_are_refused(site: Site, headers: dict[str, str], status: int) -> None:
    browser = site.person("آمنہ", "admin")
    named = {name: value.format(host=browser.host) for name, value in headers.items()}
    answered, _, _ = browser.send("POST", "/logout", "", **named)
    assert answered == status
    assert (browser.get("/people")[0] == 200) == (status == 403)


def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(site: Site) -> None:
    browser = site.person("آمنہ")
    origin = {"Origin": f"http://{browser.host}"}
    assert browser.send("POST", "/api/verdict", b"x" * (MAX_BODY + 1), **origin)[0] == 413
    chunks = iter([b"x" * 100_000] * 20)
    browser.connection.close()
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    browser.connection.request(
        "POST", "/api/draft", chunks, {**origin, "Cookie": cookie}, encode_chunked=True
    )
    assert browser.connection.getresponse().status == 413


def test_every_answer_carries_the_policy_and_pages_are_not_stored(site: Site) -> None:
    browser = site.person("آمنہ", "admin")
    for path in ("/people", "/no/such", "/static/review.mjs", "/static/none", "/fonts/ur.woff2", "/login"):
        _, _, headers = browser.get(path)
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert browser.get("/people")[2]["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "body", ["", "[1]", "nonsense", "[" * 50_000, '{"slot": "1"}', '{"slot": 1e400}', "\xff"]
)
def test_calls_that_are_no_calls_are_answered_with_400(site: Site, body: str) -> None:
    browser = site.person("آمنہ")
    for name in ("verdict", "preview"):
        status, text, _ = browser.send(
            "POST", f"/api/{name}", body.encode("latin-1"), Origin=f"http://{browser.host}"
        )
        assert (status, "not_understood" in text) == (400, True)


def test_a_form_that_is_no_text_and_one_of_many_fields_are_refused(site: Site) -> None:
    browser = site.browser()
    for body in (b"name=\xff%ff&x=\xfe", b"&".join([b"a=1"] * 60)):
        assert browser.send("POST", "/login", body, Origin=f"http://{browser.host}")[0] == 400


def test_the_session_is_new_at_each_login_and_a_planted_one_opens_nothing(site: Site) -> None:
    site.person("آمنہ", "admin")
    browser = site.browser()
    browser.cookies[site.office.cookie] = "planted-by-somebody-else"
    assert browser.get("/people")[2]["location"] == "/login"
    status, _, headers = browser.post("/login", name="آمنہ", password=PASSWORD)
    assert status == 303
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=lax" in headers["set-cookie"]
    token = browser.cookies[site.office.cookie]
    assert token != "planted-by-somebody-else"
    planted = site.browser()
    planted.cookies[site.office.cookie] = "planted-by-somebody-else"
    assert planted.get("/people")[2]["location"] == "/login"
    browser.post("/logout")
    planted.cookies[site.office.cookie] = token
    assert planted.get("/people")[0] == 303


def test_what_somebody_typed_is_shown_as_text(site: Site) -> None:
    status, page, _ = site.browser().post("/login", name=HOSTILE, password="wrong")
    assert status == 403
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "{{7*7}}" in page


def test_nuls_in_addresses_forms_and_calls_are_no_fault_of_ours(
    make_office: Callable[..., Office], database: str
) -> None:
    names = ("item", "note", "name", "person", "role", "key", "text", "task", "instruction", "output", "slot")
    fields = {name: f"\0\ud800{name}" for name in (*names, "lines", "shape", "decision")}
    with serving(make_office(database=database)) as site:
        admin = site.person("منتظم", "admin")
        origin = {"Origin": f"http://{admin.host}"}
        for method, path, _, _ in (page for feature in (OWN_PAGES, *FEATURES) for page in feature):
            place = re.sub(r"\{[^}]*\}", "1", path)
            assert admin.send(method, f"{place}?after=%00", "", **origin)[0] == 400, path
            if re.search(r"\{\w+\}", path):
                assert admin.send(method, re.sub(r"\{\w+\}", "%00", path), "", **origin)[0] == 400, path
            if method == "POST" and path not in ("/logout", "/recipe", "/start", "/stop"):
                body = (
                    json.dumps(fields)
                    if path.startswith("/api/")
                    else urlencode(fields, errors="surrogatepass")
                )
                assert admin.send(method, place, body, **origin)[0] < 500, path
