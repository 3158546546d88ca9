"""`alif ls`: packs, recipes, runs and their state."""

from __future__ import annotations

from alif import console, pipeline, store
from alif import recipe as recipes
from alif.commands.arguments import RUNS, Document, Json
from alif.errors import AlifError
from alif.language import pack
from alif.records import NOT_REVIEWED
from alif.runs import Run, list_runs

__all__ = ["list_all"]


def list_all(*, json: Json = False) -> None:
    """List packs, recipes, runs and their state."""
    shipped = [(name, recipes.load_recipe(path).about) for name, path in recipes.shipped_recipes().items()]
    runs = [(run.name, _run_state(run)) for run in list_runs(RUNS)]
    packs: list[Document] = []
    for found in map(pack.load_pack, pack.shipped_packs()):
        files = sorted(found.folder.glob("seeds/*.jsonl"))
        seeds = [row for path in files for _, row in store.read_rows(path)]
        names = {"code": found.code, "name": found.name, "native_name": found.native_name}
        reviewed = sum(bool(row.get("reviewed_by")) for row in seeds)
        packs.append({**names, "tasks": len(found.tasks), "seeds": len(seeds), "reviewed": reviewed})
    if json:
        return console.print_json(
            {
                "packs": packs,
                "recipes": [{"name": name, "about": about} for name, about in shipped],
                "runs": [{"name": name, "state": state} for name, state in runs],
            }
        )
    shown = []
    for one in packs:
        read = f"{one['reviewed']} reviewed" if one["reviewed"] else NOT_REVIEWED
        written = f"{one['seeds']}, {read}" if one["seeds"] else ""
        shown.append(
            (one["code"], one["name"], one["native_name"], one["tasks"] or "source language", written)
        )
    console.print_table(("pack", "language", "", "tasks", "seeds"), shown)
    console.print_result()
    console.print_table(("recipe", ""), shipped)
    console.print_result()
    return console.print_table(("run", "state"), runs or [("none yet", "alif run demo")])


def _run_state(run: Run) -> str:
    """Return "done", where the run has stopped, how far it is, or which file is damaged."""
    try:
        recipe = recipes.load_recipe(run.root / "recipe.toml")
        wanted = [step.name for step in pipeline.PIPELINE if step.enabled(recipe)]
        states = {name: run.state(name)["state"] for name in wanted}
    except AlifError as error:  # the others are listed all the same
        return f"damaged: {error.message}"
    done = sum(state == "done" for state in states.values())
    if done == len(states):
        return "done"
    stopped = (f"{state} at {name}" for name, state in states.items() if state not in ("done", "todo"))
    return next(stopped, f"{done} of {len(states)} steps done")
