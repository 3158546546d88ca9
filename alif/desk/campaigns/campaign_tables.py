"""Tables of blind campaigns. Whose an answer is stands in `blind_key` alone, which is read after the close.

A ballot is one wanted judgement, made beforehand like a slot of the review; its id is random.
"""

from __future__ import annotations

import sqlalchemy as sa

from alif.desk.database import APPEND_ONLY, TABLES, RowId

__all__ = ["amendment", "ballot", "ballot_event", "blind_answer", "blind_key", "campaign"]

campaign = sa.Table(
    "campaign",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, sa.CheckConstraint("state IN ('planned', 'open', 'closed')"), nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("answers_sha256", sa.Text, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("frozen_ms", sa.BigInteger, nullable=False),
    sa.Column("closed_ms", sa.BigInteger),
    sa.Column("report", sa.JSON(none_as_null=True)),
)
amendment = sa.Table(
    "amendment",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("campaign_id", sa.ForeignKey("campaign.id"), nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("judged", sa.Integer, nullable=False),
    info=APPEND_ONLY,
)
blind_answer = sa.Table(
    "blind_answer",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("campaign_id", sa.ForeignKey("campaign.id"), nullable=False, index=True),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("instruction", sa.Text, nullable=False),
    sa.Column("input", sa.Text, nullable=False),
    sa.Column("output", sa.Text, nullable=False),
)
blind_key = sa.Table(
    "blind_key",
    TABLES,
    sa.Column("answer_id", sa.ForeignKey("blind_answer.id"), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("texts", sa.JSON, nullable=False),
    sa.Column("hidden_names", sa.Integer, nullable=False),
    sa.Column("usd", sa.Float),
    info=APPEND_ONLY,
)
ballot = sa.Table(
    "ballot",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("campaign_id", sa.ForeignKey("campaign.id"), nullable=False),
    sa.Column("kind", sa.Text, sa.CheckConstraint("kind IN ('vote', 'repeat', 'guess')"), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("seat", sa.Integer, nullable=False),
    sa.Column("block", sa.Integer, nullable=False),
    sa.Column("twice", sa.Boolean, nullable=False),
    sa.Column("due", sa.Integer, nullable=False, default=0),
    sa.Column("person_id", sa.ForeignKey("person.id")),
    sa.Column("leased_ms", sa.BigInteger, nullable=False, default=0),
    sa.Column("open", sa.Boolean, nullable=False, default=True),
    sa.Column("judgement", sa.JSON(none_as_null=True)),
    sa.UniqueConstraint("card", "kind", "person_id"),
)
sa.Index("open_ballots", ballot.c.campaign_id, ballot.c.seat, ballot.c.open)
sa.Index("ballots_of_people", ballot.c.person_id, ballot.c.campaign_id)
ballot_event = sa.Table(
    "ballot_event",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False),
    sa.Column("ballot_id", sa.ForeignKey("ballot.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.UniqueConstraint("person_id", "key"),
    info=APPEND_ONLY,
)
