"""`alif desk`: people read a run's rows in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alif import console
from alif.commands.arguments import Json, load_recipe, open_run, print_document
from alif.errors import MissingExtra, RecipeError
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["LIBRARIES", "Database", "RunOrRecipe", "find_run", "open_desk"]

LIBRARIES = ("argon2", "scipy", "sqlalchemy", "starlette", "uvicorn")
"""What the extra `desk` installs."""
RunOrRecipe = Annotated[str, Parameter(help="A run, or a recipe whose run has not begun.")]
Host = Annotated[str, Parameter(help="Address to serve; other than this machine's it needs TLS.")]
Database = Annotated[
    str, Parameter(help="postgresql+psycopg://USER:PASSWORD@HOST/NAME for a team. Empty: SQLite in the run.")
]
Pem = Annotated[Path | None, Parameter(help="A PEM file, for TLS.")]
Insecure = Annotated[
    bool, Parameter(negative="", help="Serve another address without TLS: passwords can be read on the way.")
]


def open_desk(
    run: RunOrRecipe,
    *,
    host: Host = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port; 0: a free one.")] = 8010,
    database: Database = "",
    certificate: Pem = None,
    key: Pem = None,
    insecure_lan: Insecure = False,
    json: Json = False,
) -> None:
    """Let people read a run's rows in a browser, watch it, start it and talk to its model.

    `alif run` goes on with their verdicts.
    """
    folder, recipe = find_run(run)
    try:
        from alif.desk.desk_server import serve_desk
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in LIBRARIES:
            raise MissingExtra("alif desk", "desk") from error
        raise

    def announce(facts: Mapping[str, str]) -> None:
        print_document(facts, show, json)
        console.flush()

    def show(facts: Mapping[str, str]) -> None:
        console.print_result(f"The desk of {facts['run']}: {facts['address']}   (Ctrl-C closes it)")
        console.print_result(f"For you, once, to set your name and password: {facts['link']}")

    serve_desk(
        folder, recipe, announce, host=host, port=port, database=database, certificate=certificate, key=key,
        insecure_lan=insecure_lan,
    )  # fmt: skip


def find_run(name: str) -> tuple[Run, Recipe]:
    """Return a run, or that of a recipe, which may not have begun."""
    try:
        return open_run(name)
    except RecipeError:
        run, recipe = load_recipe(name)
        return open_run(run.name) if (run.root / "recipe.toml").is_file() else (run, recipe)
