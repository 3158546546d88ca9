"""The documentation is correct: generated pages are current, links and named tests exist, commands parse."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from alif.cli import app
from alif.language.pack_schema import PackFile, TaskFile

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```\w*\n(.*?)```", re.S)


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "function"),
    [("recipes.md", "recipe_page"), ("commands.md", "command_page"), ("new-language.md", "language_page")],
)
def test_generated_pages_are_current(page: str, function: str) -> None:
    expected = getattr(generator(), function)()
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == expected, "run `make docs`"


def test_every_key_of_a_pack_has_a_meaning() -> None:
    keys = [found for model in (PackFile, TaskFile) for found in generator().pack_keys(model)]
    assert len(keys) > 80
    assert not [key for key, about in keys if len(about.split()) < 2]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_named_tests_exist() -> None:
    for page in PAGES:
        for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8")):
            assert (ROOT / path).is_file(), f"{page.name}: {path}"
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (
                f"{page.name}: {path}::{name}"
            )


def test_named_files_and_functions_of_the_package_exist() -> None:
    named = 0
    for page in PAGES:
        for path, name in re.findall(r"`(alif/[\w/.]+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8")):
            named += 1
            assert (ROOT / path).is_file(), f"{page.name}: {path}"
            text = (ROOT / path).read_text(encoding="utf-8")
            defined = re.search(rf"^ *(?:async )?(?:def|class) {name}\b|^{name}\b", text, re.M)
            assert not name or defined, f"{page.name}: {path}::{name}"
    assert named > 50


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "docs" / "tutorial.md"], ids=lambda path: path.name
)
def test_commands_of_the_pages_parse(page: Path) -> None:
    lines = [line for block in BLOCK.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    found = [words for line in lines if "alif" in (words := shlex.split(line, comments=True))[:1]]
    assert found
    for words in found:
        app.parse_args(words[1:], exit_on_error=False, print_error=False)


def test_the_readme_is_short_and_begins_with_the_two_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 150
    first_screen = "\n".join(lines[:30])
    assert all(part in first_screen for part in ("make demo", "make test", "report.png"))
