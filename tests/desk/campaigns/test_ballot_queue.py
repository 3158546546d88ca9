"""Cards come along seats: no prompt twice, sources and sides even in each run of thirty, leases that end."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from alif.desk.campaigns import ballots
from alif.desk.campaigns.ballot_queue import Slot, claim_ballots, find_held
from alif.desk.campaigns.campaign_store import freeze_campaign, list_campaigns
from alif.desk.campaigns.campaign_tables import ballot, blind_key
from alif.desk.office import Office
from alif.desk.people import DeskPerson, Refused
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, begin, said, write_plan
from tests.desk.test_review_slots import come_in

KEYS = (f"key number {number}" for number in itertools.count())


def judge_some(office: Office, who: DeskPerson, campaign_id: str, most: int = 10_000) -> list[Slot]:
    """Judge up to `most` cards; return them in their order."""
    judged: list[Slot] = []
    while len(judged) < most and (held := claim_ballots(office.db, who, campaign_id)):
        pair = len(held[0].answers) > 1
        body = {"side": "left"} if pair else said()
        assert not ballots.cast_ballot(office.db, who, held[0].id, next(KEYS), body)
        judged.append(held[0])
    return judged


def sources_of(office: Office, cards: list[Slot]) -> list[tuple[str, ...]]:
    with office.db.reading() as connection:
        key = dict(connection.execute(sa.select(blind_key.c.answer_id, blind_key.c.source)).all())
    return [tuple(key[name] for name in one.answers) for one in cards]


def test_nobody_sees_a_prompt_twice_and_sources_are_even_in_each_run_of_thirty(
    make_office: Callable[..., Office], tmp_path: Path, database: str
) -> None:
    office = make_office([], database=database)
    campaign_id = begin(office, tmp_path, answer_lines(66), n=66, k=1)
    orders = []
    for number in range(3):
        cards = judge_some(office, come_in(office.db, f"منصف {number}", "judge"), campaign_id)
        assert len({one.prompt for one in cards}) == len(cards) == 66
        shown = sources_of(office, cards)
        for start in (0, 30):
            assert set(Counter(shown[start : start + 30]).values()) == {10}
        orders.append(shown)
    assert orders[0] != orders[1]
    cycle = [shown == before for before, shown in itertools.pairwise(orders[0])]
    assert 3 < sum(cycle) < 40  # not one after the other in turn: that could be learnt


def test_sides_are_even_and_the_second_person_sees_every_pair_swapped(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(
        office, tmp_path, answer_lines(60, SOURCES[:2]), kind="ab", sources=list(SOURCES[:2]), n=60, k=2
    )
    one, other = (come_in(office.db, name, "judge") for name in ("ایک", "دو"))
    first, second = (judge_some(office, who, campaign_id) for who in (one, other))
    votes = [card for card in first if card.kind == "vote"]
    assert set(Counter(sources_of(office, votes)).values()) == {30}
    swapped = {card.card: card.answers for card in second if card.kind == "vote"}
    assert all(swapped[card.card] == card.answers[::-1] for card in votes)
    repeats = [card for card in first if card.kind == "repeat"]
    assert len(repeats) == 6
    for card in repeats:
        before = next(vote for vote in votes if vote.card == card.card)
        assert card.answers == before.answers[::-1]
        gap = first.index(card) - first.index(before)
        assert gap >= 10 or first.index(card) >= len(votes) - 6


def test_prompts_come_again_only_in_a_second_pass_that_the_plan_has(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path, k=1)
    who = come_in(office.db, "اکیلی", "judge")
    assert len(judge_some(office, who, campaign_id)) == 12
    freeze_campaign(office.db, office.folder, office.recipe, write_plan(tmp_path, k=1, second_pass=True))
    again = judge_some(office, who, campaign_id)
    assert len(again) == 24
    assert list_campaigns(office.db)[0].given == 36
    assert len({one.card for one in again}) == 24


def test_a_lease_that_is_over_goes_to_somebody_else_and_a_card_is_one_persons(
    make_office: Callable[..., Office], tmp_path: Path, database: str
) -> None:
    office = make_office([], database=database)
    campaign_id = begin(office, tmp_path, answer_lines(1, SOURCES[:2]), sources=list(SOURCES[:2]), n=1, k=1)
    gone, other, third = (come_in(office.db, name, "judge") for name in ("گئی", "آیا", "تیسرا"))
    (held,) = claim_ballots(office.db, gone, campaign_id)
    (mine,) = claim_ballots(office.db, other, campaign_id)
    assert held.id != mine.id
    assert claim_ballots(office.db, third, campaign_id) == []
    assert find_held(office.db, other, held.id) == []
    with pytest.raises(Refused, match="lease_lost"):
        ballots.cast_ballot(office.db, other, held.id, "key of another", said())
    with office.db.writing() as connection:
        connection.execute(ballot.update().values(leased_ms=1))
    assert [one.id for one in claim_ballots(office.db, third, campaign_id)] in ([held.id], [mine.id])


def test_a_campaign_that_is_not_open_gives_no_card(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    freeze_campaign(office.db, office.folder, office.recipe, write_plan(tmp_path))
    who = come_in(office.db, "منصف", "judge")
    for campaign_id, told in (
        (list_campaigns(office.db)[0].id, "campaign_planned"),
        ("none", "no_such_page"),
    ):
        with pytest.raises(Refused, match=told):
            claim_ballots(office.db, who, campaign_id)
