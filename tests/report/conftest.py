"""What several tests of the report need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alif import recipe as recipes
from alif import store

CHROMIUM = Path("/usr/bin/chromium")


def set_in_recipe(run: Path, table: str, **keys: object) -> None:
    """Change keys of a table in the stored recipe of a run."""
    found = recipes.load_recipe(run / "recipe.toml")
    changed = found.model_copy(update={table: getattr(found, table).model_copy(update=keys)})
    store.write_text(run / "recipe.toml", recipes.dump_recipe(changed))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start a browser; without chromium the test is skipped."""
    if not CHROMIUM.is_file():
        pytest.skip("there is no chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()
