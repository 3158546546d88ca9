from __future__ import annotations

import json
from dataclasses import replace

import pytest

from alif import store
from alif.cost import architecture, gpus, training_plan
from alif.settings import StudentSettings, Tiny
from tests.cost.plans import of

LLAMA_8B, _ = architecture.shape_of(StudentSettings(), Tiny())


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
