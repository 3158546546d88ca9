"""Each signature leads to the records that could explain it, and to a key that the recipe has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alif.facts.evaluation_facts import Comparison
from alif.records import Score
from alif.report.failure_causes import CAUSES, ENGLISH_LOSS, find_causes
from alif.report.page import report_document
from alif.report.snapshot import RunSnapshot, read_run
from tests import made_up


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunSnapshot:
    return read_run(made_up.build(tmp_path_factory.mktemp("runs")))


def with_share(run: RunSnapshot, metric: str, value: float) -> RunSnapshot:
    score = Score(
        stage=run.last_stage, benchmark="fidelity", metric=metric, language="ur", value=value, low=0, high=1,
        n=100, signature="x",
    )  # fmt: skip
    return replace(run, scores=[score], differences=[])


def test_wrong_letters_lead_to_the_tokenizer_and_to_stage_1(run: RunSnapshot) -> None:
    found = {one.recipe_key: one for one in find_causes(with_share(run, "lookalike_letters", 0.12))}
    assert set(found) == {"student.added_tokens", "corpus.source"}
    assert all((one.signature, one.share) == ("lookalike_letters", 0.12) for one in found.values())
    assert found["corpus.source"].suspected
    assert found["student.added_tokens"].suspected is None  # the made-up base was not measured


def test_repetition_leads_to_the_pool_and_the_seeds(run: RunSnapshot) -> None:
    found = {one.recipe_key: one for one in find_causes(with_share(run, "repetition", 0.3))}
    assert set(found) == {"generate.slots", "pool.threshold", "seeds.source"}


def test_a_lost_source_language_leads_to_replay_and_the_learning_rates(run: RunSnapshot) -> None:
    lost = Comparison(
        stage=run.last_stage, against="base", benchmark="choices", metric="accuracy", language="en",
        difference=-0.04, low=-0.06, high=-0.02, p=0.001, p_holm=0.001, detectable=0.01, n=1000, margin=0.01,
        verdict="lost",
    )  # fmt: skip
    found = find_causes(replace(run, scores=[], differences=[lost]))
    assert {one.signature for one in found} == {ENGLISH_LOSS}
    assert {one.recipe_key for one in found} == {
        "blend.replay.rows", "pretrain.replay", "pretrain.lr", "finetune.lr",
    }  # fmt: skip
    assert {one.share for one in found} == {0.04}
    kept = lost.model_copy(update={"verdict": "retained"})
    assert find_causes(replace(run, scores=[], differences=[kept])) == []


def test_a_rare_signature_is_not_listed_and_a_missing_record_suspects_nothing(run: RunSnapshot) -> None:
    assert find_causes(with_share(run, "lookalike_letters", 0.001)) == []
    found = find_causes(replace(with_share(run, "lookalike_letters", 0.5), steps={}))
    assert {(one.value, one.suspected) for one in found} == {(None, None)}


def test_every_key_is_one_of_the_recipe(run: RunSnapshot) -> None:
    for cause in CAUSES:
        table, _, key = cause.recipe_key.partition(".")
        tables = getattr(run.recipe, table)
        assert key.partition(".")[0] in (
            tables if isinstance(tables, dict) else type(tables).model_fields
        ) or (table == "blend")


def test_report_json_has_them(run: RunSnapshot) -> None:
    causes = report_document(with_share(run, "repetition", 0.3))["causes"]
    assert isinstance(causes, list)
    assert {one["recipe_key"] for one in causes} == {"generate.slots", "pool.threshold", "seeds.source"}
