"""Freezing: the digest first, the key apart, a change is an amendment or is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alif.desk.campaigns.ballot_queue import claim_ballots
from alif.desk.campaigns.ballots import cast_ballot
from alif.desk.campaigns.campaign_close import close_campaign, read_report
from alif.desk.campaigns.campaign_plan import read_plan
from alif.desk.campaigns.campaign_store import find_campaign, freeze_campaign, list_campaigns, start_campaign
from alif.desk.campaigns.campaign_tables import ballot, blind_answer, blind_key, campaign
from alif.desk.office import Office
from alif.desk.people import Refused
from alif.errors import AlifError
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, begin, said, write_plan
from tests.desk.test_review_slots import come_in


def freeze(office: Office, folder: Path, lines: list[dict[str, Any]] | None = None, **plan: Any) -> str:
    return freeze_campaign(office.db, office.folder, office.recipe, write_plan(folder, lines, **plan)).what


def test_a_plan_is_frozen_once_with_its_digest_before_anybody_judges(
    make_office: Callable[..., Office], tmp_path: Path, database: str
) -> None:
    office = make_office([], database=database)
    assert list_campaigns(office.db) == []
    assert [freeze(office, tmp_path), freeze(office, tmp_path)] == ["frozen", "kept"]
    (found,) = list_campaigns(office.db)
    assert found.sha256 == read_plan(tmp_path / "plan.toml")[2]
    assert (found.state, found.wanted, found.given, found.amendments) == ("planned", 36, 0, 0)
    start_campaign(office.db, found.id)
    start_campaign(office.db, found.id)
    assert find_campaign(office.db, found.id).state == "open"
    with pytest.raises(Refused, match="no_such_page"):
        start_campaign(office.db, "none")


def test_whose_an_answer_is_stands_in_the_key_alone_and_no_order_tells_it(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    lines = [one | {"output": f"{one['output']} میں چیٹ جی پی ٹی ہوں"} for one in answer_lines(30)]
    freeze(office, tmp_path, lines, n=30)
    with office.db.reading() as connection:
        shown = str(connection.execute(sa.select(blind_answer)).all())
        shown += str(connection.execute(sa.select(ballot)).all())
        sources = list(connection.scalars(sa.select(blind_key.c.source).order_by(sa.text("rowid"))))
        kept = connection.execute(sa.select(blind_key.c.texts, blind_key.c.hidden_names)).all()
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), office.db.writing() as writing:
            writing.execute(blind_key.update().values(source="x"))
    assert not any(name in shown for name in SOURCES)
    assert "چیٹ" not in shown
    assert all("چیٹ" in one.texts["output"] and one.hidden_names == 1 for one in kept)
    changes = sum(one != other for one, other in itertools.pairwise(sources))
    assert 35 < changes < 82  # of 89: neither in blocks nor in turn


def test_an_amendment_shows_and_what_is_judged_cannot_change(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path, bar=0.8)
    who = come_in(office.db, "منصف", "judge")
    card = claim_ballots(office.db, who, campaign_id)[0]
    cast_ballot(office.db, who, card.id, "key number one", said())
    for change in ({"n": 11}, {"seed": 1}, {"sources": list(SOURCES[:2])}, {"k": 2}, {"kind": "ab"}):
        with pytest.raises(AlifError, match="cannot change after the plan was frozen"):
            freeze(office, tmp_path, **{"bar": 0.8, **change})
    assert freeze(office, tmp_path, bar=0.7, min_seconds=2.0) == "amended"
    assert freeze(office, tmp_path, bar=0.7, min_seconds=2.0) == "kept"
    close_campaign(office, campaign_id)
    report = read_report(office, campaign_id)
    (amended,) = report.amendments
    assert amended.changes == {"bar": ("0.8", "0.7"), "min_seconds": ("0.0", "2.0")}
    assert amended.judged == 1
    assert report.plan.bar == 0.7
    assert report.sha256 != amended.sha256
    with pytest.raises(AlifError, match="is closed"):
        freeze(office, tmp_path, bar=0.6)
    with office.db.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(campaign)) == 1


def test_a_campaign_of_a_thousand_rows_a_teacher_is_frozen_whole(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    freeze(office, tmp_path, answer_lines(1000), n=1000, k=2)
    assert list_campaigns(office.db)[0].wanted == 6000
