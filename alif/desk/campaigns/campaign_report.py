"""What a closed campaign tells: its measures, how blind it was, how far judges agree, and last the names."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, Literal

import sqlalchemy as sa

from alif import sampling
from alif.desk.campaigns.audit_measures import (
    AuditedSource,
    SourceDifference,
    VoteInterval,
    interval_of,
    is_acceptable,
    measure_differences,
    measure_sources,
)
from alif.desk.campaigns.campaign_plan import (
    AMENDABLE,
    GRADES,
    CampaignPlan,
    Power,
    measure_power,
    parse_plan,
)
from alif.desk.campaigns.campaign_tables import amendment, ballot, ballot_event, campaign
from alif.desk.campaigns.preference_measures import Preferences, measure_preferences, winner_of
from alif.desk.campaigns.votes import JudgedAnswer, Vote
from alif.desk.label_agreement import Agreement, measure_labels
from alif.evaluate.stats import Bootstrap, Items, wilson_interval
from alif.language.pack import Pack
from alif.records import FrozenModel

__all__ = ["Amended", "CampaignReport", "Guesses", "build_report"]

RESAMPLES = 1_000
"""Of the bootstrap behind an interval."""
BLIND_MARGIN = 0.2
"""By how much more than chance judges may guess right where a campaign is called blind."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What sources are called until the last table."""


class Amended(FrozenModel):
    """A change of the plan after it was frozen."""

    at: str
    sha256: str
    judged: int
    """Judgements that there were already."""
    changes: Mapping[str, tuple[str, str]]
    """Before and after, by key."""


class Guesses(FrozenModel):
    """How often judges guessed the source at the end: the measure of blindness."""

    share: VoteInterval | None
    chance: float
    verdict: Literal["yes", "no", "unsure"]
    """ "no" where the interval lies above chance; "yes" where one that is clustered by judge ends below
    chance and `BLIND_MARGIN`."""


class CampaignReport(FrozenModel):
    """Everything that a closed campaign tells."""

    title: str
    kind: str
    frozen: str
    closed: str
    sha256: str
    answers_sha256: str
    amendments: tuple[Amended, ...]
    plan: CampaignPlan
    """With its amendments."""
    power: Power
    left_out: int
    """Prompts that some source did not answer."""
    wanted: int
    given: int
    judges: int
    undone: int
    too_fast: int
    """Left out of the measures: they took less than the plan's `min_seconds`."""
    seconds: float | None
    """Median of a judgement."""
    sources: tuple[AuditedSource, ...] = ()
    differences: tuple[SourceDifference, ...] = ()
    preferences: Preferences | None = None
    agreement: Mapping[str, Agreement]
    guesses: Guesses
    names: tuple[tuple[str, str, str], ...]
    """Letter, source, and its model where the recipe tells it; pages call sources by letters until here."""


def build_report(
    connection: sa.Connection,
    campaign_id: str,
    votes: Sequence[Vote],
    answers: Sequence[JudgedAnswer],
    packs: Mapping[str, Pack | None],
) -> CampaignReport:
    """Return the report of a campaign that has just been closed."""
    found = connection.execute(sa.select(campaign).where(campaign.c.id == campaign_id)).one()
    amendments, plan = read_amendments(connection, found)
    mixed = sampling.seeded_rng(plan.seed, "letters").sample(plan.sources, len(plan.sources))
    first = [vote for vote in votes if vote.kind == "vote"]
    counted = [vote for vote in votes if vote.judgement.dwell_ms >= plan.min_seconds * 1000]
    judged = [vote for vote in counted if vote.kind == "vote"]
    models: Mapping[str, str] = found.facts["models"]
    bootstrap, is_audit = Bootstrap(RESAMPLES, plan.seed), plan.kind == "audit"
    wanted = (ballot.c.campaign_id == campaign_id) & (ballot.c.kind == "vote")
    undone = sa.select(sa.func.count()).select_from(ballot_event.join(ballot)).where(wanted)
    sources = measure_sources(judged, answers, plan, bootstrap) if is_audit else []
    return CampaignReport(
        title=plan.title,
        kind=plan.kind,
        frozen=format_time(found.frozen_ms),
        closed=format_time(found.closed_ms),
        sha256=found.sha256,
        answers_sha256=found.answers_sha256,
        amendments=tuple(amendments),
        plan=plan,
        power=measure_power(plan),
        left_out=found.facts["left_out"],
        wanted=connection.scalar(sa.select(sa.func.count()).where(wanted)) or 0,
        given=len(first),
        judges=len({vote.judge for vote in first}),
        undone=connection.scalar(undone.where(ballot_event.c.kind == "undo")) or 0,
        too_fast=len(first) - len(judged),
        seconds=median([vote.judgement.dwell_ms / 1000 for vote in first]) if first else None,
        sources=tuple(sorted(sources, key=lambda one: mixed.index(one.source))),
        differences=tuple(measure_differences(judged, plan, bootstrap)) if is_audit else (),
        preferences=None if is_audit else measure_preferences(counted, plan, packs, bootstrap),
        agreement=measure_agreement(judged, plan),
        guesses=measure_guesses(votes, plan),
        names=tuple(
            (letter, name, models.get(name, "")) for letter, name in zip(LETTERS, mixed, strict=False)
        ),
    )


