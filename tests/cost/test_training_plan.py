from __future__ import annotations

import json
import subprocess
import sys

import pytest

from alif import recipe as recipes
from alif.commands import plan
from alif.cost import gpus, training_plan
from alif.errors import ModelError, RecipeError
from tests.cost.plans import of


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


@pytest.mark.parametrize("name", recipes.shipped_recipes())
def test_every_shipped_recipe_is_planned_and_shown(name, tmp_path, capsys):
    recipe = of(name)
    if recipe.corpus.source[0] not in ("pack",) and not recipe.corpus.source[0].startswith("hub:"):
        pytest.skip("its text is the user's")
    plan.show_plan(training_plan.plan_training(recipe, "H200", tmp_path))
    assert "total" in capsys.readouterr().out


def test_a_base_that_is_not_known_is_a_sentence(tmp_path):
    with pytest.raises(ModelError, match="no architecture"):
        training_plan.plan_training(of("urdu-8b", 'student.base="nobody/nothing"'), "h200", tmp_path)


def test_a_plan_loads_no_torch():
    imports = "import sys; from alif.commands import plan; from alif.cost import training_plan"
    code = f"{imports}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
