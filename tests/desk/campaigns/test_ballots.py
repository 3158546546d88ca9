"""A judgement is stored once, taken back as an event, never after the names were read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from alif.desk.campaigns import ballots
from alif.desk.campaigns.ballot_queue import claim_ballots
from alif.desk.campaigns.campaign_close import close_campaign
from alif.desk.campaigns.campaign_tables import ballot, ballot_event
from alif.desk.office import Office
from alif.desk.people import Refused
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, begin, said
from tests.desk.campaigns.test_ballot_queue import judge_some
from tests.desk.test_review_slots import come_in


def kinds(office: Office) -> list[str]:
    with office.db.reading() as connection:
        return list(connection.scalars(sa.select(ballot_event.c.kind).order_by(ballot_event.c.id)))


def test_the_same_request_is_one_vote_and_another_on_the_card_is_none(
    make_office: Callable[..., Office], tmp_path: Path, database: str
) -> None:
    office = make_office([], database=database)
    campaign_id = begin(office, tmp_path)
    who = come_in(office.db, "منصف", "judge")
    card = claim_ballots(office.db, who, campaign_id)[0]
    assert not ballots.cast_ballot(office.db, who, card.id, "first key", said())
    assert ballots.cast_ballot(office.db, who, card.id, "first key", said(grade="major"))
    with pytest.raises(Refused, match="already_decided"):
        ballots.cast_ballot(office.db, who, card.id, "second key", said(grade="major"))
    for key in ("short", "x" * 65):
        with pytest.raises(Refused, match="not_understood"):
            ballots.cast_ballot(office.db, who, card.id, key, said())
    assert kinds(office) == ["vote"]
    assert ballots.count_own(office.db, who)[campaign_id] == {"given": 1, "left": 35}


def test_undo_opens_the_card_again_and_leaves_both_events(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    lines = answer_lines(20, SOURCES[:2])
    campaign_id = begin(office, tmp_path, lines, kind="ab", sources=list(SOURCES[:2]), n=20, k=1, repeats=0.5)
    who = come_in(office.db, "منصف", "judge")
    with pytest.raises(Refused, match="nothing_to_undo"):
        ballots.take_back(office.db, who, campaign_id, "undo key 0")
    cards = judge_some(office, who, campaign_id, 3)
    for number, card in enumerate(reversed(cards)):
        (back,) = ballots.take_back(office.db, who, campaign_id, f"undo key {number + 1}")
        assert back.id == card.id
    assert ballots.take_back(office.db, who, campaign_id, "undo key 1") == []
    assert len(judge_some(office, who, campaign_id)) == 30  # half of them twice, none thrice
    with office.db.writing() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        connection.execute(ballot_event.delete())


def test_what_is_put_off_goes_to_others_and_comes_back_last(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path, answer_lines(3, SOURCES[:2]), sources=list(SOURCES[:2]), n=3, k=1)
    who, other = come_in(office.db, "منصف", "judge"), come_in(office.db, "دوسرا", "judge")
    card = claim_ballots(office.db, who, campaign_id)[0]
    with pytest.raises(Refused, match="lease_lost"):
        ballots.put_off(office.db, other, card.id, "not my card")
    ballots.put_off(office.db, who, card.id, "put off key")
    ballots.put_off(office.db, who, card.id, "put off key")
    assert kinds(office) == ["skip"]
    left = claim_ballots(office.db, who, campaign_id)
    assert card.id not in [one.id for one in left]
    ballots.cast_ballot(office.db, who, left[0].id, "key number one", said())
    ballots.cast_ballot(office.db, who, left[1].id, "key number two", said())
    assert [one.prompt for one in claim_ballots(office.db, who, campaign_id)] == [card.prompt]


def test_guesses_come_when_nothing_is_left_and_end_the_judging(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path, guesses=4)
    who, other = come_in(office.db, "منصف", "judge"), come_in(office.db, "دوسرا", "judge")
    for person in (who, other):  # one has something left, the other has judged nothing
        with pytest.raises(Refused, match="not_finished"):
            ballots.finish_judging(office.db, person, campaign_id)
    judge_some(office, who, campaign_id)
    ballots.finish_judging(office.db, who, campaign_id)
    ballots.finish_judging(office.db, who, campaign_id)
    with pytest.raises(Refused, match="guesses_begun"):
        ballots.take_back(office.db, who, campaign_id, "undo key 1")
    asked = 0
    while held := claim_ballots(office.db, who, campaign_id):
        with pytest.raises(Refused, match="not_understood"):
            ballots.cast_ballot(office.db, who, held[0].id, f"wrong {asked} ....", {"source": "yak"})
        ballots.cast_ballot(office.db, who, held[0].id, f"guess {asked} ....", {"source": SOURCES[0]})
        asked += 1
    assert asked == 4


def test_after_the_close_nothing_is_judged(make_office: Callable[..., Office], tmp_path: Path) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path)
    who = come_in(office.db, "منصف", "judge")
    card = claim_ballots(office.db, who, campaign_id)[0]
    close_campaign(office, campaign_id)
    for late in (
        lambda: ballots.cast_ballot(office.db, who, card.id, "key too late", said()),
        lambda: ballots.take_back(office.db, who, campaign_id, "key too late"),
        lambda: ballots.finish_judging(office.db, who, campaign_id),
        lambda: claim_ballots(office.db, who, campaign_id),
    ):
        with pytest.raises(Refused, match="campaign_closed"):
            late()
    with office.db.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(ballot.c.judgement.is_not(None))) == 0