def format_time(at_ms: int) -> str:
    """Return a time as people read it."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at_ms / 1000))


def read_amendments(connection: sa.Connection, found: sa.Row[Any]) -> tuple[list[Amended], CampaignPlan]:
    """Return every change of the plan, and the plan as it stands at the end."""
    plan, changes = parse_plan(found.plan), []
    query = sa.select(amendment).where(amendment.c.campaign_id == found.id).order_by(amendment.c.id)
    for one in connection.execute(query):
        after = parse_plan(one.plan)
        changed = {
            key: (str(getattr(plan, key)), str(getattr(after, key)))
            for key in AMENDABLE
            if getattr(plan, key) != getattr(after, key)
        }
        changes.append(
            Amended(at=format_time(one.at_ms), sha256=one.sha256, judged=one.judged, changes=changed)
        )
        plan = after
    return changes, plan


def measure_agreement(votes: Sequence[Vote], plan: CampaignPlan) -> dict[str, Agreement]:
    """Return how far judges agree on the same cards: on grade and acceptance, or on the winner."""

    def collect(said: Callable[[Vote], str]) -> list[dict[str, str]]:
        things: dict[object, dict[str, str]] = defaultdict(dict)
        for vote in votes:
            card = vote.answers[0].prompt, *sorted(one.source for one in vote.answers)
            things[card][vote.judge] = said(vote)
        return list(things.values())

    if plan.kind == "audit":
        grades = collect(lambda vote: str(vote.judgement.grade))
        acceptable = collect(lambda vote: str(is_acceptable(vote, plan)))
        return {
            "grade": measure_labels(grades, GRADES, ordinal=True, intervals=True),
            "acceptable": measure_labels(acceptable, ("True", "False"), intervals=True),
        }
    winners = collect(lambda vote: winner_of(vote) or str(vote.judgement.side))
    return {"winner": measure_labels(winners, (*plan.sources, "equal", "bad"), intervals=True)}


def measure_guesses(votes: Sequence[Vote], plan: CampaignPlan) -> Guesses:
    """Return how often the source was guessed, and what that says: doubt counts against blindness."""
    guessed = [vote for vote in votes if vote.kind == "guess"]
    chance = round(1 / len(plan.sources), 6)
    if not guessed:
        return Guesses(share=None, chance=chance, verdict="unsure")
    right = [float(vote.judgement.source == vote.answers[0].source) for vote in guessed]
    alone = wilson_interval(Items.of(right))
    by_judge = wilson_interval(Items.of(right, clusters=[vote.judge for vote in guessed]))
    blind: Literal["yes", "unsure"] = "yes" if by_judge.high < chance + BLIND_MARGIN else "unsure"
    verdict: Literal["yes", "no", "unsure"] = "no" if alone.low > chance else blind
    return Guesses(share=interval_of(alone), chance=chance, verdict=verdict)
