"""Pages: who may open which, nothing hostile runs, files stay where they are."""

from __future__ import annotations

import re
import socket

from alif.desk import people
from alif.desk.desk_app import FEATURES, OWN_PAGES
from alif.desk.office import Office
from tests.desk.conftest import PASSWORD, ROWS, Site

PAGES = ("/review", "/adjudicate", "/progress", "/people", "/guide", "/export/events.jsonl")


def test_each_role_opens_its_pages_and_strangers_none(site: Site) -> None:
    opened = {}
    for role in ("admin", "lead", "annotator", "judge", "viewer"):
        browser = site.person(role, role)
        opened[role] = [path for path in PAGES if browser.get(path)[0] == 200]
        for path in re.findall(r'href="(/[a-z]*)"', browser.get("/progress")[1]):
            assert browser.get(path)[0] in (200, 303), f"{role} is shown {path}"
    assert opened == {
        "admin": list(PAGES),
        "lead": ["/review", "/adjudicate", "/progress", "/guide", "/export/events.jsonl"],
        "annotator": ["/review", "/progress", "/guide"],
        "judge": ["/progress", "/guide"],
        "viewer": ["/progress", "/guide"],
    }
    assert {site.browser().get(path)[2].get("location") for path in (*PAGES, "/")} == {"/login"}
    assert site.person("w", "viewer").post("/people/invite", role="admin")[0] == 403


def test_files_outside_the_folders_of_files_are_not_served(site: Site) -> None:
    site.office.exchange.verdicts.write_text("secret")
    outside = ("../desk_app.py", "%2e%2e/desk_app.py", "..%2f..%2fcli.py", "%00", "", "//etc/passwd")
    paths = [f"/{place}/{path}" for place in ("static", "fonts") for path in outside]
    paths += ["/export/../run/verdicts.jsonl", "/export/x/verdicts.jsonl"]
    for path in paths:
        with socket.create_connection(site.address) as raw:  # a client that tidies no path up
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda raw=raw: raw.recv(65_536), b""))
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), path
        assert b"secret" not in answer
        assert b"import" not in answer


def test_an_invite_is_made_shown_once_used_and_over(site: Site) -> None:
    admin = site.person("منتظم", "admin")
    page = admin.post("/people/invite", role="annotator")[1]
    found = re.search(r"/invite/[\w-]{43}", page)
    assert found is not None
    assert found[0] not in admin.get("/people")[1]
    guest = site.browser()
    assert guest.get(found[0])[0] == guest.get(found[0])[0] == 200
    assert guest.post(found[0], name="آمنہ", password="short")[0] == 422
    assert guest.post(found[0], name="منتظم", password=PASSWORD)[0] == 409
    assert guest.post(found[0], name="آمنہ", password=PASSWORD)[0] == 303
    assert guest.get("/")[2]["location"] == "/review"
    assert [guest.get(found[0])[0], guest.post(found[0], name="x", password=PASSWORD)[0]] == [410, 410]
    who = next(one.id for one in people.list_people(site.office.db) if one.name == "آمنہ")
    assert admin.post(f"/people/{who}", active="no")[0] == 303
    assert guest.get("/review")[2]["location"] == "/login"
    own = next(one.id for one in people.list_people(site.office.db) if one.name == "منتظم")
    assert admin.post(f"/people/{own}", active="no")[0] == 409


def test_language_and_face_are_kept_and_a_redirect_stays_at_the_desk(site: Site) -> None:
    browser = site.browser()
    assert '<html lang="ur" dir="rtl">' in browser.get("/login")[1]
    for back in ("https://evil.example", "//evil.example", "/invite/../x\r\nX: y", ""):
        location = browser.post("/settings", language="en", face="naskh", back=back)[2]["location"]
        assert location.startswith("/")
        assert not location.startswith("//")
    page = browser.get("/login")[1]
    assert '<html lang="en" dir="ltr">' in page
    assert '<body class="naskh">' in page
    browser.post("/settings", language="xx", face="<script>")
    assert browser.get("/login")[1] == page


def test_both_languages_say_the_same(office: Office) -> None:
    def keys(table: object) -> object:
        return {name: keys(value) for name, value in table.items()} if isinstance(table, dict) else None

    urdu, english = office.texts.values()
    assert keys(urdu) == keys(english)
    assert set(office.reasons) == set(english["reasons"])
    assert len(ROWS) == 4


def test_every_page_of_every_feature_asks_for_its_role_and_every_form_for_our_own_origin(site: Site) -> None:
    viewer = site.person("ناظر", "viewer")
    pages = [page for feature in (OWN_PAGES, *FEATURES) for page in feature]
    assert len(pages) > 40
    for method, path, _, role in pages:
        place = re.sub(r"\{\w+(:int)?\}", "1", path)
        if method == "POST":
            for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                assert viewer.send("POST", place, "", **headers)[0] == 403, path
        origin = {"Origin": f"http://{viewer.host}"}
        if role:
            status, _, headers = site.browser().send(method, place, "", **origin)
            assert status == 401 or headers.get("location") == "/login", path
        if role not in ("", "viewer", "watcher"):
            assert viewer.send(method, place, "", **origin)[0] == 403, path
