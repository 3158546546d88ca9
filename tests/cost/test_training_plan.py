from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import settings, store
from alif.commands import plan
from alif.cost import architecture, gpus, training_plan
from alif.errors import ModelError, RecipeError
from alif.facts.training_facts import BaseFacts, FertilityFacts, PretrainFacts, TokenizerFertility
from alif.records import Counts, FrozenModel
from alif.runs import FORMAT, StepRecord
from alif.settings import StudentSettings, Tiny

LLAMA_8B, _ = architecture.shape_of(StudentSettings(), Tiny())


def of(name: str, *sets: str) -> settings.Recipe:
    return recipes.load_recipe(recipes.shipped_recipes()[name], sets)


def finish(folder: Path, facts: FrozenModel) -> None:
    """Write the record of a step that is done."""
    record = StepRecord(
        format=FORMAT, step=folder.name, state="done", fingerprint="", identity={}, cost_usd=0, seconds=0,
        counts=Counts(kept=1, facts=facts.model_dump(mode="json")),
    )  # fmt: skip
    store.write_json(folder / "step.json", record.model_dump(mode="json"))


def test_the_paper_on_an_h200_takes_a_few_hours(tmp_path):
    found = training_plan.plan_training(of("urdu-8b"), "h200", tmp_path)
    assert found["trainable_percent"] == 14.721
    assert found["fits"]
    assert 2.5 < found["hours"]["low"] < found["hours"]["mid"] < 4.5 < found["hours"]["high"] < 6
    assert found["usd"]["low"] == pytest.approx(2.0 * found["hours"]["low"], abs=0.02)
    assert {row["mark"] for row in found["inputs"]} == {"measured", "shipped", "assumed"}
    assert sum(found["stages"][0]["memory_gb"].values()) == pytest.approx(
        found["stages"][0]["total_gb"], abs=0.1
    )
    json.dumps(found, allow_nan=False)


def test_what_does_not_fit_is_told_what_to_change_and_then_fits(tmp_path):
    found = training_plan.plan_training(of("urdu-8b"), "4090", tmp_path)
    assert not found["fits"]
    cures = found["stages"][0]["cures"]
    assert (
        cures[0]["set"] == "runtime.gradient_checkpointing=true"
    )  # nothing that harms the result comes before it
    assert [cure["fits"] for cure in cures] == [False] * (len(cures) - 1) + [True]
    sizes = [cure["then_gb"] for cure in cures]
    assert sizes == sorted(sizes, reverse=True)
    cured = training_plan.plan_training(of("urdu-8b", *(cure["set"] for cure in cures)), "4090", tmp_path)
    assert cured["stages"][0]["fits"]
    assert cured["stages"][0]["total_gb"] == pytest.approx(sizes[-1], abs=0.1)
    for left_out in cures:  # none is there for nothing
        kept = [cure["set"] for cure in cures if cure is not left_out]
        assert not training_plan.plan_training(of("urdu-8b", *kept), "4090", tmp_path)["stages"][0]["fits"]


