"""Pages of a review: nothing hostile runs, a lead decides without names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from alif.desk import people, review_slots
from alif.desk.office import Office
from tests.desk.conftest import HOSTILE, Site, row, serving
from tests.desk.test_review_slots import sent


@pytest.fixture
def disputed(make_office: Callable[..., Office]) -> Iterator[Site]:
    """A desk where two reviewers with hostile names and comments disagree on a hostile row."""
    with serving(make_office([row(HOSTILE, f"{HOSTILE} لاہور")], reviewers=2)) as site:
        hostile_edit = sent("edit", texts={"output": HOSTILE}, note=HOSTILE)
        for name, verdict in ((HOSTILE[:60], hostile_edit), ("زید", sent("reject", reasons=["fact"]))):
            site.person(name)
            who = next(one for one in people.list_people(site.office.db) if one.name == name)
            person = people.DeskPerson(who.id, who.name, who.role)
            (work,) = review_slots.claim_slots(site.office.db, person)
            review_slots.decide_slot(site.office.db, person, work["slot"], f"a key of {who.id}", verdict)
        yield site


def test_nothing_that_somebody_wrote_is_markup_on_any_page(disputed: Site) -> None:
    browser = disputed.person("نگران", "admin")
    for path in (
        "/adjudicate",
        "/people",
        "/progress",
        "/review",
        "/guide",
        "/readers",
        "/practice",
        "/seeds",
        "/files",
    ):
        page = browser.get(path)[1]
        assert "<img" not in page
        assert "<script>" not in page
        assert "{{7*7}}" in page or "7*7" not in page
    assert "&lt;script&gt;" in browser.get("/adjudicate")[1]
    events = [json.loads(line) for line in browser.get("/export/events.jsonl")[1].splitlines()]
    assert [one["kind"] for one in events] == ["edit", "reject"]
    assert events[0]["body"]["note"] == HOSTILE


def test_a_lead_picks_merges_or_rejects_and_sees_no_names(disputed: Site) -> None:
    lead = disputed.person("نگران", "lead")
    page = lead.get("/adjudicate")[1]
    assert "زید" not in page
    assert "secret" not in page
    found = re.search(r'action="(/adjudicate/\w+)"', page)
    assert found is not None
    for form in ({"decision": "reject"}, {"decision": "skip"}, {}, {"decision": "edit", "text_output": "  "}):
        assert lead.post(found[1], key="a key of the lead", **form)[0] in (400, 422)
    form = {"decision": "edit", "text_output": "درست\r\nجواب", "text_instruction": HOSTILE}
    assert lead.post(found[1], key="a key of the lead", **form)[0] == 303
    assert lead.post("/adjudicate/none", key="a key of the lead", **form)[0] == 409
    disputed.office.exchange.write_verdicts()
    final = json.loads(disputed.office.exchange.verdicts.read_text().splitlines()[-1])
    assert (final["final"], final["output"], "instruction" in final) == (True, "درست\nجواب", False)
