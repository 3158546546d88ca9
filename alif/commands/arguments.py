"""What commands share: arguments, finding a run or a recipe, printing the result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from alif import console
from alif import recipe as recipes
from alif.errors import RecipeError
from alif.llm import endpoint
from alif.runs import Run
from alif.settings import Recipe

__all__ = [
    "RUNS", "Document", "Json", "Overrides", "RecipeName", "RunName", "load_recipe", "open_run",
    "print_document",
]  # fmt: skip

RUNS = Path("runs")
Document = Mapping[str, Any]
"""A JSON object that a command prints with --json."""
Result = TypeVar("Result")

RecipeName = Annotated[
    str, Parameter(help="A path, a run (its stored recipe) or a shipped name, in that order.")
]
RunName = Annotated[str, Parameter(help="A run, by its name in `alif ls`.")]
Overrides = Annotated[
    list[str] | None,
    Parameter(name="--set", negative="", help="Override a key by a TOML line: pool.threshold=0.8"),
]
Json = Annotated[
    bool,
    Parameter(
        name="--json", negative="", help="Print one JSON document on standard output, nothing else there."
    ),
]


def load_recipe(name: str, overrides: list[str] | None = None) -> tuple[Run, Recipe]:
    """Return a recipe and the run that it describes, which need not exist."""
    path = recipes.find_recipe(name, RUNS)
    recipe = recipes.load_recipe(path, overrides or ())
    endpoint.validate_endpoints(recipe)
    run, there = Run(RUNS / recipe.name), path.resolve().parent
    if path == RUNS / name / "recipe.toml" and recipe.name == there.name:
        run = Run(path.parent)  # a sibling of a study too, which lies in the study's folder
    if (there / "ledger.sqlite").is_file() and there.name == run.name and not run.root.exists():
        raise RecipeError(
            f"{there} is a run that lies outside {RUNS}/, with replies of its own",
            f"Move the folder to {run.root}, and it continues: alif run {run.name}. "
            f"For a new run: --set 'name=\"NAME\"'.",
        )
    return run, recipe


def open_run(name: str) -> tuple[Run, Recipe]:
    """Return an existing run and the recipe that it keeps."""
    run, there = Run(RUNS / name), False
    with contextlib.suppress(OSError, ValueError):  # a name too long for the disk, or with a NUL
        there = (run.root / "recipe.toml").is_file()
    if not there:
        raise RecipeError(
            f"{run.root}: no such run", "`alif ls` lists the runs; `alif run RECIPE` makes one."
        )
    recipe = recipes.load_recipe(run.root / "recipe.toml")
    endpoint.validate_endpoints(recipe)
    return run, recipe


def print_document(found: Result, show: Callable[[Result], None], json: bool) -> None:
    """Print a command's result: as JSON for scripts, or shown for people."""
    console.print_json(found) if json else show(found)
