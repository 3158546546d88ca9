"""Judging in a real browser: keys of an Urdu layout, the left answer on the left, accessible pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from alif.desk import people
from alif.desk.campaigns.campaign_close import close_campaign, read_report
from alif.desk.campaigns.campaign_store import freeze_campaign
from alif.desk.office import Office
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, begin, write_plan
from tests.desk.campaigns.test_ballot_queue import judge_some
from tests.desk.conftest import PASSWORD, Site, serving
from tests.desk.test_browser import check_page, chromium, press
from tests.desk.test_review_slots import come_in

__all__ = ["chromium"]  # a fixture

LINES = [
    one | {"output": f"لاہور میں 1350 - 130 = 1220 روپے۔\nمیں چیٹ جی پی ٹی ہوں۔ {one['output']}"}
    for one in answer_lines(6)
]


def enter(
    chromium: Any, site: Site, path: str, role: str = "judge", width: int = 1360, language: str = "ur"
) -> Any:
    """Come in by an invite and open a page; every request that leaves the desk fails the test."""
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(30_000)
    page.left = []
    base = f"{site.address[0]}:{site.address[1]}"
    page.on("request", lambda one: page.left.append(one.url) if urlsplit(one.url).netloc != base else None)
    page.on("pageerror", lambda error: page.left.append(str(error)))
    page.context.add_cookies([{"name": "language", "value": language, "url": f"http://{base}"}])
    page.goto(f"http://{base}/invite/{people.make_invite(site.office.db, role)}")
    page.fill("[name=name]", f"{role} {width} {language}")
    page.fill("[name=password]", PASSWORD)
    page.click("button.ok")
    page.wait_for_url(f"http://{base}/{'campaigns' if role == 'judge' else 'review'}")
    page.goto(f"http://{base}{path}")
    return page


def test_an_audit_by_keyboard_on_an_urdu_layout_to_the_guesses(
    chromium: Any, make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path, LINES[:9], n=3, k=1)
    with serving(office) as site:
        page = enter(chromium, site, f"/judging/{campaign_id}")
        page.locator("#answers .text").wait_for()
        assert "■■■" in page.locator("#answers").inner_text()
        press(page, "KeyA", "ا")
        assert "Z" in page.locator("#said").inner_text()  # the ratings come first
        for code, key in (("KeyZ", "ز"), ("KeyX", "خ"), ("KeyC", "چ"), ("KeyC", "چ"), ("Digit2", "۲")):
            press(page, code, key)
        press(page, "KeyE", "ع")
        page.locator("#editor textarea").fill("بہتر جواب")
        page.locator("#changes ins").first.wait_for()
        press(page, "Escape", "Escape")
        press(page, "KeyS", "س")
        page.locator("#count").filter(has_text=" 1 ").wait_for()
        for number in (2, 3):
            page.context.set_offline(number == 3)
            for code in ("KeyZ", "KeyX", "KeyC", "KeyA"):
                press(page, code, "ز")
            page.context.set_offline(False)
            page.locator("#count").filter(has_text=f" {number} ").wait_for()
        press(page, "KeyU", "ء") if page.locator("#answers .text").count() else page.get_by_text(
            "واپس"
        ).first.click()
        page.locator("#answers .text").wait_for()
        for code in ("KeyZ", "KeyX", "KeyC", "KeyF"):
            press(page, code, "ز")
        page.locator("body[data-card=none]").wait_for()
        page.locator("[data-act=finish]").click()
        for _ in range(3):
            page.locator("body[data-card=guess] #names button").first.wait_for()
            shown = page.locator("#names").inner_text()
            assert all(name in shown for name in SOURCES)
            press(page, "Digit2", "۲")
        page.locator("body[data-card=over]").wait_for()
        page.locator("#unsent:empty").wait_for(state="attached")
        assert page.left == []
        page.close()
        close_campaign(office, campaign_id)
    report = read_report(office, campaign_id)
    grades = [
        sum(one.grades[name] for one in report.sources) for name in ("accept", "minor", "major", "unusable")
    ]
    assert grades == [1, 1, 0, 1]
    assert (report.undone, report.guesses.share and report.guesses.share.n) == (1, 3)
    assert sum(one.edited for one in report.sources) == 1


@pytest.mark.parametrize("language", ["ur", "en"])
def test_the_left_answer_stands_on_the_left_and_arrows_choose(
    chromium: Any, make_office: Callable[..., Office], tmp_path: Path, language: str
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path, LINES, kind="ab", sources=list(SOURCES[:2]), n=4, k=1, repeats=0)
    with serving(office) as site:
        page = enter(chromium, site, f"/judging/{campaign_id}", language=language)
        for number, code in enumerate(("ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp"), 1):
            cards = page.locator("#answers > .card")
            cards.nth(1).wait_for()
            boxes = [cards.nth(place).bounding_box() for place in (0, 1)]
            assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
            assert abs(boxes[0]["width"] - boxes[1]["width"]) < 1
            press(page, code, code)
            page.locator("#count").filter(has_text=f" {number} ").wait_for()
        page.locator("body[data-card=none]").wait_for()
        page.locator("#unsent:empty").wait_for(state="attached")
        page.close()
        close_campaign(office, campaign_id)
    preferences = read_report(office, campaign_id).preferences
    assert preferences is not None
    (pair,) = preferences.pairs
    assert (pair.wins + pair.losses, pair.equal, pair.bad) == (2, 1, 1)
    assert preferences.right_share is not None
    assert preferences.right_share.value == 0.5


@pytest.mark.parametrize(("width", "language"), [(400, "ur"), (1360, "en")])
def test_pages_of_blind_tests_fit_their_screen_and_keep_axes_rules(
    chromium: Any, make_office: Callable[..., Office], tmp_path: Path, width: int, language: str
) -> None:
    axe = (Path(__file__).parents[1] / "axe" / "axe.min.js").read_text(encoding="utf-8")
    office = make_office()
    ids = {}
    for kind in ("audit", "ab"):
        done = begin(office, tmp_path, LINES, kind=kind, name=f"{kind}-closed", n=6, k=2, second_pass=True)
        for name in ("ایک", "دو"):
            judge_some(office, come_in(office.db, f"{name} {kind}", "judge"), done)
        close_campaign(office, done)
        ids[kind, "closed"] = f"/campaigns/{done}"
        opened = begin(office, tmp_path, LINES, kind=kind, name=f"{kind}-open", n=6, rubric="زبان دیکھیے۔")
        ids[kind, "open"] = f"/judging/{opened}"
    freeze_campaign(office.db, office.folder, office.recipe, write_plan(tmp_path, LINES, name="planned", n=6))
    with serving(office) as site:
        page = enter(chromium, site, "/campaigns", "admin", width, language)
        base = f"http://{site.address[0]}:{site.address[1]}"
        for path in ("/campaigns", *ids.values()):
            page.goto(base + path)
            if path.startswith("/judging"):
                page.locator("#answers .text").first.wait_for()
                press(page, "KeyE", "ع")
            else:
                for details in page.locator("details").all():
                    details.evaluate("one => one.open = true")
            check_page(page, width, path, axe)
        assert page.left == []
        page.close()
