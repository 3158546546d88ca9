"""The key is read after the close alone, and by nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from alif.desk.campaigns import votes
from alif.desk.campaigns.ballot_queue import claim_ballots
from alif.desk.campaigns.ballots import cast_ballot
from alif.desk.campaigns.campaign_close import close_campaign
from alif.desk.office import Office
from alif.desk.people import Refused
from tests.desk.campaigns.made_campaign import SOURCES, begin, said
from tests.desk.test_review_slots import come_in


def test_votes_have_their_sources_after_the_close_and_judges_no_names(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path)
    for name in ("ایک", "دو"):
        who = come_in(office.db, name, "judge")
        card = claim_ballots(office.db, who, campaign_id)[0]
        cast_ballot(office.db, who, card.id, "key number one", said(note=name))
    with office.db.reading() as connection, pytest.raises(Refused, match="not_closed"):
        votes.read_votes(connection, campaign_id)
    close_campaign(office, campaign_id)
    with office.db.reading() as connection:
        found, answers = votes.read_votes(connection, campaign_id)
    assert sorted(vote.judge for vote in found) == ["J1", "J2"]
    assert {one.source for one in answers.values()} == set(SOURCES)
    assert all(len(vote.answers) == 1 and vote.judgement.grade == "accept" for vote in found)
    assert len(answers) == 36


def test_nothing_else_reads_the_key() -> None:
    """Freezing writes it; pages, queue and ballots do not even import it."""
    importing = []
    for path in sorted(Path(votes.__file__).parents[1].rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and any(one.name == "blind_key" for one in node.names):
                importing.append(path.name)
    assert importing == ["campaign_store.py", "votes.py"]
