"""`alif run`, and each step as a command of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from alif import console, pipeline
from alif.commands.arguments import Json, Overrides, RecipeName, load_recipe
from alif.commands.status import is_report_stale, show_end, show_steps, step_statuses
from alif.errors import RecipeError
from alif.runs import Run, Step
from alif.runs.step import lazy_import
from alif.settings import Recipe

__all__ = ["generate_rows", "run_recipe", "run_steps", "step_command", "steps_until"]


def run_recipe(
    recipe: RecipeName,
    *,
    until: Annotated[str | None, Parameter(help="The last step to do.")] = None,
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Do all steps that are not done yet; safe to repeat and to interrupt."""
    steps = pipeline.PIPELINE if until is None else steps_until(until)
    run_steps(*load_recipe(recipe, set), steps, json)


def steps_until(name: str) -> tuple[Step, ...]:
    """Return the steps of the pipeline up to the one of that name."""
    names = [step.name for step in pipeline.PIPELINE]
    if name not in names:
        raise RecipeError(f"--until {name}: no such step", f"Steps: {' '.join(names)}.")
    return pipeline.PIPELINE[: names.index(name) + 1]


def step_command(step: Step) -> Callable[..., None]:
    """Return the command that does `step` and all that it needs."""

    def command(recipe: RecipeName, *, set: Overrides = None, json: Json = False) -> None:
        run_steps(*load_recipe(recipe, set), pipeline.required_steps(step), json)

    command.__doc__ = f"{step.about[0].upper()}{step.about[1:]}."
    return command


def generate_rows(
    recipe: RecipeName,
    *,
    reparse: Annotated[
        bool, Parameter(negative="", help="Parse the stored replies again; send nothing.")
    ] = False,
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Ask the teacher for new rows: all tasks, one pool."""
    run, loaded = load_recipe(recipe, set)
    if not reparse:
        return run_steps(run, loaded, pipeline.required_steps(pipeline.GENERATE), json)
    work = lazy_import("alif.data.synthesis.reparse:reparse_replies")
    changed = pipeline.rerun(pipeline.GENERATE, loaded, run, work)
    later = "Rows have changed; later steps that were built from them say so."
    console.log(later if changed else "The same rows as before.")
    steps = step_statuses(run)
    return console.print_json({"run": run.name, "steps": steps}) if json else show_steps(run.name, steps)


def run_steps(run: Run, recipe: Recipe, steps: tuple[Step, ...], json: bool) -> None:
    """Run `steps`, write the run's report and cards, and print how it ended."""
    done = pipeline.run_pipeline(recipe, run, steps)
    if is_report_stale(run):
        from alif.report import model_card, page

        model_card.write_cards(run.root)
        page.write_report([run.root])
    if json:
        console.print_json({"run": run.name, "steps": step_statuses(run)})
    else:
        show_end(run, done)
