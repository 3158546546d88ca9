"""Pages of the run and the chat in a real browser: they fit, keep axe and the policy, and follow the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alif import recipe as recipes
from alif import store
from alif.desk import chat_store, people
from alif.desk.chat_pages import close_answers
from alif.desk.office import open_office
from alif.runs import Run
from tests import made_up
from tests.desk.conftest import PASSWORD, Site, serving
from tests.desk.test_browser import ORDER, check_page, chromium
from tests.desk.test_chat_pages import echo
from tests.fake_provider import FakeProvider, serve_provider

__all__ = ["chromium"]


@pytest.fixture
def run_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, FakeProvider]]:
    monkeypatch.chdir(tmp_path)
    root = made_up.build(Path("runs"), until="export", weights=[0.5])
    office = open_office(Run(root), recipes.load_recipe(root / "recipe.toml"))
    with serve_provider(echo) as server, serving(office) as site:
        chat_store.add_address(office.db, "ہمارا", {"model": "m", "base_url": server.address})
        yield site, server
    close_answers(office)
    office.exchange.close()
    office.db.close()


def come_in(chromium: Any, site: Site, width: int, language: str) -> Any:
    """Come in as an admin; a request that leaves the desk, or a breach of the policy, fails the test."""
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(60_000)
    page.left = []
    page.base = f"http://{site.address[0]}:{site.address[1]}"
    page.on("request", lambda one: None if one.url.startswith(page.base) else page.left.append(one.url))
    page.on("pageerror", lambda error: page.left.append(str(error)))
    page.on("console", lambda one: page.left.append(one.text) if "Content Security" in one.text else None)
    page.context.add_cookies([{"name": "language", "value": language, "url": page.base}])
    page.goto(f"{page.base}/invite/{people.make_invite(site.office.db, 'admin')}")
    page.fill("[name=name]", f"نگران {width}")
    page.fill("[name=password]", PASSWORD)
    page.click("button.ok")
    page.wait_for_url(f"{page.base}/review")
    return page


@pytest.mark.parametrize(("width", "language"), [(400, "ur"), (1360, "en")])
def test_pages_of_the_run_and_the_chat_fit_and_keep_axes_rules(
    chromium: Any, run_site: tuple[Site, FakeProvider], width: int, language: str
) -> None:
    site, _ = run_site
    axe = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
    page = come_in(chromium, site, width, language)
    page.goto(f"{page.base}/chat")
    page.select_option("[name=model]", "address.ہمارا")
    page.click('form[action="/chat"] button.ok')
    page.fill("#question", "لاہور کہاں ہے؟ 1350 - 130 = 1220")
    page.keyboard.press("Control+Enter")
    page.locator(".turn .acts").wait_for()
    chat = page.url.removeprefix(page.base)
    for path in ("/run", "/recipe", "/start?gpu=h200", "/chat", chat):
        page.goto(page.base + path)
        if path == chat:
            page.locator(".turn .acts").wait_for()
        if path == "/recipe":
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        check_page(page, width, path, axe)
    assert page.left == []
    page.close()


def test_an_answer_grows_in_its_direction_and_the_runs_page_follows_the_run(
    chromium: Any, run_site: tuple[Site, FakeProvider]
) -> None:
    site, server = run_site
    server.piece_s = 0.15
    page = come_in(chromium, site, 1360, "ur")
    page.goto(f"{page.base}/chat")
    page.select_option("[name=model]", "address.ہمارا")
    page.click('form[action="/chat"] button.ok')
    page.fill("#question", "Python ایک زبان ہے اور 1350 - 130 = 1220 " + "لفظ " * 20)
    page.keyboard.press("Control+Enter")
    answer = page.locator(".turn .said:not(.asked) .text")
    answer.filter(has_text="Python").wait_for()
    assert page.locator(".turn .acts").count() == 0, "it is still being written"
    assert answer.locator("p").first.get_attribute("dir") == "rtl"
    answer.filter(has_text="= 1220").wait_for()
    order = page.evaluate(
        f"([place, fragment]) => ({ORDER})(place, fragment)",
        [".turn .said:not(.asked) .text", "1350 - 130 = 1220"],
    )
    assert order == "1350-130=1220"
    page.click("#stop")
    page.locator(".turn .acts").wait_for()
    assert page.locator(".turn").count() == 1
    office = site.office
    page.goto(f"{page.base}/run")
    before = page.locator("#live").get_attribute("data-stamp")
    with office.folder.locked():
        note = {"name": "judge", "done": 1, "total": 4, "unit": "judgements", "paces": [0.1]}
        store.write_json(office.folder.progress, note)
        page.locator("[data-live=state]").filter(has_text="جاری ہے").wait_for()
        page.locator("[data-live=done]").filter(has_text="1 / 4 judgements").wait_for()
    page.locator("[data-live=state]").filter(has_text="مکمل").wait_for()
    page.locator(f"#live[data-stamp='{before}']").wait_for()  # the same run, the same tables
    assert page.left == []
    page.close()
