"""The commands about what a run has made: report, data set, chat, server."""

from __future__ import annotations

import contextlib
from typing import Annotated

from cyclopts import Parameter

from alif import console, store
from alif.commands.arguments import Json, RunName, open_run, print_document

__all__ = ["chat_with_run", "export_data", "serve_run", "write_report"]

Port = Annotated[int, Parameter(help="On loopback; 0: any free port.")]
Server = Annotated[
    str, Parameter(help="Path of a vllm or transformers program in an environment of its own.")
]


def write_report(*runs: Annotated[str, Parameter(help="Names of runs.")], json: Json = False) -> None:
    """Write the report of a run, or one page that compares several."""
    from alif.report import page

    path = page.write_report([open_run(name)[0].root for name in runs])
    print_document(
        store.read_json(path.with_suffix(".json")), lambda _: console.print_result(str(path)), json
    )


def export_data(run: RunName, *, json: Json = False) -> None:
    """Write the rows of a run as a data set for the Hub, without ledger and names of people."""
    from alif.report import dataset

    folder = str(dataset.write_dataset(open_run(run)[0].root))
    print_document({"folder": folder}, lambda _: console.print_result(folder), json)


def chat_with_run(
    run: RunName,
    question: Annotated[str | None, Parameter(help="Answer this once; without it, line by line.")] = None,
    *,
    json: Json = False,
) -> None:
    """Talk to a run's model."""
    root = open_run(run)[0].root
    from alif.release import chat

    chat.chat_loop(root, question, as_json=json)


def serve_run(run: RunName, *, port: Port = 8000, server: Server = "", json: Json = False) -> None:
    """Serve a run's exported model at an OpenAI-compatible address until Ctrl-C, by vLLM or transformers."""
    root = open_run(run)[0].root
    from alif.release.serve import serve_model

    log = root / "runtime" / "serve" / "log.txt"
    with (
        serve_model(root / "export" / "model", log, port=port, by=server) as served,
        contextlib.suppress(KeyboardInterrupt),
    ):
        print_document(served.facts(), lambda _: console.print_result(served.as_recipe_table()), json)
        served.wait()
