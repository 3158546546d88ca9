"""What several tests of the report need."""

from __future__ import annotations

from pathlib import Path

from alif import recipe as recipes
from alif import store


def set_in_recipe(run: Path, table: str, **keys: object) -> None:
    """Change keys of a table in the stored recipe of a run."""
    found = recipes.load_recipe(run / "recipe.toml")
    changed = found.model_copy(update={table: getattr(found, table).model_copy(update=keys)})
    store.write_text(run / "recipe.toml", recipes.dump_recipe(changed))
