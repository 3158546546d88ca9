"""`alif new`: a recipe to edit, or a language pack; nothing is overwritten."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.cli import run_command

HAUSA = Path(__file__).parents[1] / "language" / "hausa"
SHORT = (
    "generate.requests_per_round=4", "replay.rows=8", "tiny.vocabulary=400", "tiny.width=32", "tiny.epochs=1",
    "tiny.feed_forward=64", "pretrain.epochs=1", "finetune.epochs=1", "finetune.max_seq_length=256",
    "evaluate.max_new_tokens=8", "evaluate.bootstrap_samples=50",
)  # fmt: skip


def test_new_copies_a_recipe_and_refuses_to_overwrite(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["new", "demo", "mine.toml"]) == 0
    assert recipes.load_recipe(empty_folder / "mine.toml") == recipes.load_recipe(
        recipes.shipped_recipes()["demo"]
    )
    assert run_command(["new", "demo", "mine.toml"]) == 1
    assert "mine.toml: is already there" in capsys.readouterr().err


@pytest.mark.parametrize("code", ["../../evil", "ha/x", "..", "", "h", "a b", "ha\n"])
def test_a_pack_whose_code_is_no_language_code_is_refused_before_anything_is_written(
    code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text("Wane gari ne babban birnin Najeriya?\n" * 50, encoding="utf-8")
    before = sorted(tmp_path.parent.rglob("*"))
    assert run_command(["new", "--pack", code, "--from", "text.txt"]) == 1
    assert "no language code" in capsys.readouterr().err
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["new"]) == 1
    assert "no recipe named" in capsys.readouterr().err
    assert run_command(["new", "--pack", "ha"]) == 1
    assert "Add --from TEXT" in capsys.readouterr().err
    assert not list(Path().iterdir())


def alif(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "alif", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.shared
@pytest.mark.slow
def test_a_fifth_language_by_the_tool_and_data_alone(shared_data: Path, tmp_path: Path) -> None:
    paths = [shared_data / "lang_raw" / f"{name}_ha.txt.gz" for name in ("voa_news", "common_voice")]
    sample = [text for path in paths for _, text in itertools.islice(store.read_lines(path), 3000)]
    (tmp_path / "hausa.txt").write_text("\n".join(sample), encoding="utf-8")
    alif(tmp_path, "new", "--pack", "ha", "--from", "hausa.txt", "--name", "Hausa", "--native-name", "Hausa")
    shutil.copytree(HAUSA, tmp_path / "ha", dirs_exist_ok=True, ignore=shutil.ignore_patterns("README.md"))
    assert not [path for path in (tmp_path / "ha").rglob("*") if path.suffix == ".py"]
    told = json.loads(alif(tmp_path, "check", "--pack", "ha", "--json").stdout)["findings"]
    assert not [one for one in told if one["kind"] == "wrong"]
    alif(tmp_path, "run", "ha/demo.toml", *(part for line in SHORT for part in ("--set", line)))
    report = json.loads((tmp_path / "runs" / "demo-ha" / "report.json").read_text(encoding="utf-8"))
    assert {score["language"] for score in report["scores"]} >= {"ha", "en"}
