"""The judgements of a closed campaign, with whose answers they were of: nothing else reads the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from alif.desk.campaigns.campaign_tables import ballot, blind_answer, blind_key, campaign
from alif.desk.campaigns.judgement import Judgement
from alif.desk.people import Refused

__all__ = ["JudgedAnswer", "Vote", "read_votes"]


@dataclass(frozen=True)
class JudgedAnswer:
    """An answer with its source, in the texts that the source gave."""

    source: str
    prompt: str
    cluster: str
    language: str
    task: str
    texts: Mapping[str, str]
    hidden_names: int
    usd: float | None


@dataclass(frozen=True)
class Vote:
    """One judgement; `answers` are the answer, or the left and the right one."""

    kind: str
    answers: tuple[JudgedAnswer, ...]
    judge: str
    """A pseudonym: J1, J2 …, in no order."""
    judgement: Judgement


def read_votes(connection: sa.Connection, campaign_id: str) -> tuple[list[Vote], dict[str, JudgedAnswer]]:
    """Return all judgements, and all answers by their random ids.

    Raises:
        Refused: the campaign is not closed.
    """
    state = connection.scalar(sa.select(campaign.c.state).where(campaign.c.id == campaign_id))
    if state != "closed":
        raise Refused("not_closed", 403)
    found = connection.execute(
        sa.select(blind_answer, blind_key)
        .select_from(blind_answer.join(blind_key))
        .where(blind_answer.c.campaign_id == campaign_id)
    )
    answers = {
        one.id: JudgedAnswer(
            one.source, one.prompt, one.cluster, one.language, one.task, one.texts, one.hidden_names, one.usd
        )
        for one in found
    }
    given = (ballot.c.campaign_id == campaign_id) & ballot.c.judgement.is_not(None)
    cast = connection.execute(sa.select(ballot).where(given).order_by(ballot.c.id)).all()
    judges = {
        person: f"J{place}" for place, person in enumerate(dict.fromkeys(one.person_id for one in cast), 1)
    }
    votes = [
        Vote(
            one.kind,
            tuple(answers[name] for name in one.answers),
            judges[one.person_id],
            Judgement.model_validate(one.judgement),
        )
        for one in cast
    ]
    return votes, answers