def test_what_cannot_be_made_to_fit_is_told_so(tmp_path):
    shape = LLAMA_8B.model_dump() | {"hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80}
    store.write_json(tmp_path / "llama-70b" / "config.json", shape | {"num_attention_heads": 64})
    found = training_plan.plan_training(
        of("urdu-8b", f'student.base="{tmp_path}/llama-70b"', 'student.revision=""'), "t4", tmp_path
    )
    assert found["stages"][0]["cures"][-1] == {
        "set": "student.base", "harm": "another, smaller model", "then_gb": None, "fits": None,
    }  # fmt: skip
    assert found["inputs"][0]["mark"] == "measured"  # its config.json lies here


def test_parts_of_a_model_are_not_advised_fewer_bits_than_they_can_have(tmp_path, monkeypatch):
    monkeypatch.setitem(
        gpus.GPUS, "t4", replace(gpus.GPUS["t4"], bfloat16=True)
    )  # float16 is not shared out at all
    alone, shared = (
        training_plan.plan_training(of("urdu-8b", "runtime.gpus=2", *more), "t4", tmp_path)
        for more in ((), ("runtime.fsdp=true",))
    )
    told = [json.dumps([stage["cures"] for stage in found["stages"]]) for found in (alone, shared)]
    assert "adamw_8bit" in told[0]
    assert "quantization" in told[0]
    assert "adamw_8bit" not in told[1]
    assert "quantization" not in told[1]


def test_four_bits_count_in_memory_in_time_and_in_the_inputs(tmp_path):
    half, four = (
        training_plan.plan_training(of("urdu-8b", *sets), "4090", tmp_path)
        for sets in ((), ('student.quantization="4bit"',))
    )
    saved = half["stages"][0]["memory_gb"]["base"] - four["stages"][0]["memory_gb"]["base"]
    assert saved == pytest.approx(6_979_321_856 * (2 - 0.515869) / 1e9, abs=0.02)
    assert four["hours"]["mid"] == pytest.approx(half["hours"]["mid"] / 0.78, rel=0.01)
    marks = {row["what"]: row["mark"] for row in four["inputs"]}
    assert marks["4-bit base"] == marks["4-bit speed"] == "measured"
    assert four["disk_gb"] == half["disk_gb"]  # the base lies there in 16 bits


def test_an_eight_bit_optimiser_counts_in_memory_and_on_disk(tmp_path):
    sets = ('pretrain.optimizer="adamw_8bit"', 'finetune.optimizer="adamw_8bit"')
    full, eight = (training_plan.plan_training(of("urdu-8b", *more), "h200", tmp_path) for more in ((), sets))
    saved = 1_386_217_472 * (8 - 2.03125) / 1e9
    assert full["stages"][0]["total_gb"] - eight["stages"][0]["total_gb"] == pytest.approx(saved, abs=0.1)
    assert full["disk_gb"] - eight["disk_gb"] == pytest.approx(2 * saved, abs=0.2)
    assert full["hours"] == eight["hours"]


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


def test_the_papers_padding_costs_hours(tmp_path):
    ours, paper = (
        training_plan.plan_training(of(name), "a100", tmp_path) for name in ("urdu-8b", "urdu-8b-paper")
    )
    assert paper["hours"]["low"] > 2 * ours["hours"]["low"]
    assert paper["hours"]["low"] < 39 < paper["hours"]["high"]  # what the paper reports
    assert "padding" in {row["what"] for row in paper["inputs"]}


@pytest.mark.parametrize("gpu", gpus.GPUS)
@pytest.mark.parametrize("name", recipes.shipped_recipes())
def test_every_shipped_recipe_fits_every_gpu_or_is_told_how(name, gpu, tmp_path):
    recipe = of(name)
    if recipe.corpus.source[0] != "pack" and not recipe.corpus.source[0].startswith("hub:"):
        pytest.skip("its text is the user's")
    for stage in training_plan.plan_training(recipe, gpu, tmp_path)["stages"]:
        harms = [cure["set"].partition("=")[0].removeprefix(f"{stage['stage']}.") for cure in stage["cures"]]
        order = [
            "micro_batch_size",
            "runtime.gradient_checkpointing",
            "optimizer",
            "max_seq_length",
            "student.quantization",
            "adapter.rank",
        ]
        order += ["adapter.targets"]
        assert harms == sorted(harms, key=order.index)
        assert stage["fits"] or stage["cures"][-1]["fits"]


@pytest.mark.parametrize("name", ["urdu-3b-16gb", "urdu-1b", "urdu-0.6b", "urdu-local"])
def test_the_small_recipes_fit_sixteen_gigabytes(name, tmp_path):
    found = training_plan.plan_training(of(name), "t4", tmp_path)
    assert found["fits"]
    assert all(stage["total_gb"] < 15 for stage in found["stages"])


def test_sharding_needs_less_on_each_gpu_and_copies_do_not(tmp_path):
    one, copies, shared = (
        training_plan.plan_training(
            of("urdu-8b", *sets, "pretrain.batch_size=16", "finetune.batch_size=16"), "a100", tmp_path
        )
        for sets in ((), ("runtime.gpus=8",), ("runtime.gpus=8", "runtime.fsdp=true"))
    )
    assert shared["stages"][0]["total_gb"] < one["stages"][0]["total_gb"] < copies["stages"][0]["total_gb"]
    assert copies["hours"]["mid"] == pytest.approx(one["hours"]["mid"] / 8, rel=0.01)
    assert copies["usd"]["mid"] == pytest.approx(one["usd"]["mid"], rel=0.01)


def test_what_would_be_refused_is_not_planned(tmp_path):
    shared = ("runtime.gpus=4", "runtime.fsdp=true")
    with pytest.raises(RecipeError, match="a base in 4 bits"):
        training_plan.plan_training(of("urdu-8b", *shared, 'student.quantization="4bit"'), "h100", tmp_path)
    with pytest.raises(RecipeError, match=r'finetune.optimizer = "adamw_8bit"'):
        training_plan.plan_training(
            of("urdu-8b", *shared, 'finetune.optimizer="adamw_8bit"'), "h100", tmp_path
        )
    with pytest.raises(RecipeError, match="float16"):
        training_plan.plan_training(of("urdu-8b", *shared), "t4", tmp_path)
    with pytest.raises(RecipeError, match="batch_size = 12"):
        training_plan.plan_training(of("urdu-8b", "runtime.gpus=8"), "h100", tmp_path)
    marks = {
        row["what"]: row["mark"]
        for row in training_plan.plan_training(of("urdu-8b", *shared), "h100", tmp_path)["inputs"]
    }
    assert marks["several GPUs"] == "assumed"


def test_what_a_run_has_counted_is_measured(tmp_path):
    facts = PretrainFacts(
        steps=9, tokens=123_000_000, first_loss=3.0, last_loss=2.0, trainable=1, parameters=2,
        trainable_percent=50, rows=3, fill=1, labelled=4, replay_documents=0, replay_share=0,
    )  # fmt: skip
    finish(tmp_path / "urdu-8b" / "pretrain", facts)
    found = training_plan.plan_training(of("urdu-8b"), "h200", tmp_path)
    assert found["stages"][0]["tokens"]["mid"] == 123_000_000
    assert found["stages"][0]["from"][0]["mark"] == "measured"


@pytest.mark.parametrize("name", recipes.shipped_recipes())
def test_every_shipped_recipe_is_planned_and_shown(name, tmp_path, capsys):
    recipe = of(name)
    if recipe.corpus.source[0] not in ("pack",) and not recipe.corpus.source[0].startswith("hub:"):
        pytest.skip("its text is the user's")
    plan.show_plan(training_plan.plan_training(recipe, "H200", tmp_path))
    assert "total" in capsys.readouterr().out


@pytest.mark.shared
@pytest.mark.parametrize("name", ["small", "small-paper", "small-no-replay"])
def test_a_recipe_of_ones_own_text_counts_what_lies_there(name, shared_data, tmp_path):
    found = training_plan.plan_training(of(name, f'sources.folder="{shared_data}"'), "t4", tmp_path)
    assert found["fits"]
    assert {one["mark"] for one in found["stages"][0]["from"]} <= {"measured", "assumed"}
    assert found["stages"][0]["tokens"]["mid"] > 100_000


def test_bad_names_are_sentences(tmp_path):
    with pytest.raises(RecipeError, match="--gpu tpu: no such GPU"):
        training_plan.plan_training(of("urdu-8b"), "tpu", tmp_path)
    with pytest.raises(ModelError, match="no architecture"):
        training_plan.plan_training(of("urdu-8b", 'student.base="nobody/nothing"'), "h200", tmp_path)
    assert gpus.find_gpu("T4") is gpus.GPUS["t4"]


def test_a_plan_loads_no_torch():
    imports = "import sys; from alif.commands import plan; from alif.cost import training_plan"
    code = f"{imports}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
