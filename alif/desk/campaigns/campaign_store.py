"""Freeze a campaign's plan, start it, close it: what a campaign is at any time.

The plan's text and SHA-256 are stored with the answers before anybody is asked. A file of the same name with
other content is an amendment, which is kept beside and shown.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from alif.desk.campaigns.blind_design import plan_ballots
from alif.desk.campaigns.campaign_answers import SampledPrompts, sample_prompts
from alif.desk.campaigns.campaign_plan import AMENDABLE, CampaignPlan, parse_plan, read_plan
from alif.desk.campaigns.campaign_tables import amendment, ballot, blind_answer, blind_key, campaign
from alif.desk.database import Database, now_ms
from alif.desk.people import Refused
from alif.errors import AlifError
from alif.language.model_names import hide_model_names
from alif.records import sanitize_text
from alif.runs import Run
from alif.sampling import seeded_rng
from alif.settings import Recipe

__all__ = ["Campaign", "Frozen", "find_campaign", "freeze_campaign", "list_campaigns", "start_campaign"]

STRATUM = 1_000
"""Rows that one statement inserts."""


class Campaign(NamedTuple):
    """A campaign as it is now."""

    id: str
    state: str
    plan: CampaignPlan
    """With its amendments."""
    sha256: str
    """Of the plan as it was frozen."""
    amendments: int
    wanted: int
    given: int


class Frozen(NamedTuple):
    """What became of a plan: "frozen", "amended", or "kept" as it was."""

    campaign_id: str
    what: str


def freeze_campaign(db: Database, run: Run, recipe: Recipe, path: Path) -> Frozen:
    """Store the plan of a file with its answers and ballots, or as an amendment.

    Raises:
        AlifError: the plan or the answers cannot be used; the plan changes what a freeze forbids to change.
    """
    plan, text, digest = read_plan(path)
    with db.writing() as connection:
        query = sa.select(campaign.c.id, campaign.c.plan, campaign.c.sha256, campaign.c.state)
        known = connection.execute(query.where(campaign.c.name == plan.name)).first()
        if known is not None:
            return Frozen(known.id, _amend(connection, known, plan, text, digest, path))
    sampled = sample_prompts(plan, run, recipe.language.pack)
    named = {**recipe.teacher, **recipe.system}
    models = {name: named[name].model for name in plan.sources if name in named}
    own = (*plan.sources, *models.values())
    with db.writing() as connection:
        campaign_id = secrets.token_hex(8)
        facts = {"complete": sampled.complete, "left_out": sampled.left_out, "models": models}
        connection.execute(
            campaign.insert().values(
                id=campaign_id, name=plan.name, state="planned", plan=text, sha256=digest,
                answers_sha256=sampled.digest, facts=facts, frozen_ms=now_ms(),
            )
        )  # fmt: skip
        _store_ballots(connection, campaign_id, plan, sampled, own)
    return Frozen(campaign_id, "frozen")


def _store_ballots(
    connection: sa.Connection,
    campaign_id: str,
    plan: CampaignPlan,
    sampled: SampledPrompts,
    own: tuple[str, ...],
) -> None:
    """Store answers under random ids, apart from them whose each is, and every wanted judgement."""
    rng = seeded_rng(plan.seed, "prompts")
    prompts = rng.sample(sampled.prompts, len(sampled.prompts))
    names, answers, keys, ids = [], [], [], dict[tuple[int, int], str]()
    for number, one in enumerate(prompts):
        names.append(secrets.token_hex(8))
        for place, source in enumerate(plan.sources):
            given, shown = one.answers[source], secrets.token_hex(8)
            ids[number, place] = shown
            texts = {
                field: sanitize_text(getattr(given, field)) for field in ("instruction", "input", "output")
            }
            hidden = {field: hide_model_names(text, own) for field, text in texts.items()}
            masked = {field: text for field, (text, _) in hidden.items()}
            same = {"id": shown, "campaign_id": campaign_id, "prompt": names[number]}
            answers.append({**same, "language": one.language, "task": one.task, **masked})
            usd = plan.usd_per_row.get(source) if given.usd is None else given.usd
            found = {"source": source, "cluster": one.cluster, "texts": texts, "usd": usd}
            keys.append({"answer_id": shown, **found, "hidden_names": sum(n for _, n in hidden.values())})
    planned = plan_ballots(
        plan.n, len(plan.sources), plan.k, plan.seed, paired=plan.kind == "ab", repeats=plan.repeats
    )
    ballots = []
    for wanted in planned:
        card = [ids[wanted.prompt, place] for place in wanted.shown]
        ballots.append(
            {
                "id": secrets.token_hex(8), "campaign_id": campaign_id, "kind": "vote",
                "prompt": names[wanted.prompt], "card": " ".join(sorted(card)), "answers": card,
                "seat": wanted.seat, "block": wanted.block, "twice": wanted.twice,
            }
        )  # fmt: skip
    for table, rows in ((blind_answer, answers), (blind_key, keys), (ballot, ballots)):
        rows.sort(key=lambda row: str(row.get("id", row.get("answer_id"))))  # no order tells whose it is
        for start in range(0, len(rows), STRATUM):
            connection.execute(table.insert(), rows[start : start + STRATUM])


def _amend(
    connection: sa.Connection, known: Any, plan: CampaignPlan, text: str,
    digest: str, path: Path,
) -> str:  # fmt: skip
    """Keep a changed plan beside the frozen one, if it changes only how judgements are counted."""
    amended = sa.select(amendment.c.plan, amendment.c.sha256).where(amendment.c.campaign_id == known.id)
    last = connection.execute(amended.order_by(amendment.c.id.desc())).first() or known
    if last.sha256 == digest:
        return "kept"
    if known.state == "closed":
        raise AlifError(f"{path}: the campaign {plan.name} is closed", "Give the new plan another name.")
    before = parse_plan(last.plan)
    changed = [key for key in CampaignPlan.model_fields if getattr(before, key) != getattr(plan, key)]
    if frozen := [key for key in changed if key not in AMENDABLE]:
        message = f"{path}: {', '.join(frozen)} cannot change after the plan was frozen"
        raise AlifError(message, f"Amend {', '.join(AMENDABLE)}; or give the new plan another name.")
    judged = sa.select(sa.func.count()).where(
        ballot.c.campaign_id == known.id, ballot.c.kind == "vote", ballot.c.judgement.is_not(None)
    )
    connection.execute(
        amendment.insert().values(
            campaign_id=known.id, at_ms=now_ms(), plan=text, sha256=digest, judged=connection.scalar(judged)
        )
    )
    return "amended"


def list_campaigns(db: Database) -> list[Campaign]:
    """Return every campaign, the newest first."""
    with db.reading() as connection:
        ids = connection.scalars(sa.select(campaign.c.id).order_by(campaign.c.frozen_ms.desc())).all()
        return [_read_campaign(connection, one) for one in ids]


def find_campaign(db: Database, campaign_id: str) -> Campaign:
    """Return a campaign.

    Raises:
        Refused: there is none of this id.
    """
    with db.reading() as connection:
        if connection.scalar(sa.select(campaign.c.id).where(campaign.c.id == campaign_id)) is None:
            raise Refused("no_such_page", 404)
        return _read_campaign(connection, campaign_id)


def _read_campaign(connection: sa.Connection, campaign_id: str) -> Campaign:
    found = connection.execute(sa.select(campaign).where(campaign.c.id == campaign_id)).one()
    amended = sa.select(amendment.c.plan).where(amendment.c.campaign_id == campaign_id)
    plans = [found.plan, *connection.scalars(amended.order_by(amendment.c.id))]
    votes = (ballot.c.campaign_id == campaign_id) & (ballot.c.kind == "vote")
    counts = sa.select(sa.func.count(), sa.func.count().filter(ballot.c.judgement.is_not(None))).where(votes)
    wanted, given = connection.execute(counts).one()
    plan = parse_plan(plans[-1])
    return Campaign(campaign_id, found.state, plan, found.sha256, len(plans) - 1, wanted, given)


def start_campaign(db: Database, campaign_id: str) -> None:
    """Let judges begin; a campaign that is under way or closed stays as it is.

    Raises:
        Refused: there is no such campaign.
    """
    found = find_campaign(db, campaign_id)
    planned = (campaign.c.id == found.id) & (campaign.c.state == "planned")
    with db.writing() as connection:
        connection.execute(campaign.update().where(planned).values(state="open"))
