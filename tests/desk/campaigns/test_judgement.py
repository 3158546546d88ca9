"""Judgements that are none are refused; what is stored holds no character that a database cannot."""

from __future__ import annotations

from typing import Any

import pytest

from alif.desk.campaigns.campaign_plan import CampaignPlan
from alif.desk.campaigns.judgement import check_judgement, read_judgement
from alif.desk.people import Refused
from tests.desk.campaigns.made_campaign import RATED, said

PLAN = {"name": "x", "title": "عنوان", "sources": ["a", "b"], "n": 1}


@pytest.mark.parametrize(
    "sent",
    [
        {"grade": "excellent"},
        {"grade": 1},
        {"side": "middle"},
        {"flags": ["boring"]},
        {"flags": ["fact"] * 9},
        {"flags": "fact"},
        {"ratings": {"style": 3}},
        {"ratings": {"language": 6}},
        {"ratings": {"language": 0}},
        {"ratings": {"language": "5"}},
        {"ratings": {"language": True}},
        {"edit": "x" * 100_001},
        {"edit": "\ud800"},
        {"note": "x" * 2001},
        {"dwell_ms": -1},
        {"dwell_ms": 1e400},
    ],
)
def test_a_judgement_that_is_none_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="not_understood"):
        read_judgement(sent)


@pytest.mark.parametrize(
    ("sent", "kind", "of", "told"),
    [
        ({"grade": "accept"}, "vote", "audit", "needs_ratings"),
        ({"grade": "accept", "ratings": {"language": 5}}, "vote", "audit", "needs_ratings"),
        (RATED, "vote", "audit", "not_understood"),
        ({"side": "left", **RATED}, "vote", "audit", "not_understood"),
        ({"grade": "accept"}, "vote", "ab", "not_understood"),
        ({"grade": "accept", **RATED}, "guess", "audit", "not_understood"),
        ({"source": "c"}, "guess", "ab", "not_understood"),
    ],
)
def test_a_judgement_must_fit_its_card(sent: dict[str, Any], kind: str, of: str, told: str) -> None:
    plan = CampaignPlan.model_validate(PLAN | {"kind": of})
    with pytest.raises(Refused, match=told):
        check_judgement(read_judgement(sent), kind, plan)


def test_what_fits_is_kept_without_what_no_database_holds() -> None:
    found = read_judgement(said(edit=" متن\x00 ", note="<b>", key="x", ballot="y"))
    assert (found.edit, found.note) == ("متن\ufffd", "<b>")
    check_judgement(found, "vote", CampaignPlan.model_validate(PLAN | {"kind": "audit"}))
