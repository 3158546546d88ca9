"""Write docs/recipes.md and docs/commands.md from the code (`make docs`); a test compares them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
        "reached, 130 stopped by Ctrl-C.",
    ]
    environment = {"COLUMNS": "110", "NO_COLOR": "1", "PATH": "", "LANG": "C.UTF-8"}
    for name in COMMANDS:
        command = [sys.executable, "-m", "alif", name, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        text = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
        text = text.replace("Usage: __main__.py", "Usage: alif")
        lines += ["", f"## alif {name}", "", "```", text, "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    store.write_text(DOCS / "recipes.md", recipe_page())
    store.write_text(DOCS / "commands.md", command_page())
