"""A lead fills practice from the browser; readers see of it what is theirs to see."""

from __future__ import annotations

import re
from collections.abc import Callable

from alif.desk.office import Office
from tests.desk.conftest import HOSTILE, ROWS, Site, row, serving
from tests.desk.test_review_calls import KEY


def test_a_lead_sets_how_the_run_is_read(site: Site) -> None:
    lead = site.person("نگران", "lead")
    assert lead.post("/practice", planted_percent="7", task_qa="on")[0] == 303
    page = lead.get("/practice")[1]
    assert 'value="7"' in page
    assert re.search(r'name="task_qa" checked', page)
    assert not re.search(r'name="task_ethics" checked', page)
    for form in ({"planted_percent": "21"}, {"planted_percent": "x"}, {}, {"planted_percent": "-1"}):
        assert lead.post("/practice", **form)[0] == 400
    card = site.person("آمنہ").call("claim")[1]["cards"][-1]
    assert card["sensitive"] == (card["task"] == "qa")


def test_a_row_with_a_known_answer_is_made_shown_and_answered_in_the_browser(
    make_office: Callable[..., Office],
) -> None:
    with serving(make_office([row(HOSTILE, f"{HOSTILE} لاہور"), *ROWS[:2]])) as site:
        lead, reader = site.person("نگران", "lead"), site.person("آمنہ")
        page = lead.get("/practice")[1]
        path = re.search(r'action="(/practice/calibration/\w+)"', page)
        assert path is not None
        for form in ({}, {"decision": "reject"}, {"decision": "reject", "reason": "boring"}):
            assert lead.post(path[1], **form)[0] in (400, 422)
        assert lead.post("/practice/calibration/none", decision="approve")[0] == 404
        form = {"decision": "reject", "reason": "fact", "note": HOSTILE}
        assert lead.post(path[1], **form)[0] == 303
        page = lead.get("/practice")[1]
        assert HOSTILE not in page
        assert path[1] not in page  # the next row is offered
        (card,) = reader.call("claim")[1]["cards"]
        assert card["kind"] == "calibration"
        status, answer = reader.call("verdict", slot=card["slot"], key=KEY, decision="approve")
        known = {"decision": "reject", "reasons": ["fact"], "note": HOSTILE}
        view = answer["known"].pop("view")
        assert (status, answer) == (200, {"repeated": False, "known": known})
        assert "".join(piece[0] for span in view[0]["spans"] for piece in span["pieces"]) == HOSTILE
        assert len(reader.call("claim")[1]["cards"]) == 3
        found = re.search(r'name="item" value="([^"]+)"', page)
        assert found is not None
        assert lead.post("/practice/remove", item=found[1])[0] == 303
        assert path[1] in lead.get("/practice")[1]
        assert lead.get("/readers")[1].count("n = 1") == 1


def test_norming_is_drawn_read_waited_for_and_shown(site: Site) -> None:
    lead, one = site.person("نگران", "lead"), site.person("آمنہ")
    for rows in ("0", "201", "x", "-1", ""):
        assert lead.post("/practice/norming", act="draw", rows=rows)[0] == 400
    assert lead.post("/practice/norming", act="draw", rows="2")[0] == 303
    assert lead.post("/practice/norming", act="draw", rows="2")[0] == 409
    for card in one.call("claim")[1]["cards"]:
        answer = one.call("verdict", slot=card["slot"], key=f"{KEY} {card['slot']}", decision="approve")[1]
        assert answer == {"repeated": False}
    assert one.call("claim")[1]["waits"] is True
    told = site.office.texts["ur"]["norming"]["waits"]
    assert told in one.get("/norming")[1]
    assert lead.post("/practice/norming", act="close")[0] == 303
    assert told not in one.get("/norming")[1]
    assert told in site.person("نئی").get("/norming")[1]
    assert len(one.call("claim")[1]["cards"]) == 3


def test_opting_out_asks_nothing_and_leads_back(site: Site) -> None:
    reader = site.person("آمنہ")
    texts = site.office.texts["ur"]["review"]
    for out, told in (("yes", texts["opt_in"]), ("no", texts["opt_out"])):
        assert reader.post("/review/opt-out", out=out)[2]["location"] == "/review"
        assert told in reader.get("/review")[1]
    for path in ("/practice", "/readers"):
        assert reader.get(path)[0] == 403
