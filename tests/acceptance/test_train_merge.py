"""Issue 11, part 5: the demo's models merged by weight, measured, drawn and exported."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alif import pipeline, store
from alif import recipe as recipes
from alif.errors import DriftError, ModelError
from alif.records import Score
from alif.report import model_card
from alif.report import page as report
from alif.runs import Run
from alif.settings import Recipe


@pytest.fixture
def run(undisturbed: Path, tmp_path: Path) -> Run:
    """A finished short demo, whose measuring and export are to be done again."""
    root = tmp_path / "demo"
    shutil.copytree(undisturbed / "runs" / "demo", root)
    return Run(root)


def load(run: Run, *sets: str) -> Recipe:
    return recipes.load_recipe(run.root / "recipe.toml", list(sets))


def sweep(run: Run, *sets: str) -> dict[str, dict[tuple[str, str, str], float]]:
    """Measure and export again with these settings; return the values by system."""
    recipe = load(run, *sets)
    for step in ("merge", "evaluate", "export"):
        shutil.rmtree(run.folder(step))
    assert pipeline.run_pipeline(recipe, run) == 3
    assert pipeline.run_pipeline(recipe, run) == 0
    found: dict[str, dict[tuple[str, str, str], float]] = {}
    for one in store.read_models(run.folder("evaluate") / "scores.jsonl", Score):
        found.setdefault(one.stage, {})[one.benchmark, one.metric, one.language] = one.value
    return found


def test_merged_models_of_the_demo_are_measured_drawn_and_exported(run: Run) -> None:
    with pytest.raises(DriftError, match="merge was built with this step off, now on"):
        pipeline.run_pipeline(load(run, "merge.weights=[0.5]"), run)
    before = list(store.read_models(run.folder("evaluate") / "scores.jsonl", Score))
    found = sweep(run, "merge.weights=[0.5, 1]", 'export.stage="merge-0.5"')
    assert list(found) == ["base", "pretrain", "finetune", "merge-0.5", "merge-1"]
    assert found["merge-1"] == found["finetune"]  # the whole way
    assert found["merge-0.5"] not in (found["base"], found["finetune"])
    assert [one.value for one in before] == [
        value for stage in ("base", "pretrain", "finetune") for value in found[stage].values()
    ]
    path = report.write_report([run.root])
    model_card.write_cards(run.root)
    assert "Held-out text, 0.5:" in path.read_text(encoding="utf-8")
    later = {row["stage"] for row in store.read_json(path.with_suffix(".json"))["differences"]}
    assert later == {"pretrain", "finetune", "merge-0.5", "merge-1"}
    card = (run.folder("export") / "model" / "README.md").read_text(encoding="utf-8")
    assert "0.5 of the way from the base to the trained model" in card


def test_half_of_ours_and_half_of_a_sibling_that_is_ours_are_ours(undisturbed: Path, run: Run) -> None:
    """The sibling is what another run on this base exported; its weights were rounded to bfloat16."""
    sibling = undisturbed / "runs" / "demo" / "export" / "model"
    found = sweep(run, "merge.weights=[0.5]", f'merge.instruct="{sibling}"', 'export.stage="merge-0.5-0.5"')
    ours, merged = found["finetune"], found["merge-0.5-0.5"]
    for key in (key for key in ours if "bits_per_byte" in key[1]):
        assert merged[key] == pytest.approx(ours[key], abs=5e-3), key
    card = (run.folder("export") / "step.json").read_text(encoding="utf-8")
    assert "merge-0.5-0.5" in card


@pytest.mark.parametrize("instruct", ["./nowhere", "package:no-such-package"])
def test_a_sibling_that_is_not_there_is_said_before_anything_is_paid(instruct: str, tmp_path: Path) -> None:
    demo = recipes.shipped_recipes()["demo"]
    recipe = recipes.load_recipe(demo, ["merge.weights=[0.5]", f'merge.instruct="{instruct}"'])
    with pytest.raises(ModelError, match=r"merge\.instruct"):
        pipeline.run_pipeline(recipe, Run(tmp_path / "demo"))
    assert not (tmp_path / "demo").exists()
