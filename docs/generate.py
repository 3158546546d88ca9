"""Write docs/recipes.md and docs/commands.md from the code (`make docs`); a test compares them."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from alif import recipe as recipes
from alif import store
from alif.cli import app

DOCS = Path(__file__).parent
COMMANDS = tuple(name for name in app if not name.startswith("-"))


def recipe_page() -> str:
    """Return docs/recipes.md: every key, its default, its meaning."""
    paths = recipes.shipped_recipes().items()
    shipped = ", ".join(f"`{name}` ({recipes.load_recipe(path).about})" for name, path in paths)
    lines = [
        "# Recipes",
        "",
        "A recipe is a TOML file with the keys below. This page is written from the code by `make docs`.",
        "",
        f"Shipped: {shipped}.",
    ]
    table = ""
    for key, default, about in recipes.list_keys():
        head = key.rpartition(".")[0]
        if head != table:
            table = head
            lines += ["", f"## [{head}]", "", "| key | default | meaning |", "|---|---|---|"]
        elif len(lines) == 5:
            lines += ["", "## At the top", "", "| key | default | meaning |", "|---|---|---|"]
        shown = list(default) if isinstance(default, tuple) else default
        lines.append(f"| `{key}` | `{shown!r}` | {' '.join(about.split()).replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def command_page() -> str:
    """Return docs/commands.md: the help of every command."""
    lines = [
        "# Commands",
        "",
        "Written from the code by `make docs`. RECIPE is a path, an existing run or a shipped name, in that "
        "order.",
        "",
        "Exit codes: 0 done, 1 an error that you can fix, 2 wrong usage, 3 waiting for people, 4 cost cap "
        "reached, 130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.",
    ]
    app.help_formatter = "plain"
    for name in COMMANDS:
        written = io.StringIO()
        app.help_print([name], console=Console(file=written, width=160, color_system=None))
        text = "\n".join(line.rstrip() for line in written.getvalue().strip().splitlines())
        lines += ["", f"## alif {name}", "", "```", text, "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    store.write_text(DOCS / "recipes.md", recipe_page())
    store.write_text(DOCS / "commands.md", command_page())
