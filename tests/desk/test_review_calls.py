"""Calls of the browser's module: another's slot, repeated keys, hostile and enormous texts."""

from __future__ import annotations

import json
from collections.abc import Callable

import sqlalchemy as sa

from alif.desk.database import draft, event
from alif.desk.office import Office
from alif.store import write_json
from tests.desk.conftest import HOSTILE, Site, row, serving

KEY = "a key of this test"


def test_anothers_slot_is_neither_shown_nor_decided(site: Site) -> None:
    owner, other = site.person("آمنہ"), site.person("زید")
    card = owner.call("claim")[1]["cards"][0]
    for name, body in (
        ("verdict", {"key": KEY, "decision": "approve"}),
        ("draft", {"texts": {}}),
        ("preview", {"texts": {"output": "x"}}),
    ):
        for slot in (card["slot"], 10**9):
            status, answer = other.call(name, slot=slot, **body)
            assert (status, answer["error"]) == (409, "lease_lost")
            assert card["fields"][0]["text"] not in json.dumps(answer, ensure_ascii=False)
    assert owner.call("verdict", slot=card["slot"], key=KEY, decision="approve") == (200, {"repeated": False})
    assert owner.call("verdict", slot=card["slot"], key=KEY, decision="approve") == (200, {"repeated": True})
    status, answer = owner.call("verdict", slot=card["slot"], key=KEY + "2", decision="approve")
    assert (status, answer["error"]) == (409, "already_decided")


def test_a_row_that_was_put_off_and_sent_again_is_one_event(site: Site) -> None:
    browser = site.person("آمنہ")
    card = browser.call("claim")[1]["cards"][0]
    for repeated in (False, True):
        answer = browser.call("verdict", slot=card["slot"], key=KEY, decision="skip")
        assert answer == (200, {"repeated": repeated})


def test_strangers_viewers_and_judges_get_no_rows(site: Site) -> None:
    assert site.browser().call("claim")[0] == 401
    for role in ("viewer", "judge"):
        status, answer = site.person(role, role).call("claim")
        assert (status, answer["error"]) == (403, "not_allowed")


def test_drafts_come_back_and_undo_does_until_the_run_goes_on(site: Site) -> None:
    browser = site.person("آمنہ")
    card = browser.call("claim")[1]["cards"][0]
    typed = {"texts": {"output": HOSTILE}, "note": "\u200f"}
    assert browser.call("draft", slot=card["slot"], **typed)[0] == 200
    assert browser.call("claim")[1]["cards"][0]["draft"] == typed
    browser.call("verdict", slot=card["slot"], key=KEY, decision="edit", **typed)
    with site.office.db.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(draft)) == 0
        assert connection.scalars(sa.select(event.c.body)).one()["texts"] == {"output": HOSTILE}
    status, answer = browser.call("undo", key=KEY + "2")
    assert (status, answer["cards"][0]["slot"]) == (200, card["slot"])
    write_json(site.office.exchange.requests.parent / "review" / "step.json", {})
    assert browser.call("undo", key=KEY + "3")[1]["error"] == "frozen"


def test_a_line_of_100_kb_nuls_and_bidi_controls_are_shown_and_can_be_cleared(
    make_office: Callable[..., Office],
) -> None:
    text = "لفظ " * 25_000 + HOSTILE + "\u202e\x00\u2066"
    with serving(make_office([row("سوال", text)])) as site:
        browser = site.person("آمنہ")
        card = browser.call("claim")[1]["cards"][0]
        kinds = {
            piece[1]
            for line in card["fields"][1]["view"]
            for span in line["spans"]
            for piece in span["pieces"]
        }
        assert "hidden" in kinds
        body = {"slot": card["slot"], "key": KEY}
        assert browser.call("verdict", **body, decision="approve")[1]["error"] == "hidden_left"
        fixed = card["fields"][1]["fixed"]
        assert not {"\u202e", "\x00", "\u2066"} & set(fixed)
        assert browser.call("preview", slot=card["slot"], texts={"output": fixed})[0] == 200
        assert browser.call("verdict", **body, decision="edit", texts={"output": fixed})[0] == 200
