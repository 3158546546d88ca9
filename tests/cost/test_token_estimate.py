from __future__ import annotations

import gzip

import pytest

from alif.cost import token_estimate, training_plan
from alif.facts.training_facts import (
    BaseFacts,
    FertilityFacts,
    PreferFacts,
    PretrainFacts,
    TokenizerFertility,
)
from alif.runs import Run
from tests.cost.plans import finish, of


def test_new_tokens_make_the_model_larger_and_the_text_shorter(tmp_path):
    plain, more = (
        training_plan.plan_training(of("urdu-8b", *sets), "h200", tmp_path)
        for sets in ((), ("student.added_tokens=16000",))
    )
    assert (
        more["parameters"] - plain["parameters"]
        == more["trainable"] - plain["trainable"]
        == 2 * 16_000 * 4096
    )
    assert more["stages"][0]["total_gb"] > plain["stages"][0]["total_gb"] + 131_072_000 * 16 / 1e9
    ratio = {
        end: more["stages"][0]["tokens"][end] / plain["stages"][0]["tokens"][end]
        for end in ("low", "mid", "high")
    }
    assert ratio == pytest.approx({"low": 0.4, "mid": 0.45, "high": 0.6})
    few = training_plan.plan_training(of("urdu-8b", "student.added_tokens=1000"), "h200", tmp_path)["stages"][
        0
    ]["tokens"]["mid"]
    assert more["stages"][0]["tokens"]["mid"] < few < plain["stages"][0]["tokens"]["mid"]
    english = {one["what"].partition(":")[0]: one for one in more["stages"][1]["from"]}
    assert english["replay"]["mark"] == "assumed"
    assert (
        english["replay"]["mid"]
        == {o["what"].partition(":")[0]: o for o in plain["stages"][1]["from"]}["replay"]["mid"]
    )


def test_what_a_base_with_new_tokens_has_counted_is_used(tmp_path):
    plain, extended = (
        TokenizerFertility(
            tokens=9, words=3, tokens_per_word=per_word, bytes_per_token=3, unknown=0, part_of_a_letter=0
        )
        for per_word in (3.0, 1.5)
    )
    finish(
        tmp_path / "urdu-8b" / "base",
        BaseFacts(
            base="x", revision="", parameters=1, digest="", quantise="none", tokenizer={"ur": plain},
            tokenizer_cost=2.0, extended=FertilityFacts(tokenizer={"ur": extended}, tokenizer_cost=1.0),
        ),
    )  # fmt: skip
    plain, more = (
        training_plan.plan_training(of("urdu-8b", *sets), "h200", tmp_path)
        for sets in ((), ("student.added_tokens=100",))
    )
    assert more["stages"][0]["tokens"]["high"] == plain["stages"][0]["tokens"]["high"] / 2


def test_what_a_run_has_counted_is_measured(tmp_path):
    facts = PretrainFacts(
        steps=9, tokens=123_000_000, first_loss=3.0, last_loss=2.0, trainable=1, parameters=2,
        trainable_percent=50, rows=3, fill=1, labelled=4, replay_documents=0, replay_share=0,
    )  # fmt: skip
    finish(tmp_path / "urdu-8b" / "pretrain", facts)
    found = training_plan.plan_training(of("urdu-8b"), "h200", tmp_path)
    assert found["stages"][0]["tokens"]["mid"] == 123_000_000
    assert found["stages"][0]["from"][0]["mark"] == "measured"


@pytest.mark.shared
@pytest.mark.parametrize("name", ["small", "small-paper", "small-no-replay"])
def test_a_recipe_of_ones_own_text_counts_what_lies_there(name, shared_data, tmp_path):
    found = training_plan.plan_training(of(name, f'sources.folder="{shared_data}"'), "t4", tmp_path)
    assert found["fits"]
    assert {one["mark"] for one in found["stages"][0]["from"]} <= {"measured", "assumed"}
    assert found["stages"][0]["tokens"]["mid"] > 100_000


