"""Reading a run: typed facts or a sentence, running trainings, packs that are gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError
from alif.facts.data_facts import GenerateFacts, SeedsFacts
from alif.records import STAGE_NAMES, Score
from alif.report import summary
from alif.report.snapshot import read_run, sample_dropped, sample_examples
from tests import made_up
from tests.report.conftest import set_in_recipe


def test_facts_are_typed_and_those_of_another_version_are_refused(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="seeds")
    facts = read_run(root).facts("seeds", SeedsFacts)
    assert facts is not None
    assert facts.tasks["qa"] >= 60
    assert read_run(root).facts("generate", GenerateFacts) is None
    path = root / "seeds" / "step.json"
    record = store.read_json(path)
    record["counts"]["facts"]["accepted_tasks"] = record["counts"]["facts"].pop("tasks")
    store.write_json(path, record)
    with pytest.raises(DataError, match="facts of another version of alif"):
        read_run(root).facts("seeds", SeedsFacts)


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="pretrain")
    path = run / "runtime" / "pretrain" / "curve.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[-1].replace('"step": 180', '"step": 181')[:-9]]))
    assert read_run(run).curves["pretrain"][-1]["step"] == 180


def test_a_step_that_a_resumed_training_wrote_twice_counts_once(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="base")
    rows = [{"step": step, "loss": loss} for step, loss in ((1, 3.0), (2, 2.5), (2, 2.0), (3, 1.5))]
    store.write_rows(run / "runtime" / "base" / "curve.jsonl", rows)
    assert [point["loss"] for point in read_run(run).curves["base"]] == [3.0, 2.0, 1.5]


def test_a_language_whose_pack_is_gone_goes_by_its_name(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="seeds")
    set_in_recipe(root, "language", pack="gone/xx")
    run = read_run(root)
    assert (run.target.code, run.target.direction, run.target.pack) == ("xx", "ltr", None)
    assert run.language("en").name == "English"


def test_other_systems_than_the_stages_come_after_them(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    path = root / "evaluate" / "scores.jsonl"
    scores = list(store.read_models(path, Score))
    other = scores[0].model_copy(update={"stage": "qalb"})
    store.write_rows(path, [other, *scores])
    assert list(read_run(root).systems) == [*STAGE_NAMES, "qalb"]
    assert read_run(root).score("qalb", "bits_per_byte", "ur") == other


def test_a_third_stage_is_the_last_one_where_it_was_measured(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    assert read_run(root).last_stage == "finetune"
    path = root / "evaluate" / "scores.jsonl"
    scores = list(store.read_models(path, Score))
    third = [one.model_copy(update={"stage": "prefer"}) for one in scores if one.stage == "finetune"]
    store.write_rows(path, [*scores, *third])
    run = read_run(root)
    assert run.last_stage == "prefer"
    assert run.systems == {**STAGE_NAMES, "prefer": "stage 3"}
    assert [one.title for one in summary.headlines(run)][1:] == [
        "Urdu answers, after stage 3",
        "English text, after stage 3",
    ]


def test_sample_rows_are_of_many_tasks_and_all_reasons(tmp_path: Path) -> None:
    run = read_run(made_up.build(tmp_path))
    seeds = sample_examples(run)["seeds"]
    assert len({row.task for row in seeds}) == len(seeds) == 3
    dropped = {row.reason: row for _, row in sample_dropped(run)}
    assert dropped["truncated"].evidence == "finish: length"
    assert dropped["near_duplicate"].nearest is not None
    assert {step for step, _ in sample_dropped(run)} == {"generate"}
