"""`alif ablate`: sibling runs over a setting, one plan, one cap, one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from alif import console
from alif import recipe as recipes
from alif.ablate.grid import expand_study
from alif.ablate.study import Study, find_study, parse_axis, shipped_studies
from alif.commands.arguments import RUNS, Document, Json, Overrides, print_document
from alif.errors import AlifError, RecipeError
from alif.formatting import format_duration
from alif.llm import endpoint
from alif.runs import Run

__all__ = ["ablate_recipe", "show_study", "show_study_plan"]


def ablate_recipe(
    recipe: Annotated[str, Parameter(help="A recipe, or a study: ablate-rank, or a file of one.")],
    /,
    *,
    over: Annotated[
        list[str] | None,
        Parameter(negative="", help="A key and its values: adapter.rank=16,64. Several: a grid."),
    ] = None,
    seeds: Annotated[
        int, Parameter(validator=Number(gte=0), help="Trainings of each point; 0: 3, or the study's.")
    ] = 0,
    base: Annotated[str, Parameter(name="--recipe", help="Another base recipe for a shipped study.")] = "",
    name: Annotated[str, Parameter(help="The study's folder under runs/.")] = "",
    plan: Annotated[bool, Parameter(negative="", help="Say what it takes, and do nothing.")] = False,
    gpu: Annotated[str, Parameter(help="The GPU of the plan's hours.")] = "h200",
    cap: Annotated[
        float | None, Parameter(validator=Number(gte=0), help="USD over all runs; by default the recipe's.")
    ] = None,
    yes: Annotated[bool, Parameter(negative="", help="Do it although it is more than 100 runs.")] = False,
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Run a recipe over values of a setting, share all steps that can be, and compare.

    A step that two of the runs agree on is done once. Safe to repeat and to interrupt; another value
    costs only what is new. Prints the plan first.
    """
    from alif.ablate import study_plan

    study, path, folder = _read_study(recipe, over or [], seeds, base)
    overrides = set or []
    own = recipes.load_recipe(path, [*study.set, *overrides])
    endpoint.validate_endpoints(own)
    cap_usd = own.runtime.max_cost_usd if cap is None else cap
    if not yes:
        study_plan.refuse_many(study.runs, own, gpu, cap_usd)
    found = expand_study(name or folder, study, path, overrides, RUNS)
    others = [Run(RUNS / own.name)]
    planned = study_plan.plan_study(found, gpu, cap_usd, others)
    if plan:
        return print_document(planned, show_study_plan, json)
    for line in study_plan.describe_plan(planned):
        console.log(line)
    from alif.ablate import run_siblings, study_page

    errors = run_siblings.run_siblings(found, cap_usd, others)
    print_document(study_page.write_study(found), show_study, json)
    if errors:
        message = f"{len(errors)} of {len(found.siblings)} runs are not finished: {errors[0].message}"
        failed = AlifError(message, f"{errors[0].hint} The same command goes on with them.".strip())
        failed.exit_code = max(error.exit_code for error in errors)
        raise failed
    if not json:
        console.print_result(f"Report: {found.root / 'report.html'}")
    return None


def _read_study(name: str, over: list[str], seeds: int, base: str) -> tuple[Study, Path, str]:
    """Return the study, the file of its base recipe, and its folder's name.

    Raises:
        RecipeError: no such study or recipe, or nothing is varied.
    """
    study = find_study(name)
    axes: dict[str, object] = {}
    for text in over:
        key, values = parse_axis(text)
        if key in axes:
            raise RecipeError(f"--over {key} stands there twice", "Name all its values in one.")
        axes[key] = values
    changed: dict[str, object] = {"seeds": seeds} if seeds else {}
    if study is None:
        if base:
            raise RecipeError(f"{name}: no such study", f"Shipped studies: {', '.join(shipped_studies())}.")
        path = recipes.find_recipe(name, RUNS)
        folder = f"ablate-{recipes.load_recipe(path).name}-{'-'.join(axes)}"
        return Study.model_validate({"over": axes, **changed}), path, folder.rstrip("-")
    if axes:
        changed |= {"over": axes, "point": (), "reference": {}, "saturation": ""}
    if base:
        changed["set"] = ()
    folder = Path(name).stem + (f"-{Path(base).stem}" if base not in ("", study.recipe) else "")
    if not (base or study.recipe):
        raise RecipeError(f"{name}: the study names no recipe", "Name one: --recipe RECIPE.")
    path = recipes.find_recipe(base or study.recipe, RUNS)
    return Study.model_validate(study.model_dump() | changed), path, folder


def show_study_plan(planned: Document) -> None:
    """Print the document of `ablate.study_plan.plan_study`."""
    from alif.ablate import study_plan

    rows = [
        (
            one["step"],
            one["runs"],
            one["distinct"],
            one["done"],
            format_duration(3600 * one["hours"]["mid"]) if one["hours"] else "",
        )
        for one in planned["steps"]
        if one["runs"]
    ]
    console.print_table(("step", "runs", "different", "done", "to do takes"), rows, title=planned["study"])
    console.print_result()
    for line in study_plan.describe_plan(planned):  # type: ignore[arg-type]
        console.print_result(line)


def show_study(document: Document) -> None:
    """Print the document of `ablate.study_page.study_document`."""
    rows = [
        (
            one["point"],
            *(
                f"{part['value']:+.3f} ({part['low']:+.3f} to {part['high']:+.3f})"
                for part in (one["gained"], one["kept"])
            ),
            f"{one['frontier_probability']:.2f}",
            f"{one['best_probability']:.2f}",
        )
        for one in document["tradeoffs"]
    ]
    columns = ("point", "bits per byte gained", "kept in the source language", "on the frontier", "the best")
    if rows:
        console.print_table(columns, rows, title=f"{document['study']}, against the reference")
    for one in document["failures"]:
        where = f"{one['point']}, seed {one['seed']}"
        console.print_result(f"! {where}: {one['step']} {one['state']}. {one['message']}")
    console.print_result(document["recommendation"])
    if document["saturation"]:
        console.print_result(document["saturation"])
