"""The commands about what a run has made: report, data set, chat, server."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from alif import console, store
from alif.commands.arguments import Json, RunName, open_run, print_document
from alif.facts.evaluation_facts import Comparison

__all__ = ["chat_with_run", "compare_with_first", "export_data", "serve_run", "write_report"]

Layout = Annotated[
    Literal["hub", "messages", "llama-factory", "axolotl"],
    Parameter(help="For the Hub, as messages, or as another trainer reads it."),
]
Port = Annotated[int, Parameter(help="On loopback; 0: any free port.")]
Server = Annotated[
    str, Parameter(help="Path of a vllm or transformers program, or a Python with llama.cpp, elsewhere.")
]
Form = Annotated[str, Parameter(help="A form that `alif export --to` wrote, as gguf-q8_0.")]


def write_report(*runs: Annotated[str, Parameter(help="Names of runs.")], json: Json = False) -> None:
    """Write the report of a run, or one page that compares several, each with the first.

    Runs of one recipe that differ by their training seeds stand together.
    """
    from alif.report import page

    roots = [open_run(name)[0].root for name in runs]
    path = page.write_report(roots, compare_with_first(roots) if len(roots) > 1 else ())
    print_document(
        store.read_json(path.with_suffix(".json")), lambda _: console.print_result(str(path)), json
    )


def compare_with_first(roots: Sequence[Path]) -> list[Comparison]:
    """Return the paired differences of the last stages of these runs from that of the first."""
    from alif.evaluate.run_comparison import compare_runs
    from alif.evaluate.stats import Bootstrap
    from alif.report.seed_spread import group_seeds, title_group
    from alif.report.snapshot import read_run

    found = [read_run(root) for root in roots]
    evaluate = found[0].recipe.evaluate
    folders = {
        title_group(group): [run.root / "evaluate" / run.last_stage for run in group]
        for group in group_seeds(found)
    }
    return compare_runs(folders, Bootstrap(evaluate.bootstrap_samples, evaluate.seed))


def export_data(run: RunName, *, layout: Layout = "hub", json: Json = False) -> None:
    """Write the rows of a run as a data set, without ledger and names of people."""
    from alif.report import dataset, training_layouts

    root = open_run(run)[0].root
    written = dataset.write_dataset(root) if layout == "hub" else training_layouts.write_layout(root, layout)
    folder = str(written)
    print_document({"folder": folder}, lambda _: console.print_result(folder), json)


def chat_with_run(
    run: RunName,
    question: Annotated[str | None, Parameter(help="Answer this once; without it, line by line.")] = None,
    *,
    json: Json = False,
) -> None:
    """Talk to a model: a run's, that of a GGUF file or its folder, or one at an address (http://…/v1)."""
    from alif.release import chat

    model = run if chat.is_elsewhere(run) else open_run(run)[0].root
    chat.chat_loop(model, question, as_json=json)


def serve_run(
    run: RunName, *, form: Form = "model", port: Port = 8000, server: Server = "", json: Json = False
) -> None:
    """Serve a run's model at an OpenAI-compatible address until Ctrl-C."""
    root = open_run(run)[0].root
    from alif.release.serve import serve_model

    log = root / "runtime" / "serve" / "log.txt"
    with (
        serve_model(root / "export" / form, log, port=port, by=server) as served,
        contextlib.suppress(KeyboardInterrupt),
    ):
        print_document(served.facts(), lambda _: console.print_result(served.as_recipe_table()), json)
        served.wait()
