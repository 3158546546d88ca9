"""What a study has found: paired differences on the same items, families, verdicts, the frontier."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.ablate.analysis import analyse_study
from alif.ablate.grid import StudyRun
from alif.ablate.measured_items import measured_system
from alif.ablate.study import Study
from alif.evaluate.run_comparison import ItemValues
from alif.records import Score
from tests.ablate.conftest import short_study
from tests.made_up import write_step


def test_the_measured_system_is_what_would_leave_the_run() -> None:
    def measured(*overrides: str) -> str:
        return measured_system(recipes.load_recipe(recipes.shipped_recipes()["demo"], overrides))

    assert measured() == "finetune"
    assert measured('pairs.source="review"') == "prefer"
    assert measured("merge.weights=[0.4, 0.6]") == "merge-0.6"
    assert measured("merge.weights=[0.4, 0.6]", 'export.stage="merge-0.4"') == "merge-0.4"


def test_a_real_study_is_compared_metric_by_metric(study: StudyRun) -> None:
    found = analyse_study(study)
    keys = {(one.benchmark, one.metric, one.language) for one in found.effects}
    assert {("heldout", "bits_per_byte", "ur"), ("heldout", "bits_per_byte", "en")} <= keys
    for one in found.effects:
        assert len(one.seeds) == 2
        assert one.mean.low <= one.mean.value <= one.mean.high
        assert (one.change is None) == (one.point == "16")
    assert [one.point for one in found.tradeoffs] == ["4", "16"]
    assert sum(one.best for one in found.tradeoffs) == pytest.approx(1)
    assert found.saturation.startswith("adapter.rank")
    by_seed = {
        (sibling.seed, score.benchmark, score.metric, score.language): score.value
        for sibling, score in found.scores
        if sibling.point == "4"
    }
    heldout = next(one for one in found.effects if one.point == "4" and one.benchmark == "heldout")
    for seed, value in heldout.seeds.items():
        assert by_seed[seed, "heldout", "bits_per_byte", heldout.language] == pytest.approx(value, abs=1e-5)


def make_up(root: StudyRun, values: dict[str, tuple[float, float]], n: int = 60) -> None:
    """Write what the step evaluate leaves, with bits per byte (taught, source) by point; the base has 2.0."""
    for place, sibling in enumerate(root.siblings, 3):
        evaluated = sibling.run.folder("evaluate")
        for system, bits in (("base", (2.0, 2.0)), ("finetune", values[sibling.point])):
            rows = [
                ItemValues(
                    benchmark="heldout",
                    metric="bits_per_byte",
                    language=language,
                    signature="s",
                    lower_is_better=True,
                    ids=tuple(map(str, range(n))),
                    amounts=tuple(
                        100 * one + 4 * (number % 7 - 3) + (number * place % 11 - 5) / 2
                        for number in range(n)
                    ),
                    sizes=(100.0,) * n,
                    groups=(0,) * n,
                    clusters=tuple(range(n)),
                )
                for language, one in zip(("ur", "en"), bits, strict=True)
            ]
            store.write_rows(evaluated / system / "heldout" / "items.jsonl", rows)
        score = {"stage": "finetune", "benchmark": "heldout", "metric": "bits_per_byte", "language": "ur"}
        store.write_rows(
            evaluated / "scores.jsonl", [Score(**score, value=1, low=1, high=1, n=n, signature="")]
        )
        write_step(sibling.run.root, "evaluate", None)


@pytest.fixture
def ranks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyRun:
    monkeypatch.chdir(tmp_path)
    over = {"adapter.rank": (4, 8, 16, 32)}
    study = Study(over=over, seeds=1, reference={"adapter.rank": 32}, saturation="adapter.rank")
    return short_study(study, "made-up", "evaluate.bootstrap_samples=400")


def test_a_dominated_point_is_told_from_the_frontier(ranks: StudyRun) -> None:
    make_up(ranks, {"4": (1.5, 2.0), "8": (1.2, 2.01), "16": (1.0, 2.1), "32": (1.3, 2.2)})
    found = analyse_study(ranks)
    assert {one.point: one.frontier for one in found.tradeoffs} == {"4": 1, "8": 1, "16": 1, "32": 0}
    assert found.choice is not None
    assert found.choice.best == "8"  # 16 gains more, and loses more English than 2 %
    assert found.choice.sure


def test_english_is_a_question_of_non_inferiority_and_the_taught_language_of_better(ranks: StudyRun) -> None:
    make_up(ranks, {"4": (1.5, 1.99), "8": (1.2, 2.01), "16": (1.0, 2.1), "32": (1.2, 2.0)})
    verdicts = {
        (one.point, one.language): one.change.verdict for one in analyse_study(ranks).effects if one.change
    }
    assert verdicts == {
        ("4", "ur"): "worse", ("8", "ur"): "cannot tell", ("16", "ur"): "better",
        ("4", "en"): "retained", ("8", "en"): "retained", ("16", "en"): "lost",
    }  # fmt: skip
    families = {one.change.family for one in analyse_study(ranks).effects if one.change}
    assert families == {"heldout, bits_per_byte, ur: 3 tests", "heldout, bits_per_byte, en: 3 tests"}


def test_saturation_is_the_smallest_value_that_is_not_inferior(ranks: StudyRun) -> None:
    make_up(ranks, {"4": (1.5, 2.0), "8": (1.21, 2.0), "16": (1.2, 2.0), "32": (1.2, 2.0)})
    assert analyse_study(ranks).saturation.startswith("adapter.rank saturates at 8 here")
    make_up(ranks, {"4": (1.5, 2.0), "8": (1.4, 2.0), "16": (1.3, 2.0), "32": (1.2, 2.0)})
    assert analyse_study(ranks).saturation.startswith("adapter.rank: no smaller value is shown")


def test_what_is_tuned_is_chosen_on_validation_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = Study(over={"adapter.rank": (8, 16)}, tune={"pretrain.lr": (0.1, 0.2)}, seeds=2)
    found = short_study(study)
    assert study.runs == len(found.siblings) == 8
    make_up(found, {"8": (1.5, 2.0), "16": (1.5, 2.0)})
    for sibling in found.siblings:
        good = sibling.settings["pretrain.lr"] == (0.1 if sibling.point == "8" else 0.2)
        score = {
            "stage": "finetune",
            "benchmark": "answers",
            "metric": "answer_bits_per_byte",
            "language": "ur",
        }
        value = 1.0 if good else 1.1
        rows = [Score(**score, value=value, low=value, high=value, n=9, signature="")]
        store.write_rows(sibling.run.folder("evaluate") / "scores.jsonl", rows)
    analysis = analyse_study(found)
    assert analysis.tuned == {"16": "pretrain.lr 0.2", "8": "pretrain.lr 0.1"}
    assert all(len(one.seeds) == 2 for one in analysis.effects)
    assert len(analysis.scores) == 8  # the table has them all


def test_siblings_that_are_not_measured_are_left_out(ranks: StudyRun) -> None:
    make_up(ranks, dict.fromkeys(("4", "8", "16", "32"), (1.5, 2.0)))
    for sibling in ranks.siblings:
        if sibling.point in ("8", "32"):
            (sibling.run.folder("evaluate") / "step.json").unlink()
    found = analyse_study(ranks)
    assert {one.point for one in found.effects} == {"4", "16"}
    assert found.tradeoffs == []  # the reference is missing
    assert found.choice is None
    for sibling in ranks.siblings:
        (sibling.run.folder("evaluate") / "step.json").unlink(missing_ok=True)
    assert analyse_study(ranks).effects == []
