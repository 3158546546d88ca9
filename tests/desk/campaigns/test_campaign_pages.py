"""Blind for real: whatever a person of any role can reach before the close names no source; attacks fail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alif.desk.campaigns.campaign_store import freeze_campaign, list_campaigns
from alif.desk.office import Office
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, begin, said, write_plan
from tests.desk.conftest import HOSTILE, Browser, Site, serving

ROLES = ("lead", "annotator", "judge", "viewer")
PAGES = (
    "/campaigns", "/campaigns/{}", "/judging/{}", "/progress", "/guide", "/review", "/adjudicate", "/people",
    "/export/events.jsonl", "/", "/campaigns/first", "/campaigns/../plan.toml", "/static/judging.mjs",
)  # fmt: skip


@pytest.fixture(params=["audit", "ab"])
def blind(
    request: pytest.FixtureRequest, make_office: Callable[..., Office], tmp_path: Path
) -> Iterator[tuple[Site, str]]:
    """An open campaign whose answers say who wrote them, in Latin and in Urdu."""
    lines = answer_lines(12)
    for one in lines:
        one["output"] += f" میں {one['source']} ہوں، چیٹ جی پی ٹی۔ I am {one['source']}."
        one["instruction"] += " As GPT-4o would ask."
    office = make_office([])
    campaign_id = begin(office, tmp_path, lines, kind=request.param)
    with serving(office) as site:
        yield site, campaign_id


def is_blind(answered: tuple[int, Any, Any] | tuple[int, Any]) -> bool:
    text = json.dumps(answered, ensure_ascii=False).casefold()
    return not any(
        name in text for name in (*SOURCES, "zebra", "okapi", "ibex", "gpt", "چیٹ", "usd", "0.001")
    )


def reach_everything(browser: Browser, campaign_id: str) -> Iterator[tuple[str, Any]]:
    """Yield whatever a person gets to see: pages, headers, cards, answers to calls, refusals."""
    for path in PAGES:
        yield path, browser.get(path.format(campaign_id))
    call = f"judging/{campaign_id}"
    claimed = browser.call(f"{call}/claim")
    yield "claim", claimed
    for number, card in enumerate(claimed[1].get("cards", [])):
        ballot = card["ballot"]
        yield "preview", browser.call(f"{call}/preview", ballot=ballot, text="نیا متن")
        key = f"key number {number} of {ballot}"
        yield "judgement", browser.call(f"{call}/judgement", ballot=ballot, key=key, **said(side="left"))
        yield "again", browser.call(f"{call}/judgement", ballot=ballot, key=f"second {key}", **said())
    yield "undo", browser.call(f"{call}/undo", key="undo key number one")
    yield "later", browser.call(f"{call}/later", ballot="none", key="later key number one")
    yield "finish", browser.call(f"{call}/finish")
    yield "close", browser.post(f"/campaigns/{campaign_id}/close")
    yield "start", browser.post(f"/campaigns/{campaign_id}/start")


def test_nothing_that_anybody_reaches_before_the_close_tells_a_source(
    blind: tuple[Site, str], capsys: pytest.CaptureFixture[str]
) -> None:
    site, campaign_id = blind
    cards = []
    for role in ROLES:
        browser = site.person(f"کوئی {role}", role)
        for what, answered in reach_everything(browser, campaign_id):
            assert is_blind(answered), (role, what)
            if what == "claim" and answered[0] == 200:
                cards += answered[1]["cards"]
    assert len(cards) == 6  # a viewer gets none
    for card in cards:
        assert set(card) == {"ballot", "kind", "task", "language", "dir", "asked", "answers"}
        assert re.fullmatch(r"[0-9a-f]{16}", card["ballot"])
        assert "■■■" in card["answers"][0]["text"]
    for headers in (site.person("آخری", "judge").get(f"/judging/{campaign_id}")[2],):
        assert headers["cache-control"] == "no-store"
        assert "etag" not in headers
    assert is_blind((0, capsys.readouterr().out))
    assert is_blind(
        (0, [path.name for path in site.office.folder.root.rglob("*") if path.parent.name != "x"])
    )


def test_only_an_admin_sees_the_plan_and_its_power_starts_and_closes(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    freeze_campaign(office.db, office.folder, office.recipe, write_plan(tmp_path))
    campaign_id = list_campaigns(office.db)[0].id
    with serving(office) as site:
        people = {role: site.person(role, role) for role in ("admin", *ROLES)}
        pages = {role: browser.get("/campaigns")[1] for role, browser in people.items()}
        assert list_campaigns(office.db)[0].sha256 in pages["admin"]
        assert all("sha256" not in pages[role].casefold() and "zebra" not in pages[role] for role in ROLES)
        assert people["judge"].get(f"/judging/{campaign_id}")[0] == 409  # not begun
        for role in ROLES:
            for act in ("start", "close"):
                assert people[role].post(f"/campaigns/{campaign_id}/{act}")[0] == 403
        assert people["admin"].post(f"/campaigns/{campaign_id}/close")[0] == 409
        assert people["admin"].post(f"/campaigns/{campaign_id}/start")[0] == 303
        assert people["viewer"].get(f"/judging/{campaign_id}")[0] == 403
        assert people["viewer"].call(f"judging/{campaign_id}/claim")[0] == 403
        for role in ("admin", *ROLES):
            assert people[role].get(f"/campaigns/{campaign_id}")[0] == 403, "the key is closed to admins too"
        assert people["admin"].post(f"/campaigns/{campaign_id}/close")[0] == 303
        for role in ("admin", *ROLES):  # to everybody at once
            status, page, _ = people[role].get(f"/campaigns/{campaign_id}")
            assert status == 200
            assert all(name in page for name in SOURCES)


def test_nobody_judges_or_looks_into_the_card_of_another(blind: tuple[Site, str]) -> None:
    site, campaign_id = blind
    owner, thief = site.person("مالک", "judge"), site.person("چور", "judge")
    card = owner.call(f"judging/{campaign_id}/claim")[1]["cards"][0]
    body = {"ballot": card["ballot"], "key": "a stolen card, a key"}
    for call, more in (("judgement", said()), ("later", {}), ("preview", {"text": "x"})):
        status, answer = thief.call(f"judging/{campaign_id}/{call}", **body, **more)
        assert (status, answer["error"]) == (409, "lease_lost")
    for strange in ("none", "' OR 1=1 --", "../../etc/passwd", None, 3, [card["ballot"]], "x" * 10_000):
        status, _ = thief.call(
            f"judging/{campaign_id}/judgement", ballot=strange, key="a key of nine", **said()
        )
        assert status == 409
    for body_of in ("", "[1]", "nonsense", "\xff"):
        headers = {"Origin": f"http://{thief.host}"}
        path = f"/api/judging/{campaign_id}/judgement"
        assert thief.send("POST", path, body_of.encode("latin-1"), **headers)[0] == 400
    forged = thief.send("POST", f"/api/judging/{campaign_id}/claim", "{}", Origin="http://evil.example")
    assert forged[0] == 403
    assert site.browser().call(f"judging/{campaign_id}/claim")[0] == 401


def test_hostile_answers_are_text_on_cards_and_in_the_report(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    lines = answer_lines(3)
    for one in lines:
        one |= {"output": f"{HOSTILE}\x00\u202e {'لمبا ' * 20_000}", "task": HOSTILE}
    office = make_office([])
    campaign_id = begin(office, tmp_path, lines, n=3, title=HOSTILE, second_pass=True)
    with serving(office) as site:
        judge = site.person(HOSTILE[:60], "judge")
        for number in range(9):
            card = judge.call(f"judging/{campaign_id}/claim")[1]["cards"][0]
            body = said(note=HOSTILE, edit=HOSTILE)
            key = f"key number {number}"
            assert (
                judge.call(f"judging/{campaign_id}/judgement", ballot=card["ballot"], key=key, **body)[0]
                == 200
            )
        admin = site.person("منتظم", "admin")
        pages = [admin.get(path)[1] for path in ("/campaigns", f"/judging/{campaign_id}")]
        assert admin.post(f"/campaigns/{campaign_id}/close")[0] == 303
        pages.append(admin.get(f"/campaigns/{campaign_id}")[1])
    folder = office.folder.root / "campaigns" / "first"
    pages += [path.read_text("utf-8") for path in folder.glob("*.html")]
    for page in pages:
        assert "<img" not in page
        assert "alert" not in page
        assert "<script>document" not in page
    said_there = [json.loads(line) for line in (folder / "judgements.jsonl").read_text("utf-8").splitlines()]
    assert said_there[0]["note"] == HOSTILE


def test_the_names_come_with_the_guesses_alone_and_without_an_answer(blind: tuple[Site, str]) -> None:
    site, campaign_id = blind
    judge = site.person("منصف", "judge")
    call = f"judging/{campaign_id}"
    number = 0
    while cards := judge.call(f"{call}/claim")[1]["cards"]:
        for card in cards:
            judge.call(
                f"{call}/judgement", ballot=card["ballot"], key=f"key number {number}", **said(side="left")
            )
            number += 1
    assert number in (12, 13)  # of pairs, one comes twice
    assert judge.call(f"{call}/finish")[0] == 200
    cards = judge.call(f"{call}/claim")[1]["cards"]
    for card in cards:
        assert card["names"] == sorted(SOURCES)
        assert is_blind((0, {key: value for key, value in card.items() if key != "names"}))
    assert judge.call(f"{call}/undo", key="undo key number one")[1]["error"] == "guesses_begun"
    other = site.person("دوسرا", "judge")
    assert is_blind(other.call(f"{call}/claim"))
