"""Pages to fill in a recipe, to see what it costs, and to start, stop and go on with the run.

A lead does so; others watch. What is started is what was shown: the recipe's digest is sent along, and before
money can be spent the cap is typed again.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response

from alif import store
from alif.cost.gpus import GPUS
from alif.desk import recipe_form, run_control
from alif.desk.people import Refused
from alif.desk.run_pages import duration_words
from alif.desk.run_price import list_costs, needs_cap, plan_hours
from alif.desk.visit import Page, Visit
from alif.errors import AlifError
from alif.formatting import format_usd
from alif.recipe import dump_recipe
from alif.review.verdicts import verdicts_path
from alif.settings import Recipe

__all__ = ["PAGES"]

MOST_KEYS = 2_000
"""Fields of the form: every key of a recipe with dozens of teachers."""


def show_recipe(visit: Visit) -> Response:
    """Show every key of the recipe with its help."""
    recipe, _ = recipe_form.desk_recipe(visit.office.folder, visit.office.recipe)
    return show_form(visit, recipe)


def show_form(visit: Visit, recipe: Recipe, told: str = "", text: str = "", status: int = 200) -> Response:
    """Show the form, and what is wrong with what was sent."""
    tables = recipe_form.list_form(recipe)
    return visit.page(
        "recipe.html",
        status,
        tables=tables,
        changed=[name for name, keys in tables.items() if any(one.shown != one.default for one in keys)],
        text=text or dump_recipe(recipe),
        told=told,
    )


def save_form(visit: Visit) -> Response:
    """Write the recipe that the next start takes."""
    office = visit.office
    recipe, _ = recipe_form.desk_recipe(office.folder, office.recipe)
    try:
        fields = parse_qs(visit.body.decode(), keep_blank_values=True, max_num_fields=MOST_KEYS)
    except ValueError as error:
        raise Refused("not_understood", 400) from error
    sent = {name: values[-1] for name, values in fields.items()}
    try:
        if "text" in sent:
            recipe_form.read_text(office.folder, recipe, sent["text"])
        else:
            recipe_form.save_recipe(office.folder, recipe_form.read_form(recipe, sent))
    except AlifError as error:
        told = f"{error.message}\n{error.hint}"
        return show_form(visit, recipe, told, sent.get("text", ""), 422)
    return visit.redirect("/start")


def show_start(visit: Visit) -> Response:
    """Show what is going on, what the recipe costs, what is wrong with it, and the button that starts it."""
    office, t = visit.office, visit.office.texts[visit.language]
    recipe, path = recipe_form.desk_recipe(office.folder, office.recipe)
    activity = run_control.read_activity(office.folder)
    gpu = visit.request.query_params.get("gpu", "")
    problems: list[str] = []
    checked: object = None
    if "check" in visit.request.query_params and activity.state == "rests":
        checked, problems = check_recipe(visit, recipe, path)
    costs = list_costs(office.folder, recipe)
    return visit.page(
        "start.html",
        activity=activity,
        recipe=recipe,
        digest=digest_of(path),
        costs=costs,
        needs_cap=needs_cap(costs),
        problems=problems,
        checked=checked,
        gpus=list(GPUS),
        gpu=gpu,
        plan=plan_hours(office.folder, recipe, gpu) if gpu in GPUS else None,
        money=format_usd,
        hours=lambda hours: duration_words(60 * round(60 * hours) or 3600 * hours, t),
        end=t["ends"].get(str(activity.code), "") if activity.state == "rests" else "",
    )


def check_recipe(visit: Visit, recipe: Recipe, path: Path) -> tuple[object, list[str]]:
    """Return what `alif check` answers, and what would stop a run; a drift in the command line's words."""
    printed = run_control.ask_command("check", str(path))
    try:
        found = json.loads(printed)
    except ValueError:
        return None, [printed.strip()]
    problems = [f"{one['message']}\n{one['hint']}" for one in found["problems"]]
    drift = run_control.describe_drift(visit.office.folder, recipe)
    return found, [*problems, *([drift] if drift else [])]


def digest_of(path: Path) -> str:
    """Return a digest of the recipe file that a start takes."""
    return hashlib.sha256(store.read_text(path).encode()).hexdigest()[:16]


def start(visit: Visit) -> Response:
    """Start the run, if the recipe is the one that was shown and the cap was typed."""
    office, form = visit.office, visit.form
    recipe, path = recipe_form.desk_recipe(office.folder, office.recipe)
    if form.get("digest") != digest_of(path):
        raise Refused("recipe_changed", 409)
    if needs_cap(list_costs(office.folder, recipe)) and not is_cap(form.get("cap", ""), recipe):
        raise Refused("cap_not_typed")
    if drift := run_control.describe_drift(office.folder, recipe):
        raise Refused("drifted", 409, drift)
    office.exchange.reviewers = recipe.review.reviewers
    office.exchange.verdicts = verdicts_path(recipe.review, office.folder.root)
    run_control.start_run(office.folder, path, visit.person.name)
    return visit.redirect("/start")


def is_cap(typed: str, recipe: Recipe) -> bool:
    """Tell whether somebody typed the recipe's money cap."""
    try:
        return math.isclose(float(typed.strip().lstrip("$").replace(",", "")), recipe.runtime.max_cost_usd)
    except ValueError:
        return False


def stop(visit: Visit) -> Response:
    """Stop the run as Ctrl-C does; it can be gone on with."""
    run_control.stop_run(visit.office.folder)
    return visit.redirect("/start")


PAGES: list[Page] = [
    ("GET", "/recipe", show_recipe, "lead"),
    ("POST", "/recipe", save_form, "lead"),
    ("GET", "/start", show_start, "lead"),
    ("POST", "/start", start, "lead"),
    ("POST", "/stop", stop, "lead"),
]
