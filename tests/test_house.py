"""The house keeps its own rules: layers, light start, documented and typed public names, no machine's path in the
repository."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import alif

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "alif"
MODULES = sorted(
    name for _, name, _ in pkgutil.walk_packages([str(PACKAGE)], "alif.") if name != "alif.__main__"
)
EXIT_CODES = {"AlifError": 1, "Waiting": 3, "BudgetError": 4, "RecipeError": 1}


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def test_the_layers_hold() -> None:
    asked = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout


@pytest.mark.parametrize("name", MODULES)
def test_public_names_exist_and_are_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    for public in getattr(module, "__all__", []):
        found = getattr(module, public)
        assert not (inspect.isfunction(found) or inspect.isclass(found)) or found.__doc__, (
            f"{name}.{public} has no docstring"
        )


def test_help_answers_at_once_and_loads_no_torch() -> None:
    script = (
        "import sys, json, contextlib, io\n"
        "from alif.cli import _main\n"
        "with contextlib.redirect_stdout(io.StringIO()): _main(['--help'])\n"
        "heavy = ('torch', 'transformers', 'peft', 'openai', 'matplotlib', 'datasets')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    began = time.perf_counter()
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(asked.stdout.splitlines()[-1]) == []
    assert (
        time.perf_counter() - began < 5.0
    )  # the goal is 0.5 s on a quiet machine; this catches a heavy import, not a busy machine


def test_no_string_in_python_names_a_language() -> None:
    """The shipped recipes name packs; code does not."""
    codes = {path.name for path in (PACKAGE / "language" / "packs").iterdir() if path.is_dir()}
    for path in sources():
        defaults = path.name == "settings.py"  # language.pack = "ur" is a default that a recipe overrides
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in codes:
                assert defaults, f"{path}:{node.lineno} names the language {node.value!r}"


def test_functions_fit_on_a_screen() -> None:
    long = []
    for path in sources():
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > 60:
                    long.append(f"{path}:{node.lineno} {node.name}: {size} lines")
        if text.count("\n") > 450:
            long.append(f"{path}: {text.count(chr(10))} lines")
    assert not long


def test_only_the_console_prints() -> None:
    for path in sources():
        if path.name in ("console.py",):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (named and node.func.id == "print"), f"{path}:{node.lineno} prints"  # type: ignore[attr-defined]


def test_the_tree_of_errors_has_its_exit_codes() -> None:
    errors = importlib.import_module("alif.errors")
    for name, code in EXIT_CODES.items():
        assert getattr(errors, name).exit_code == code
    assert all(issubclass(getattr(errors, name), errors.AlifError) for name in errors.__all__)


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(alif.__file__).parent / "py.typed").is_file()


def test_nothing_in_the_repository_names_this_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    marks = ["/" + folder + "/" for folder in ("work", "farm", "root")]
    for name in tracked:
        path = ROOT / name
        if (
            path.suffix in (".py", ".md", ".toml", ".json", ".yaml", ".sh", ".txt", ".jsonl", "")
            and path.is_file()
        ):
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [mark for mark in marks if mark in text], name
