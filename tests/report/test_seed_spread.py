"""Training seeds apart: which runs are seeds of one recipe, and how far they lie apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.commands.results import compare_with_first
from alif.report import page as report
from alif.report.seed_spread import group_seeds, measure_spread, title_group
from alif.report.snapshot import read_run
from tests import made_up
from tests.report.conftest import set_in_recipe


def seeded(folder: Path, name: str, seed: int, english: float = 2.31) -> Path:
    run = made_up.build(folder, name, english_after=english)
    set_in_recipe(run, "finetune", seed=seed)
    return run


def test_runs_that_differ_by_training_seeds_alone_are_one_group(tmp_path: Path) -> None:
    runs = [seeded(tmp_path, f"s{seed}", seed) for seed in (1, 2)]
    other = seeded(tmp_path, "more", 3)
    set_in_recipe(other, "finetune", epochs=3)
    asked = seeded(tmp_path, "asked", 4)
    set_in_recipe(asked, "evaluate", seed=9)  # other questions, not another training
    again = seeded(tmp_path, "again", 1)
    groups = group_seeds([read_run(one) for one in (runs[0], other, asked, runs[1], again)])
    assert [[run.name for run in group] for group in groups] == [["s1", "s2"], ["more"], ["asked"], ["again"]]
    assert [title_group(group) for group in groups[:2]] == ["s1, s2 (2 seeds)", "more"]
    assert measure_spread(groups[1]) == []


def test_seeds_are_points_with_a_mean_and_their_own_spread(tmp_path: Path) -> None:
    runs = [seeded(tmp_path, f"s{n}", n, english) for n, english in ((1, 2.30), (2, 2.40), (3, 2.56))]
    (group,) = group_seeds([read_run(run) for run in runs])
    found = {(one.benchmark, one.language): one for one in measure_spread(group)}
    text = found["heldout", "en"]
    assert [point.value for point in text.points] == [2.30, 2.40, 2.56]
    assert [point.place for point in text.points] == [0.0, 38.5, 100.0]
    assert (text.mean, text.spread) == (2.42, pytest.approx(0.131149, abs=1e-6))
    assert (text.points[0].low, text.points[0].high) == (pytest.approx(2.25), pytest.approx(2.35))
    assert text.shown_spread == "0.131 bits per byte"
    assert found["arc_easy", "en"].spread == 0
    assert {point.place for point in found["arc_easy", "en"].points} == {50.0}

    path = report.write_report(runs)
    document = store.read_json(path.with_suffix(".json"))
    assert [*document["seeds"]] == ["s1, s2, s3 (3 seeds)"]
    text_html = path.read_text(encoding="utf-8")
    assert "Training seeds, shown apart" in text_html
    assert "± 0.131 bits per byte" in text_html
    assert "of two it says little" not in text_html
    assert "Training seeds: s1, s2, s3" in path.with_suffix(".md").read_text(encoding="utf-8")


def test_runs_of_other_recipes_have_no_such_section(tmp_path: Path) -> None:
    runs = [made_up.build(tmp_path, "one"), made_up.build(tmp_path, "two", replay=0)]
    assert compare_with_first(runs) == []  # without scores item by item
    path = report.write_report(runs, compare_with_first(runs))
    assert store.read_json(path.with_suffix(".json"))["seeds"] == {}
    page = path.read_text(encoding="utf-8")
    assert "shown apart" not in page
    assert "No items are paired" in page
