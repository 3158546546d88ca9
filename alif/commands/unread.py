"""`alif unread`: the rows of a pack that nobody has read, those first that matter most.

seeds      each request shows some of its task's: most of all where a task has much weight and few seeds
test.jsonl every model is measured by it
demo/      only the demo is made of it
"""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from alif import console, store
from alif.commands.arguments import Json
from alif.commands.rows import TEXTS, show_text
from alif.language.pack import Pack, load_pack
from alif.records import NOT_REVIEWED

__all__ = ["list_unread", "show_unread"]

SIGN = 'Correct the line where it stands; then set "reviewed_by" to your name: docs/contributing-texts.md.'


def show_unread(
    pack: Annotated[str, Parameter(help="A shipped pack's name, or the path of a pack folder.")],
    *,
    n: Annotated[int, Parameter(name=("-n", "--n"), help="Rows to show; 0: all.")] = 10,
    json: Json = False,
) -> None:
    """Show the rows of a pack that no native speaker has read, those first that matter most."""
    found, rows = list_unread(load_pack(pack))
    shown = found[: n or len(found)]
    if json:
        return console.print_json({"unread": len(found), "rows": rows, "shown": shown})
    for one in shown:
        console.print_result("─" * 72)
        console.print_result(f"{one['where']}  {one['task']}".rstrip())
        for key in TEXTS:
            if text := one["row"].get(key):
                show_text(key, str(text))
    console.print_result("─" * 72)
    console.print_result(
        f"{len(found):,} of {rows:,} rows are {NOT_REVIEWED}; {len(shown):,} are shown. {SIGN}"
    )
    return None


def list_unread(pack: Pack) -> tuple[list[dict[str, Any]], int]:
    """Return the rows whose `reviewed_by` is empty, the most important first, and how many rows there are.

    Each is `{"where": path:line, "task": …, "row": …}`, as `alif unread --json` prints it.
    """
    seeds = {name: pack.folder / "seeds" / f"{name}.jsonl" for name in pack.tasks}
    counts = {name: sum(1 for _ in store.read_rows(path)) for name, path in seeds.items() if path.is_file()}
    tasks = sorted(counts, key=lambda name: -pack.tasks[name].weight / max(counts[name], 1))
    others = [pack.folder / "test.jsonl", *sorted((pack.folder / "demo").rglob("*.jsonl"))]
    found, rows = [], 0
    for path in [*(seeds[name] for name in tasks), *filter(lambda path: path.is_file(), others)]:
        for number, row in store.read_rows(path):
            rows += 1
            if not row.get("reviewed_by"):
                task = row.get("task") or (path.stem if path.stem in pack.tasks else "")
                found.append({"where": f"{path}:{number}", "task": task, "row": row})
    return found, rows
