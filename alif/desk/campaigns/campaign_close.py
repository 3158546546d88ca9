"""Close a campaign: reveal whose answers they were to everybody at once, and write files that need no desk.

runs/NAME/campaigns/CAMPAIGN/
    report.json            every measure, the plan, its SHA-256 and its amendments
    report.LANGUAGE.html   the same as a page
    judgements.jsonl       one a line, with the source, under the judge's pseudonym
    pairs.jsonl            kind "ab": preferred answers, for `pairs.source` of a recipe
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from markupsafe import Markup

from alif import store
from alif.desk.campaigns.campaign_report import CampaignReport, build_report
from alif.desk.campaigns.campaign_tables import campaign
from alif.desk.campaigns.preference_measures import list_preferences
from alif.desk.campaigns.votes import Vote, read_votes
from alif.desk.database import now_ms
from alif.desk.people import Refused
from alif.report.html import FONTS

if TYPE_CHECKING:
    from alif.desk.office import Office

__all__ = ["close_campaign", "read_report"]

HERE = Path(__file__).parents[1]


def close_campaign(office: Office, campaign_id: str) -> None:
    """End all judging, reveal the sources to everybody at once, and write the files.

    Raises:
        Refused: the campaign is not open.
    """
    is_open = (campaign.c.id == campaign_id) & (campaign.c.state == "open")
    closed = campaign.update().where(is_open).values(state="closed", closed_ms=now_ms())
    with office.db.writing() as connection:
        if not connection.execute(closed).rowcount:
            raise Refused("not_open", 409)
    read_report(office, campaign_id)


def read_report(office: Office, campaign_id: str) -> CampaignReport:
    """Return the report of a closed campaign; it is made, and its files written, where they are not there.

    Raises:
        Refused: there is no such campaign, or it is not closed.
    """
    known = campaign.c.id == campaign_id
    with office.db.reading() as connection:
        found = connection.execute(sa.select(campaign.c.report).where(known)).first()
        if found is None:
            raise Refused("no_such_page", 404)
        votes, answers = read_votes(connection, campaign_id)
        if found.report:
            report = CampaignReport.model_validate(found.report)
        else:  # not while writing: others go on
            report = build_report(connection, campaign_id, votes, list(answers.values()), office.packs)
    if not found.report:
        stored = campaign.update().where(known).values(report=report.model_dump(mode="json"))
        with office.db.writing() as connection:
            connection.execute(stored)
    folder = office.folder.root / "campaigns" / report.plan.name
    if not (folder / "report.json").is_file():
        _write_files(office, folder, report, votes)
    return report


def _write_files(office: Office, folder: Path, report: CampaignReport, votes: Sequence[Vote]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    store.write_rows(folder / "judgements.jsonl", map(describe_vote, votes))
    if report.kind == "ab":
        store.write_rows(folder / "pairs.jsonl", list_preferences(votes))
    style = file_style()
    template = office.templates.get_template("campaign_file.html")
    for language, texts in office.texts.items():
        page = template.render(t=texts, language=language, report=report, pack=office.pack, style=style)
        store.write_text(folder / f"report.{language}.html", page)
    store.write_json(folder / "report.json", report.model_dump(mode="json"))


def describe_vote(vote: Vote) -> dict[str, object]:
    """Return a judgement with the sources of its answers, as the file has it."""
    places = ("source",) if len(vote.answers) == 1 else ("left", "right")
    shown = {place: one.source for place, one in zip(places, vote.answers, strict=True)}
    said = vote.judgement.model_dump(exclude_defaults=True)
    if vote.kind == "guess":
        said["guess"] = said.pop("source")
    first = vote.answers[0]
    asked = {
        "prompt": first.prompt,
        "task": first.task,
        **{key: first.texts[key] for key in ("instruction", "input")},
    }
    outputs = {"outputs": [one.texts["output"] for one in vote.answers]}
    return {"kind": vote.kind, "judge": vote.judge, **said, **shown, **asked, **outputs}


def file_style() -> Markup:
    """Return the desk's style sheets with their fonts inside: a file needs nothing else."""

    def embed(found: re.Match[str]) -> str:
        data = base64.b64encode((FONTS / found[1]).read_bytes()).decode()
        return f'url("data:font/woff2;base64,{data}")'

    names = ("desk.css", "campaigns.css")
    style = "".join((HERE / "static" / name).read_text(encoding="utf-8") for name in names)
    return Markup(re.sub(r'url\("/fonts/([\w.-]+)"\)', embed, style))