def test_a_packed_file_counts_by_what_is_in_it(tmp_path):
    content = b"\xd9\xbe\xd8\xa7\xd9\x86\xdb\x8c\n" * 1000  # "water"
    (tmp_path / "a.txt").write_bytes(content)
    with gzip.open(tmp_path / "b.txt.gz", "wb") as file:
        file.write(content)
    plain, packed = (
        token_estimate.pretrain_tokens(
            of("demo", f'corpus.source="{tmp_path}/{name}"'), Run(tmp_path), 128_256
        )
        for name in ("a.txt", "b.txt.gz")
    )
    assert plain[0].mid == packed[0].mid > 1000


def test_rows_of_a_part_are_at_most_those_that_it_has(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n" * 7, encoding="utf-8")
    sets = (f'blend.mine.source="{rows}"', "generate.target_rows=0", "translate.rows=0", "replay.rows=0")
    for wanted, what in ((0, "mine: 7 rows"), (3, "mine: 3 rows"), (9, "mine: 7 rows")):
        found = token_estimate.finetune_tokens(
            of("demo", *sets, f"blend.mine.rows={wanted}"), Run(tmp_path), 128_256
        )
        assert [count.what for count in found] == [what]


def test_a_tokenizer_that_was_measured_counts(tmp_path):
    recipe = of("urdu-8b")
    plain, twice = (
        training_plan.plan_training(recipe, "h200", tmp_path, measured)["stages"] for measured in (None, 1.39)
    )
    for stage, double in zip(plain, twice, strict=True):  # Llama-3 takes 2.78 bytes of Urdu a token
        assert double["tokens"]["mid"] == pytest.approx(2 * stage["tokens"]["mid"], rel=1e-6)
        assert double["hours"]["mid"] == pytest.approx(2 * stage["hours"]["mid"], rel=0.02)


def test_pairs_cost_a_third_stage_and_dpo_a_reference(tmp_path):
    (tmp_path / "pairs.jsonl").write_text("{}\n" * 1000)
    sets = ['pairs.source=["pairs.jsonl", "review"]', "review.share=0.1", f'sources.folder="{tmp_path}"']
    plain, orpo, dpo = (
        training_plan.plan_training(of("demo", *more), "h200", tmp_path)
        for more in ((), sets, (*sets, 'prefer.loss="dpo"'))
    )
    assert [stage["stage"] for stage in plain["stages"]] == ["pretrain", "finetune"]
    stage, with_reference = orpo["stages"][2], dpo["stages"][2]
    assert stage["stage"] == "prefer"
    assert [one["what"].partition(":")[0] for one in stage["from"]] == ["pairs, files", "pairs, review"]
    assert stage["tokens"]["mid"] > 2000 * 50
    assert with_reference["gflop_a_token"] == pytest.approx(1.5 * stage["gflop_a_token"], rel=0.2)
    facts = PreferFacts(
        loss="orpo", pairs=3, first_margin=0.0, last_margin=1.0, preferred=1.0, steps=1, tokens=777,
        first_loss=1.0, last_loss=0.5, trainable=1, parameters=2, trainable_percent=50.0, rows=1, fill=1.0,
        labelled=9,
    )  # fmt: skip
    finish(tmp_path / "demo" / "prefer", facts)
    assert (
        training_plan.plan_training(of("demo", *sets), "h200", tmp_path)["stages"][2]["tokens"]["mid"] == 777
    )


def test_a_share_of_the_mixture_is_counted_from_the_other_parts_and_repeats_count(tmp_path):
    sets = ("replay.rows=0", "replay.share=0.2", "blend.generate.repeat=2", "translate.rows=0")
    found = {
        one.what.partition(":")[0]: one.mid
        for one in token_estimate.finetune_tokens(of("urdu-8b", *sets), Run(tmp_path), 128_256)
    }
    assert found["replay"] / sum(found.values()) == pytest.approx(0.2)
    plain = token_estimate.finetune_tokens(of("urdu-8b"), Run(tmp_path), 128_256)
    assert found["generate"] == pytest.approx(2 * plain[0].mid)
