"""The desk in a real browser: keys of an Urdu layout, the order readers see, nothing fetched elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from alif.desk import people
from alif.desk.desk_app import FEATURES, OWN_PAGES
from alif.desk.office import Office
from alif.desk.practice import add_calibration
from tests.desk.conftest import HOSTILE, PASSWORD, Site, row, serving
from tests.desk.test_exchange import lines
from tests.desk.test_review_files import potato
from tests.desk.test_review_slots import states

FRAGMENTS = [
    "1350 - 130 = 1220", "5 < 7", "2024-05-01", "18-25", "10%", "-5", "0300-1234567", "C++", "<b>",
    "How are you?", "14/08/1947", "GPT-4o", "https://example.org/a?b=1", "۱۲ - ۵ = ۷", "3 × 450 = 1350",
]  # fmt: skip
"""Of docs/decisions/012: most of them are shown in another order inside Urdu unless they are isolated."""
ORDER = """(place, fragment) => {
    const seen = [];
    const walker = document.createTreeWalker(document.querySelector(place), NodeFilter.SHOW_TEXT);
    let whole = "", nodes = [];
    while (walker.nextNode()) {
        for (let i = 0; i < walker.currentNode.length; i++) nodes.push([walker.currentNode, i]);
        whole += walker.currentNode.data;
    }
    const at = whole.indexOf(fragment);
    if (at < 0) return `not there: ${whole}`;
    for (const [node, i] of nodes.slice(at, at + fragment.length)) {
        const range = document.createRange(); range.setStart(node, i); range.setEnd(node, i + 1);
        const box = range.getBoundingClientRect();
        if (node.data[i] !== " ") seen.push([box.left, node.data[i]]);
    }
    return seen.sort((a, b) => a[0] - b[0]).map(one => one[1]).join("");
}"""
"""Reads a fragment as it is seen, from left to right, by the place of each character."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    place = shutil.which("chromium")
    if place is None:
        pytest.skip("there is no chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=place, args=["--no-sandbox"])


def open_page(chromium: Any, site: Site, role: str = "annotator", width: int = 1360) -> Any:
    """Come in by an invite; every request that leaves the desk fails the test."""
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(30_000)
    page.left = []
    base = f"{site.address[0]}:{site.address[1]}"
    page.on("request", lambda one: page.left.append(one.url) if urlsplit(one.url).netloc != base else None)
    page.on("pageerror", lambda error: page.left.append(str(error)))
    page.goto(f"http://{base}/invite/{people.make_invite(site.office.db, role)}")
    page.fill("[name=name]", f"{role} {width}")
    page.fill("[name=password]", PASSWORD)
    page.click("button.ok")
    page.wait_for_url(f"http://{base}/review")
    page.locator("#row .text").first.wait_for()
    return page


def press(page: Any, code: str, key: str, *, modifiers: int = 0) -> None:
    """Press a key of an Urdu layout: `code` is its place, `key` the letter it gives."""
    keyboard = page.context.new_cdp_session(page)
    for kind in ("keyDown", "keyUp"):
        event = {"type": kind, "code": code, "key": key, "modifiers": modifiers}
        keyboard.send("Input.dispatchKeyEvent", event)
    keyboard.detach()


def test_a_review_by_keyboard_on_an_urdu_layout(chromium: Any, make_office: Callable[..., Office]) -> None:
    rows = [row(f"سوال {n}", f"جواب {n}") for n in range(5)] + [row(HOSTILE, f"{HOSTILE} كتاب")]
    office = make_office(rows)
    with serving(office) as site:
        page = open_page(chromium, site)
        assert page.title() != "x"
        press(page, "KeyN", "ن")
        page.locator("#view .text").first.wait_for()
        press(page, "KeyA", "ا")
        page.get_by_text("سوال 0").wait_for()
        press(page, "KeyR", "ر")
        assert "1" in page.locator("#said").inner_text()
        press(page, "Digit2", "۲")
        press(page, "KeyR", "ر")
        page.get_by_text("سوال 1").wait_for()
        press(page, "KeyE", "ع")
        page.locator("#boxes [name=output]").fill("بہتر جواب")
        press(page, "Enter", "Enter", modifiers=2)
        page.get_by_text("سوال 2").wait_for()
        page.locator("#count").filter(has_text="3 ").wait_for()  # all sent, and the next rows are here
        page.context.set_offline(True)
        press(page, "KeyA", "ا")
        page.get_by_text("سوال 3").wait_for()
        press(page, "KeyA", "ا")
        page.locator("#unsent").filter(has_text="2").wait_for()
        page.context.set_offline(False)
        page.get_by_text("سوال 4").wait_for()
        page.locator("#unsent").filter(has_text="2").wait_for(state="detached")
        press(page, "KeyU", "ء")
        page.locator("#row").filter(has_text="سوال 3").wait_for()
        press(page, "KeyA", "ا")
        page.get_by_text("سوال 4").wait_for()
        press(page, "KeyA", "ا")
        page.locator("#title").filter(has_text="شکریہ").wait_for()
        page.locator("#unsent:empty").wait_for(state="attached")
        assert page.left == []
        page.close()
    assert states(office.db) == {"agreed": 6}
    told = {line["id"]: line for line in lines(office)}
    assert [told[one.id]["decision"] for one in rows] == [
        "reject",
        "edit",
        "approve",
        "approve",
        "approve",
        "edit",
    ]
    assert told[rows[0].id]["reason"] == "fact"
    assert told[rows[1].id]["output"] == "بہتر جواب"
    assert told[rows[5].id]["output"] == f"{HOSTILE} کتاب"


def test_practice_tells_the_known_answer_and_texts_that_upset_are_shown_by_a_key(
    chromium: Any, make_office: Callable[..., Office]
) -> None:
    rows = [row("سوال", "2 + 2 = 5", "reasoning"), row("کیا نقل کر لوں؟", "ناگوار جواب", "ethics")]
    office = make_office(rows)
    add_calibration(office.db, rows[0].id, {"decision": "reject", "reasons": ["fact"], "note": "2 + 2 = 4"})
    with serving(office) as site:
        page = open_page(chromium, site)
        page.locator("#stage").filter(has_text="مشق").wait_for()
        press(page, "KeyA", "ا")
        page.locator("#known").filter(has_text="مسترد").wait_for()
        page.locator("#known bdi.n").filter(has_text="2 + 2 = 4").wait_for()
        press(page, "KeyA", "ا")  # the next row: the same, as the run's
        page.locator("#stage:empty").wait_for(state="attached")
        page.locator("#row .text").first.wait_for()
        press(page, "KeyA", "ا")
        page.locator("#blurred").wait_for()
        assert page.locator("#row").get_attribute("inert") == ""
        for code in ("KeyA", "KeyR", "KeyE", "KeyM"):
            press(page, code, "x")
        assert page.locator("#row").inner_text().count("ناگوار") == 1
        page.locator("#blurred").wait_for()
        press(page, "KeyV", "ط")
        page.locator("#blurred").wait_for(state="hidden")
        press(page, "KeyA", "ا")
        page.locator("#title").filter(has_text="شکریہ").wait_for()
        page.locator("#unsent:empty").wait_for(state="attached")
        assert page.left == []
        page.close()
    assert [line["decision"] for line in lines(office)] == ["approve", "approve"]


PAINTS = """() => {
    window.paints = [];
    let pressed = 0;
    addEventListener("keydown", e => { pressed = e.timeStamp; }, true);
    new MutationObserver(() => requestAnimationFrame(() => {
        if (pressed) paints.push(performance.now() - pressed);
        pressed = 0;
    })).observe(document.getElementById("row"), {childList: true});
}"""
"""Notes how long after a key was pressed the next card is painted."""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_thousand_rows_by_keyboard_alone_on_an_urdu_layout(
    chromium: Any, make_office: Callable[..., Office]
) -> None:
    """Of ten rows one is rejected, one edited, one taken back and rejected; some are put off to the end."""
    rows = [row(f"سوال {n:04}", f"جواب {n:04} یہاں ہے۔") for n in range(1000)]
    office = make_office(rows)
    with serving(office) as site:
        page = open_page(chromium, site)
        page.evaluate(PAINTS)
        keyboard = page.context.new_cdp_session(page)

        def key(code: str, letter: str, modifiers: int = 0) -> None:
            for kind in ("keyDown", "keyUp"):
                event = {"type": kind, "code": code, "key": letter, "modifiers": modifiers}
                keyboard.send("Input.dispatchKeyEvent", event)

        def wait_for(n: int) -> None:
            page.locator("#row").filter(has_text=f"سوال {n:04}").wait_for()

        put_off = [n for n in range(1000) if n % 100 == 50]
        order = [*range(1000), *put_off]
        for at, n in enumerate(order):
            wait_for(n)
            if n in put_off and at < 1000:
                key("KeyS", "س")
            elif n % 10 == 3:
                key("Digit2", "۲")
                key("KeyR", "ر")
            elif n % 10 == 6:
                key("KeyE", "ع")
                page.locator("#boxes [name=output]:focus").wait_for()
                keyboard.send("Input.insertText", {"text": "درست "})
                key("Enter", "Enter", 2)
            elif n % 10 == 8:
                key("KeyA", "ا")
                if at + 1 < len(order):
                    wait_for(order[at + 1])
                key("KeyU", "ء")
                wait_for(n)
                key("Digit1", "۱")
                key("KeyR", "ر")
            else:
                key("KeyA", "ا")
        page.locator("#title").filter(has_text="شکریہ").wait_for()
        page.locator("#unsent:empty").wait_for(state="attached")
        paints = sorted(page.evaluate("paints"))
        assert page.left == []
        page.close()
    assert states(office.db) == {"agreed": 1000}
    told = {line["id"]: line for line in lines(office)}
    expected = {3: "reject", 6: "edit", 8: "reject"}
    assert [told[one.id]["decision"] for one in rows] == [
        expected.get(n % 10, "approve") for n in range(1000)
    ]
    assert all("درست" in told[rows[n].id]["output"] for n in range(6, 1000, 10))
    assert len(paints) > 1000
    assert paints[len(paints) // 2] < 100  # milliseconds; the slowest say how busy the machine is


def test_every_fragment_is_seen_in_its_own_order_in_view_preview_and_difference(
    chromium: Any, make_office: Callable[..., Office]
) -> None:
    text = "\n".join(f"یہ لفظ {fragment} یہاں ہے۔" for fragment in FRAGMENTS)
    with serving(make_office([row("سوال", text)])) as site:
        page = open_page(chromium, site)
        page.evaluate("document.fonts.ready.then(() => 1)")
        press(page, "KeyE", "ع")
        page.locator("#boxes [name=output]").fill(text.replace("ہے", "تھا").replace("یہ لفظ ", "یہ عدد "))
        page.locator("#changes ins").first.wait_for()
        seen = {
            place: [
                page.evaluate(f"([place, fragment]) => ({ORDER})(place, fragment)", [place, one])
                for one in FRAGMENTS
            ]
            for place in ("#row", "#view", "#changes")
        }
        page.close()
    expected = [one.replace(" ", "") for one in FRAGMENTS]
    assert seen == {"#row": expected, "#view": expected, "#changes": expected}


def test_a_file_of_another_tool_is_taken_in_by_parts(
    chromium: Any, make_office: Callable[..., Office], tmp_path: Path
) -> None:
    rows = [row(f"سوال {n}", "جواب " * 40) for n in range(120)]
    path = tmp_path / "potato.jsonl"
    path.write_text("\n".join(potato(one.id, "x", pad="ا" * 400) for one in rows), encoding="utf-8")
    office = make_office(rows)
    with serving(office) as site:
        page = open_page(chromium, site, "lead")
        page.goto(f"http://{site.address[0]}:{site.address[1]}/files")
        page.select_option("[name=shape]", "potato")
        for told in ("117 · ", " 120"):  # the lead holds three; then all are there already
            page.set_input_files("[name=file]", path)
            page.click("#import button")
            page.locator("#taken").filter(has_text=told).wait_for()
        assert page.left == []
        page.close()
    assert states(office.db) == {"agreed": 117, "open": 3}


PAGES = sorted(
    path for pages in (OWN_PAGES, *FEATURES) for method, path, _, _ in pages
    if method == "GET" and re.fullmatch("/[a-z]+", path)
)  # fmt: skip
"""Every page of every feature."""
CLIPPED = """[...document.querySelectorAll(".text, .text *")]
    .filter(one => getComputedStyle(one).overflow !== "visible").length"""
VIOLATIONS = """async () => (await axe.run()).violations
    .map(one => `${one.id}: ${one.nodes.map(node => node.html).join(" ")}`)"""


def check_page(page: Any, width: int, path: str, axe: str) -> None:
    """See that a page has no sideways scroll, no clipped letters and nothing that axe finds."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert page.evaluate(CLIPPED) == 0, path
    page.evaluate(axe)
    assert page.evaluate(VIOLATIONS) == [], path


@pytest.mark.parametrize("language", ["ur", "en"])
@pytest.mark.parametrize("width", [400, 1360])
def test_pages_fit_their_screen_never_clip_nastaliq_and_keep_axes_rules(
    chromium: Any, make_office: Callable[..., Office], width: int, language: str
) -> None:
    axe = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
    with serving(make_office(reviewers=2)) as site:
        page = open_page(chromium, site, "admin", width)
        make_dispute(site)
        base = f"http://{site.address[0]}:{site.address[1]}"
        page.context.add_cookies([{"name": "language", "value": language, "url": base}])
        for path in ("/none", *PAGES):
            page.goto(base + path)
            if path == "/review":
                page.locator("#row .text").first.wait_for()
                press(page, "KeyE", "ع")
                page.locator("#view .text").first.wait_for()
            check_page(page, width, path, axe)
        assert page.left == []
        page.close()


def make_dispute(site: Site) -> None:
    """Have two people disagree on the first row."""
    for name, decision in (("ایک", "approve"), ("دو", "reject")):
        browser = site.person(name)
        card = browser.call("claim")[1]["cards"][0]
        body = {"slot": card["slot"], "decision": decision, "reasons": ["fact"]}
        assert browser.call("verdict", key=f"a key of {name}", **body)[0] == 200
