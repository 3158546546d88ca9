"""Write docs/recipes.md, docs/commands.md and the keys of docs/new-language.md from the code (`make docs`).

A test compares them.
"""

from __future__ import annotations

import inspect
import io
import re
import typing
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from alif import recipe as recipes
from alif import store
from alif.cli import app
from alif.language.pack_schema import PackFile, TaskFile
from alif.records import FrozenModel

DOCS = Path(__file__).parent
KEYS_HEADING = "## 8. Every key"
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
        parts = [part for part in app[name] if not part.startswith("-")]
        for path in ([name], *([name, part] for part in parts)):
            written = io.StringIO()
            app.help_print(path, console=Console(file=written, width=160, color_system=None))
            text = "\n".join(line.rstrip() for line in written.getvalue().strip().splitlines())
            lines += ["", f"## alif {' '.join(path)}", "", "```", text, "```"]
    return "\n".join(lines) + "\n"


def language_page() -> str:
    """Return docs/new-language.md: as it was written, with every key of a pack behind it."""
    page = DOCS / "new-language.md"
    written = page.read_text(encoding="utf-8").partition(KEYS_HEADING)[0]
    lines = [KEYS_HEADING, "", "Written from the code by `make docs`."]
    for name, model in (("pack.toml", PackFile), ("tasks/NAME.toml", TaskFile)):
        lines += ["", f"### {name}", "", "| key | meaning |", "|---|---|"]
        lines += [f"| `{key}` | {about.replace('|', chr(92) + '|')} |" for key, about in pack_keys(model)]
    return written.rstrip() + "\n\n" + "\n".join(lines) + "\n"


def pack_keys(model: type[FrozenModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, meaning) of a pack's tables; the meaning is the text below a field or behind it."""
    source = inspect.getsource(model)
    for base in model.__mro__[1:]:
        source += inspect.getsource(base) if base.__module__.startswith("alif.language") else ""
    for name, field in model.model_fields.items():
        inner = [
            one for one in (field.annotation, *typing.get_args(field.annotation)) if inspect.isclass(one)
        ]
        tables = [one for one in inner if issubclass(one, FrozenModel)]
        if tables:
            yield from pack_keys(tables[0], f"{prefix}{name}.")
            continue
        behind = re.search(rf"^    {name}: .*?  # (.*)$", source, re.M)
        about = field.description or (behind[1] if behind else "")
        yield f"{prefix}{name}", " ".join((about[:1].upper() + about[1:]).rstrip(".").split())


if __name__ == "__main__":
    store.write_text(DOCS / "new-language.md", language_page())
    store.write_text(DOCS / "recipes.md", recipe_page())
    store.write_text(DOCS / "commands.md", command_page())
