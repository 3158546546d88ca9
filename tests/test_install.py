"""Installed from a checkout in an empty environment without torch: what the README promises to a laptop."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

from alif import pipeline
from alif import recipe as recipes
from alif.runs import Run
from tests.pipeline_steps import step_by_name

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "peft", "datasets")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the tracked files of this checkout; return the program `alif`."""
    folder = tmp_path_factory.mktemp("install")
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = [name for name in asked.stdout.split("\0") if name and (ROOT / name).is_file()]
    if not names:
        pytest.skip("not a git checkout")
    for name in names:
        (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / "checkout" / name)
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    command = [
        str(programs / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        "constraints.txt",
        ".",
    ]
    done = subprocess.run(command, cwd=folder / "checkout", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return programs / "alif"


def answer(program: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(
        [str(program), *arguments], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_the_core_works_without_torch(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"import importlib.util as u; print([n for n in {HEAVY!r} if u.find_spec(n)])"
    python = installed.with_name("python")
    assert subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"

    monkeypatch.chdir(tmp_path)
    overrides = ["generate.target_rows=35", "generate.requests_per_round=7", "translate.rows=4"]
    recipe = recipes.load_recipe(recipes.shipped_recipes()["demo"], overrides)
    pipeline.run_pipeline(recipe, Run(Path("runs/demo")), pipeline.required_steps(step_by_name("blend")))

    for arguments in (["ls"], ["check", "demo"], ["new", "small"], ["status", "demo"], ["report", "demo"]):
        done = answer(installed, tmp_path, *arguments)
        assert done.returncode == 0, f"alif {' '.join(arguments)}: {done.stdout}{done.stderr}"
    assert (tmp_path / "small.toml").is_file()
    assert (tmp_path / "runs" / "demo" / "report.html").is_file()
    assert json.loads(answer(installed, tmp_path, "ls", "--json").stdout)["runs"][0]["name"] == "demo"

    for arguments in (["chat", "demo", "?"], ["run", "demo"]):
        done = answer(installed, tmp_path, *arguments)
        assert done.returncode == 1
        assert "needs the train extra" in done.stderr
        assert 'pip install ".[train]"' in done.stderr
