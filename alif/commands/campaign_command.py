"""`alif campaign`: freeze the plan of a blind test, before anybody judges."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alif import console
from alif.commands.arguments import Document, Json, print_document
from alif.commands.desk_command import LIBRARIES, Database, RunOrRecipe, find_run
from alif.errors import MissingExtra

__all__ = ["freeze_plan"]


def freeze_plan(
    run: RunOrRecipe,
    plan: Annotated[Path, Parameter(help="A TOML file: docs/desk.md shows one.")],
    *,
    database: Database = "",
    json: Json = False,
) -> None:
    """Freeze the plan of a blind test of answers, and say what it can show.

    An admin starts it at the desk. A changed plan of the same name is an amendment, which the report shows.
    """
    folder, recipe = find_run(run)
    try:
        from alif.desk.campaigns.campaign_plan import measure_power
        from alif.desk.campaigns.campaign_store import freeze_campaign, list_campaigns
        from alif.desk.database import Database as Tables
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in LIBRARIES:
            raise MissingExtra("alif campaign", "desk") from error
        raise
    tables = Tables(database) if database else Tables.at(folder.root / "desk.sqlite")
    try:
        done = freeze_campaign(tables, folder, recipe, plan)
        found = next(one for one in list_campaigns(tables) if one.id == done.campaign_id)
    finally:
        tables.close()
    power = measure_power(found.plan)
    facts = {"name": found.plan.name, "done": done.what, "sha256": found.sha256, **power.model_dump()}

    def show(facts: Document) -> None:
        console.print_result(
            f"{facts['name']}: {facts['done']}. SHA-256 of the frozen plan: {facts['sha256']}"
        )
        console.print_result(
            f"{facts['judgements']:,} judgements, about {facts['hours']:,} hours of reading."
        )
        if power.expected:
            low, high = (f"{100 * end:.1f}" for end in power.expected)
            console.print_result(f"A source exactly at the bar gets the interval {low} to {high} %.")
            what = f"differences of two sources from {100 * power.detectable:.1f} points on"
        else:
            what = f"{100 * power.detectable:.1f} % of the decisive votes or more"
        console.print_result(f"With 80 % chance it shows {what}. Start it at the desk: alif desk {run}")

    print_document(facts, show, json)
