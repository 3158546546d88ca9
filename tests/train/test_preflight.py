from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM

from alif import recipe as recipes
from alif.train.preflight import student_problems
from tests.student.test_sibling import publish

DEMO = recipes.shipped_recipes()["demo"]


def problems(*sets, **options):
    return [one.message for one in student_problems(recipes.load_recipe(DEMO, list(sets)), **options)]


def test_the_demo_has_no_problem():
    assert problems(offline=True) == []


@pytest.mark.parametrize("with_base", [True, False])
def test_batch_and_tracker_are_looked_at_and_the_base_only_where_asked(with_base, monkeypatch):
    monkeypatch.setattr("alif.train.tracker.find_spec", lambda name: None)
    sets = ("finetune.micro_batch_size=3", 'runtime.tracker="wandb"', 'student.base="./nowhere"')
    found = problems(*sets, offline=True, with_base=with_base)
    assert len(found) == 2 + with_base
    assert "not a multiple" in found[0]
    assert "wandb" in found[1]


def test_without_torch_a_run_is_refused_and_a_check_is_not(monkeypatch):
    monkeypatch.setattr("alif.train.preflight.find_spec", lambda name: None)
    assert problems('student.base="./nowhere"', offline=True) == []
    assert "training" in problems('student.base="./nowhere"', offline=False)[0]


def test_dpo_on_a_base_in_4_bits_is_refused_before_anything_is_paid():
    sets = ('prefer.loss="dpo"', 'student.quantization="4bit"')
    assert problems(*sets, offline=True) == []
    (found,) = problems(*sets, 'pairs.source="review"', offline=True)
    assert "which rounds its reference" in found


def test_the_stage_of_pairs_is_looked_at_where_there_are_pairs():
    assert problems("prefer.batch_size=3", "prefer.micro_batch_size=2", offline=True) == []
    (found,) = problems(
        "prefer.batch_size=3", "prefer.micro_batch_size=2", 'pairs.source="p.jsonl"', offline=True
    )
    assert "prefer.batch_size = 3 is not a multiple" in found


def test_an_export_that_the_recipe_does_not_make_is_said():
    assert problems("merge.weights=[0.6]", 'export.stage="merge-0.6"', offline=True) == []
    (found,) = problems("merge.weights=[0.6]", 'export.stage="merge-0.7"', offline=True)
    assert 'export.stage = "merge-0.7": this recipe makes no such model' in found


def test_a_sibling_is_looked_at_before_training(tmp_path):
    sets = ("merge.weights=[0.6]", f'student.base="{publish(tmp_path / "base")}"', "merge.instruct=")

    def found(instruct):
        told = problems(*sets[:2], f'{sets[2]}"{instruct}"', "pretrain.max_seq_length=64", offline=True)
        return [one for one in told if "merge.instruct" in one]

    assert found(publish(tmp_path / "base")) == []  # the same weights: said when both digests are known
    assert found("nobody/nothing-at-all") == []  # offline
    assert "no such folder" in found("./nowhere")[0]
    assert "num_attention_heads is 8" in found(publish(tmp_path / "other", num_attention_heads=8))[0]
    stranger = publish(tmp_path / "stranger")
    model = AutoModelForCausalLM.from_pretrained(stranger)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape) * parameter.data.std()
    model.save_pretrained(stranger, max_shard_size="100KB")
    assert "made of another base" in found(stranger)[0]


def test_a_sibling_of_the_tiny_base_is_compared_when_that_is_made(tmp_path):
    sets = ("merge.weights=[0.6]", f'merge.instruct="{publish(tmp_path / "x")}"')
    assert problems(*sets, offline=True) == []


def test_trimming_without_copies_and_layers_that_tiny_has_not_are_refused():
    trimmed, bare = "finetune.embedding_keep_share=0.5", 'adapter.targets=["attention", "mlp"]'
    assert problems(trimmed, 'adapter.layers="1"', offline=True) == []
    (found,) = problems(trimmed, bare, offline=True)
    assert found.startswith("finetune.embedding_keep_share = 0.5, but adapter.targets has no")
    (found,) = problems('adapter.layers="1-2"', offline=True)
    assert found == 'adapter.layers = "1-2", but this base has 2 layers, 0 to 1'
