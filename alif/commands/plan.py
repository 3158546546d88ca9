"""`alif plan`: memory, hours and price of the training on a GPU, and what to change to make it fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from alif import console
from alif.commands.arguments import RUNS, Document, Json, Overrides, RecipeName, load_recipe, print_document

__all__ = ["plan_recipe", "show_plan"]


def plan_recipe(
    recipe: RecipeName,
    *,
    gpu: Annotated[str, Parameter(help="a100, h100, h200, 4090 or t4.")],
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Compute memory, hours and price of the training on a GPU. Sends nothing.

    Where it does not fit, the changes that help are listed.
    """
    from alif.cost import training_plan
    from alif.evaluate.judge_cost import bound_judging, describe_bounds

    loaded = load_recipe(recipe, set)[1]
    plan, bounds = training_plan.plan_training(loaded, gpu, RUNS), bound_judging(loaded)
    found = {"plan": plan, "judges": {name: bound.model_dump() for name, bound in bounds.items()}}

    def show(document: Document) -> None:
        show_plan(document["plan"])
        for line in describe_bounds(bounds, loaded.runtime.max_cost_usd):
            console.print_result(line)

    print_document(found, show, json)


def show_plan(found: Document) -> None:
    """Print the document of `cost.training_plan.plan_training`."""
    stages = found["stages"]
    gpus = f"{found['gpus']} x " if found["gpus"] > 1 else ""
    trained = f"{found['trainable']:,} trained ({found['trainable_percent']:.2f} % of base + adapter)"
    base = f"{found['base']}, {found['parameters']:,} parameters"
    console.print_result(f"{found['recipe']} on {gpus}{found['gpu']}: {base}, {trained}\n")

    parts = list(dict.fromkeys(part for stage in stages for part in stage["memory_gb"]))
    memory = [(part, *(stage["memory_gb"].get(part) for stage in stages)) for part in parts]
    memory.append(("total", *(stage["total_gb"] for stage in stages)))
    memory.append(("available", *(stage["room_gb"] for stage in stages)))
    console.print_table(("GB on each GPU", *(stage["stage"] for stage in stages)), memory)
    console.print_result()

    times = [
        (
            stage["stage"],
            _interval({end: tokens / 1e6 for end, tokens in stage["tokens"].items()}),
            f"{stage['tokens_per_s']['low']:,.0f} to {stage['tokens_per_s']['high']:,.0f}",
            _interval(stage["hours"]),
            _interval(stage["usd"]),
            _fit_words(stage["fits"]),
        )
        for stage in stages
    ]
    total = (_interval(found["hours"]), _interval(found["usd"]), _fit_words(found["fits"]))
    columns = ("stage", "million tokens", "tokens/s", "hours", "$", "")
    console.print_table(columns, [*times, ("total", "", "", *total)])

    console.print_result()
    for one in found["later"]:
        cure = f": {one['cure']}" if one["cure"] else ""
        words = f"{one['step']} needs {one['total_gb']} GB of one GPU: {_fit_words(one['fits'])}"
        console.print_result(f"{words}{cure}")
    for stage in stages:
        if stage["cures"]:
            name = stage["stage"]
            console.print_result(
                f"\n{name} does not fit. Changes that help, least harmful first, cumulative:"
            )
            rows = [
                (
                    f"--set '{one['set']}'",
                    "" if one["then_gb"] is None else f"{one['then_gb']:.1f}",
                    _fit_words(one["fits"]),
                    one["harm"],
                )
                for one in stage["cures"]
            ]
            console.print_table(("change", "GB", "", "harm"), rows)
    disk = f"about {found['disk_gb']} GB for the base, two checkpoints and the models that leave it"
    console.print_result(f"\nDisk: {disk}. The hours are those of the")
    console.print_result("training; downloads, evaluation and the teacher are not included. Assumptions:\n")
    console.print_table(("", "value", "is", "source"), [tuple(row.values()) for row in found["inputs"]])


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['mid']:,.1f} ({value['low']:,.1f} to {value['high']:,.1f})"


def _fit_words(fits: bool | None) -> str:
    return "" if fits is None else "fits" if fits else "does not fit"
