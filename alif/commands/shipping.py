"""The commands that bring a run's model to its users: forms of it, and an adapter merged onto its base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from alif import console, pipeline
from alif.commands.arguments import Json, Overrides, RecipeName, load_recipe, print_document
from alif.commands.steps import run_steps
from alif.errors import MissingExtra

__all__ = ["export_run", "merge_adapter"]

Form = Annotated[
    Literal["gguf", "adapter", "bnb4"] | None,
    Parameter(help="Also write this form of it, beside the merged model."),
]
Quant = Annotated[Literal["f16", "q8_0", "q4_k_m"], Parameter(help="With --to gguf: bits of a weight.")]
LlamaCpp = Annotated[
    Path | None, Parameter(help="With --to gguf: a checkout of llama.cpp; else its converter is fetched.")
]
LlamaPython = Annotated[
    str, Parameter(help="With --to gguf: ENV/bin/python of an environment with llama-cpp-python.")
]


def export_run(
    recipe: RecipeName,
    *,
    to: Form = None,
    quant: Quant = "q8_0",
    llama_cpp: LlamaCpp = None,
    llama_python: LlamaPython = "",
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Merge adapter and base into one model folder, and write the forms that people run."""
    run, loaded = load_recipe(recipe, set)
    steps = pipeline.required_steps(pipeline.EXPORT)
    if to is None:
        return run_steps(run, loaded, steps, json)
    if run.record(pipeline.EXPORT.name) is None:
        pipeline.run_pipeline(loaded, run, steps)
    try:
        from alif.release.forms import export_form
    except ModuleNotFoundError as error:
        if (error.name or "alif").startswith("alif"):
            raise
        raise MissingExtra("alif export", "train") from error
    folder, facts = export_form(run.root, loaded, to, quant=quant, llama_cpp=llama_cpp, python=llama_python)
    document = {"folder": str(folder), **facts.model_dump(mode="json")}
    return print_document(document, lambda _: console.print_result(str(folder)), json)


def merge_adapter(
    adapter: Annotated[Path, Parameter(help="A folder that `alif export RUN --to adapter` wrote.")],
    target: Annotated[Path, Parameter(help="The model folder to write.")],
    *,
    base: Annotated[Path | None, Parameter(help="Folder of its base; without it the one beside it.")] = None,
    json: Json = False,
) -> None:
    """Merge an exported adapter onto its base; another base is refused."""
    from alif.release.adapter_export import merge_exported

    merge_exported(adapter, base, target)
    print_document({"folder": str(target)}, lambda _: console.print_result(str(target)), json)
